/**
 * Charts, manifests, patches and values of objects, by the CDK's own handler.
 */
import { spawn } from 'child_process';
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'fs';
import { join } from 'path';
import * as YAML from 'yaml';
import { Value } from './intrinsics';
import { Deployed, Made, Properties, Provider } from './provider';
import { Tools } from './tools';

export interface KubectlProviderOptions {
  readonly tools: Tools;
  /** The folder of the CDK's handler. */
  readonly handler: string;
  /** A folder for what the handler writes, with one folder per resource. */
  readonly logs: string;
  readonly region: string;
  /** Seconds between CloudFormation's event and the handler's command. */
  readonly gap: number;
  /** Seconds after which Lambda kills the function. */
  readonly timeout: number;
  /** A folder of unpacked charts, used in place of the repositories. */
  readonly charts?: string;
  /** Releases that need AWS: nothing is installed for them. */
  readonly without: string[];
  /** Puts stand-ins for AWS into the properties. */
  readonly standIns: (properties: Properties) => Properties;
}

interface Chart { readonly folder: string; readonly name: string; readonly version: string }

/** What the handler knows. */
const TYPES = ['HelmChart', 'KubernetesObjectValue', 'KubernetesPatch', 'KubernetesResource'].map((name) => `Custom::AWSCDK-EKS-${name}`);

export class KubectlProvider implements Provider {
  public static provides(type: string): boolean {
    return TYPES.includes(type);
  }

  private readonly charts: Chart[];

  constructor(private readonly options: KubectlProviderOptions, private readonly note: (text: string) => void) {
    const { charts } = options;
    this.charts = !charts ? [] : readdirSync(charts).map((name) => join(charts, name)).filter((folder) => existsSync(join(folder, 'Chart.yaml')))
      .map((folder) => ({ ...YAML.parse(readFileSync(join(folder, 'Chart.yaml'), 'utf8')), folder }));
  }

  public readonly asserted = () => true;

  /** CloudFormation passes text to a custom resource, whatever the template has. */
  public properties(_type: string, resolved: Properties): Properties {
    return this.options.standIns(texts(resolved));
  }

  public async create(id: string, type: string, properties: Properties): Promise<Made> {
    return { physicalId: `${id}-${Date.now().toString(36)}`, attributes: await this.handle('Create', id, type, properties) };
  }

  public async update(id: string, old: Deployed, properties: Properties): Promise<Made> {
    return { physicalId: old.physicalId, attributes: await this.handle('Update', id, old.type, properties, old) };
  }

  public async delete(id: string, old: Deployed): Promise<void> {
    await this.handle('Delete', id, old.type, old.properties, old);
  }

  public attribute(id: string, _deployed: Deployed, name: string): Value {
    throw new Error(`the handler of '${id}' returned no '${name}'`);
  }

  private async handle(RequestType: string, id: string, type: string, properties: Properties, old?: Deployed): Promise<Record<string, Value>> {
    if (this.options.without.includes(properties.Release)) {
      this.note(`${properties.Release} needs AWS: not played`);
      return {};
    }
    const folder = join(this.options.logs, `${id}-${RequestType}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, this.options.gap * 1000));
    await this.run(folder, {
      RequestType,
      ResourceType: type,
      LogicalResourceId: id,
      PhysicalResourceId: old?.physicalId,
      ResourceProperties: this.withLocalChart(properties),
      OldResourceProperties: RequestType === 'Update' ? old!.properties : undefined,
    });
    const errors = readFileSync(join(folder, 'stderr'), 'utf8');
    const swallowed = /delete error: .*/i.exec(errors)?.[0];
    if (swallowed) {
      throw new Error(`the handler does not report: ${swallowed.slice(0, 1000)}`);
    }
    return JSON.parse(readFileSync(join(folder, 'answer.json'), 'utf8')).Data ?? {};
  }

  private async run(folder: string, event: Value): Promise<void> {
    const { tools, handler, region, timeout } = this.options;
    const child = spawn('python3', [join(__dirname, 'handler.py'), handler], {
      detached: true, // a process group, so that helm and kubectl die with the function
      env: {
        PATH: [...tools.path, process.env.PATH].join(':'),
        KUBECONFIG: tools.kubeconfig,
        TEST_OUTDIR: folder,
        HOME: folder,
        AWS_REGION: region,
        NO_PROXY: process.env.NO_PROXY,
        HTTPS_PROXY: process.env.HTTPS_PROXY,
      },
    });
    child.stdout.pipe(createWriteStream(join(folder, 'stdout')));
    child.stderr.pipe(createWriteStream(join(folder, 'stderr')));
    child.stdin.end(JSON.stringify(event));
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      process.kill(-child.pid!, 'SIGKILL');
    }, timeout * 1000);
    const code = await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(timer);
    if (timedOut) {
      throw new Error(`Task timed out after ${timeout} seconds`);
    }
    if (code !== 0) {
      const lines = readFileSync(join(folder, 'stderr'), 'utf8').trim().split('\n');
      throw new Error(lines[lines.length - 1].slice(0, 1500));
    }
  }

  /** The chart out of the folder of charts, or of the nearest version of the same major one that is there. */
  private withLocalChart(properties: Properties): Properties {
    const { Chart: name, Version: version, Repository: _repository, ...rest } = properties;
    if (!name || !this.options.charts) {
      return properties;
    }
    const major = (text: string) => text.split('.')[0];
    const versions = this.charts.filter((chart) => chart.name === name);
    const chart = versions.find((one) => one.version === version) ?? versions.find((one) => major(one.version) === major(version));
    if (!chart) {
      throw new Error(`no chart '${name}' ${version} in ${this.options.charts}`);
    }
    if (chart.version !== version) {
      this.note(`${name} ${chart.version} instead of ${version}`);
    }
    return { ...rest, Chart: chart.folder, Version: chart.version };
  }
}

function texts(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(texts);
  }
  return value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, texts(entry)])) : String(value);
}
