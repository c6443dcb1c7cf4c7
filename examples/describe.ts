/**
 * Prints what a synthesized app would deploy: `ts-node describe.ts <cloud assembly>`.
 */
import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';

type Json = Record<string, any>;

/** Text of a template's value; a reference shows as the logical id that it refers to. */
function text(value: any): string {
  if (value === null || typeof value !== 'object') {
    return String(value);
  }
  if (value['Fn::Join']) {
    return value['Fn::Join'][1].map(text).join(value['Fn::Join'][0]);
  }
  return `<${[value.Ref ?? value['Fn::GetAtt'] ?? Object.keys(value)[0]].flat().join('.')}>`;
}

const directory = process.argv[2];
const templates: [string, Json][] = readdirSync(directory)
  .filter((file) => file.endsWith('.template.json') && !file.includes('.nested.'))
  .map((file) => [file.replace('.template.json', ''), JSON.parse(readFileSync(join(directory, file), 'utf8')).Resources]);

for (const [name, resources] of templates) {
  const all = (type: string): Json[] => Object.values<Json>(resources).filter(({ Type }) => Type === type).map(({ Properties }) => Properties);
  const section = (title: string, lines: string[]) => lines.length > 0 && console.log(['', title, ...lines.map((line) => `  ${line}`)].join('\n'));
  const manifests: Json[] = all('Custom::AWSCDK-EKS-KubernetesResource').flatMap(({ Manifest }) => JSON.parse(text(Manifest)));
  const kind = (wanted: string) => manifests.filter((object) => object.kind === wanted);

  console.log(`${name}: ${Object.keys(resources).length} resources`);
  section('Nodes', all('AWS::EKS::Nodegroup').map(({ Labels, CapacityType, ScalingConfig, InstanceTypes, AmiType }) =>
    `${(Labels?.type ?? 'cluster').padEnd(14)}${ScalingConfig.MinSize} to ${ScalingConfig.MaxSize} ${(CapacityType ?? 'ON_DEMAND').padEnd(11)}${(InstanceTypes ?? []).join(', ')} (${AmiType})`));
  section('Storage', [
    ...all('AWS::EFS::FileSystem').map(({ Encrypted, ThroughputMode }) => `EFS, ${Encrypted ? 'encrypted' : 'NOT ENCRYPTED'}, ${ThroughputMode} throughput`),
    ...all('AWS::EFS::AccessPoint').map(({ RootDirectory, PosixUser }) => `access point ${RootDirectory.Path} as ${PosixUser.Uid}:${PosixUser.Gid}`),
    ...kind('PersistentVolumeClaim').map(({ metadata, spec }) => `claim ${metadata.namespace}/${metadata.name} of ${spec.resources.requests.storage}`),
  ]);
  section('Secrets', [
    ...all('AWS::SecretsManager::Secret').map(({ Description }) => `generated: ${Description}`),
    ...kind('ExternalSecret').map(({ metadata, spec }) => `in the cluster: ${metadata.namespace}/${metadata.name} with ${Object.keys(spec.target.template.data).join(', ')}`),
  ]);
  section('Helm releases', all('Custom::AWSCDK-EKS-HelmChart').map(({ Namespace, Release, Chart, Version, Repository }) =>
    `${Namespace}/${text(Release)}: ${Chart} ${Version} from ${Repository}`));
  section('Web UI', kind('Ingress').map(({ spec, metadata }) => {
    const annotation = (key: string) => metadata.annotations[`alb.ingress.kubernetes.io/${key}`];
    const scheme = annotation('certificate-arn') ? 'https' : 'http';
    return `${scheme}://${spec.rules[0].host ?? '<load balancer>'} (${annotation('scheme')} load balancer of group ${annotation('group.name')})`;
  }));
}
