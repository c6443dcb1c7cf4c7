/**
 * Reads the templates of a cloud assembly, which is what `cdk synth` writes.
 */
import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import { CloudAssembly } from 'aws-cdk-lib/cx-api';

export type Json = Record<string, any>;

/** The text of a value in a template. A reference shows as the logical ID that it refers to: `<LogicalId>`. */
export function textOf(value: any): string {
  if (value === null || typeof value !== 'object') {
    return String(value);
  }
  if (value['Fn::Join']) {
    return value['Fn::Join'][1].map(textOf).join(value['Fn::Join'][0]);
  }
  return `<${[value.Ref ?? value['Fn::GetAtt'] ?? Object.keys(value)[0]].flat().join('.')}>`;
}

/** The templates of the stacks in a cloud assembly, by stack. Nested stacks only run kubectl and are left out. */
export function templatesOf(directory: string): [string, Json][] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.template.json') && !file.includes('.nested.'))
    .map((file) => [file.replace('.template.json', ''), JSON.parse(readFileSync(join(directory, file), 'utf8'))]);
}

/** What constructs of a stack in a cloud assembly have written to their metadata. */
export function metadataOf(directory: string, stack: string, type: string): Json[] {
  return new CloudAssembly(directory).getStackArtifact(stack).findMetadataByType(type).map(({ data }) => data as Json);
}

/** The properties of all resources of a type. */
export function resourcesOf(template: Json, type: string): Json[] {
  return Object.values<Json>(template.Resources).filter(({ Type }) => Type === type).map(({ Properties }) => Properties);
}

/** The Kubernetes objects in the manifests of a template, of one kind if given. */
export function objectsOf(template: Json, kind?: string): Json[] {
  return resourcesOf(template, 'Custom::AWSCDK-EKS-KubernetesResource')
    .flatMap(({ Manifest }) => JSON.parse(textOf(Manifest)) as Json[])
    .filter((object) => kind === undefined || object.kind === kind);
}

export interface Release { chart: string; release: string; namespace: string; version: string; values: Json; properties: Json }

/** The Helm releases of a template, with their values as objects. */
export function releasesOf(template: Json): Release[] {
  return resourcesOf(template, 'Custom::AWSCDK-EKS-HelmChart').map((properties) => ({
    chart: properties.Chart,
    release: textOf(properties.Release),
    namespace: properties.Namespace,
    version: properties.Version,
    values: JSON.parse(textOf(properties.Values ?? '{}')),
    properties,
  }));
}
