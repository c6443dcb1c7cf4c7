/**
 * Reads a stack of a cloud assembly, which is what `cdk synth --output` writes.
 */
import { existsSync, readFileSync } from 'fs';
import { join, resolve as absolute } from 'path';
import { holds, Scope, Value } from './intrinsics';

export interface Resource {
  readonly Type: string;
  readonly Properties?: Record<string, Value>;
  readonly DependsOn?: string | string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Condition?: string;
}

export interface Template {
  readonly Resources: Record<string, Resource>;
  readonly Conditions?: Record<string, Value>;
  readonly Parameters?: Record<string, { Default?: Value }>;
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

export class Assembly {
  public readonly stack: string;
  public readonly account: string;
  public readonly region: string;
  /** The template, without what its conditions leave out. */
  public readonly template: Template;

  constructor(private readonly folder: string, name?: string) {
    const stacks = Object.entries<Value>(read(join(folder, 'manifest.json')).artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
    const [stack, artifact] = stacks.find(([id]) => name === undefined || id === name) ?? [];
    if (!stack || (name === undefined && stacks.length > 1)) {
      throw new Error(`name one of the stacks with --stack: ${stacks.map(([id]) => id).join(', ')}`);
    }
    this.stack = stack;
    const [, account, region] = /^aws:\/\/([^/]+)\/(.+)$/.exec(artifact.environment) ?? [];
    this.account = /^\d+$/.test(account) ? account : '123456789012';
    this.region = /unknown/.test(region) ? 'eu-central-1' : region;
    this.template = read(join(folder, artifact.properties.templateFile));
    const { condition } = this.scope({ reference: () => undefined, attribute: () => undefined });
    const existing = Object.entries(this.template.Resources).filter(([, { Condition }]) => !Condition || condition(Condition));
    this.template = { ...this.template, Resources: Object.fromEntries(existing) };
  }

  /** What functions refer to, where the resources answer to `ofResource`. */
  public scope(ofResource: { reference(id: string): Value; attribute(id: string, name: string): Value }): Scope {
    const pseudo: Record<string, string> = {
      'AWS::AccountId': this.account,
      'AWS::Partition': 'aws',
      'AWS::Region': this.region,
      'AWS::StackId': `arn:aws:cloudformation:${this.region}:${this.account}:stack/${this.stack}/0`,
      'AWS::StackName': this.stack,
      'AWS::URLSuffix': 'amazonaws.com',
    };
    const scope: Scope = {
      reference: (name) => pseudo[name] ?? (this.template.Resources[name] ? ofResource.reference(name) : this.template.Parameters?.[name]?.Default),
      attribute: (id, name) => ofResource.attribute(id, name),
      condition: (name) => holds(this.template.Conditions![name], scope),
    };
    return scope;
  }

  /** The ZIP file with helm and kubectl that the template's kubectl layer is made of. */
  public kubectlLayer(): string | undefined {
    const layer = Object.values(this.template.Resources).find(({ Type, Properties }) =>
      Type === 'AWS::Lambda::LayerVersion' && /helm/.test(String(Properties?.Description)));
    return layer && this.assetFiles().find((file) => file.key === layer.Properties!.Content.S3Key)?.path;
  }

  /** The folder with the CDK's own handler of manifests and charts, which a cluster that was imported with a kubectl provider does not bring. */
  public kubectlHandler(): string | undefined {
    return this.assetFiles().map(({ path }) => path).find((folder) => existsSync(join(folder, 'helm/__init__.py')));
  }

  private assetFiles(): { key: string; path: string }[] {
    const { files } = read(join(this.folder, `${this.stack}.assets.json`));
    return Object.values<Value>(files).map(({ source, destinations }) => ({
      key: Object.values<Value>(destinations)[0].objectKey,
      path: absolute(this.folder, source.path ?? ''),
    }));
  }
}
