/**
 * Prints what a synthesized app would deploy: `ts-node describe.ts <cloud assembly>`.
 */
import { objectsOf, releasesOf, resourcesOf, templatesOf } from './assembly';

function section(title: string, lines: string[]): void {
  if (lines.length > 0) {
    console.log(['', title, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
}

for (const [name, template] of templatesOf(process.argv[2])) {
  console.log(`${name}: ${Object.keys(template.Resources).length} resources`);
  section('NodePools', objectsOf(template, 'NodePool').map(({ spec: { template: { metadata, spec }, limits } }) =>
    `${metadata.labels.type.padEnd(14)}at most ${limits.cpu} vCPUs of ${spec.nodeClassRef.kind} ${spec.nodeClassRef.name}`));
  section('Nodes', resourcesOf(template, 'AWS::EKS::Nodegroup').map(({ Labels, CapacityType, ScalingConfig, InstanceTypes, AmiType }) =>
    `${(Labels?.type ?? 'cluster').padEnd(14)}${ScalingConfig.MinSize} to ${ScalingConfig.MaxSize} ${(CapacityType ?? 'ON_DEMAND').padEnd(11)}${(InstanceTypes ?? []).join(', ')} (${AmiType})`));
  section('Storage', [
    ...resourcesOf(template, 'AWS::EFS::FileSystem').map(({ Encrypted, ThroughputMode }) =>
      `EFS, ${Encrypted ? 'encrypted' : 'NOT ENCRYPTED'}, ${ThroughputMode} throughput`),
    ...resourcesOf(template, 'AWS::EFS::AccessPoint').map(({ RootDirectory, PosixUser }) =>
      `access point ${RootDirectory.Path} as ${PosixUser.Uid}:${PosixUser.Gid}`),
    ...objectsOf(template, 'PersistentVolumeClaim').map(({ metadata, spec }) =>
      `claim ${metadata.namespace}/${metadata.name} bound to volume ${spec.volumeName}`),
  ]);
  section('Secrets', [
    ...resourcesOf(template, 'AWS::SecretsManager::Secret').map(({ Description }) => `generated: ${typeof Description === 'string' ? Description : 'Credentials of the database'}`),
    ...objectsOf(template, 'ExternalSecret').map(({ metadata, spec }) =>
      `in the cluster: ${metadata.namespace}/${metadata.name} with ${Object.keys(spec.target.template.data).join(', ')}`),
  ]);
  section('Helm releases', releasesOf(template).map(({ namespace, release, chart, version, properties }) =>
    `${namespace}/${release}: ${chart} ${version} from ${properties.Repository}`));
  section('Web UI', objectsOf(template, 'Ingress').map(({ spec, metadata }) => {
    const annotation = (key: string) => metadata.annotations[`alb.ingress.kubernetes.io/${key}`];
    const scheme = annotation('certificate-arn') ? 'https' : 'http';
    return `${scheme}://${spec.rules[0].host ?? '<load balancer>'} (${annotation('scheme')} load balancer of group ${annotation('group.name')})`;
  }));
}
