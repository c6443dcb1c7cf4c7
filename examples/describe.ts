/**
 * Prints what a synthesized app would deploy: `ts-node describe.ts <cloud assembly>`.
 */
import { Json, metadataOf, objectsOf, releasesOf, resourcesOf, templatesOf } from './assembly';

function section(title: string, lines: string[]): void {
  if (lines.length > 0) {
    console.log(['', title, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
}

/** What the pods of a node pool request, and the nodes that have room for it: of the smallest type of a node group, of the best one for Karpenter. */
function podsOf({ prop, size, pods, load, maxLoad }: Json): string[] {
  const amount = ({ cpu, memory }: Json) => `${(cpu / 1000).toFixed(2)} vCPUs, ${(memory / 1024).toFixed(2)} GiB`;
  const counts = ({ replicas, maxReplicas }: Json) => replicas === maxReplicas ? replicas : `${replicas} to ${maxReplicas}`;
  const nodes = (need: Json) => `${need.nodes} x ${need.type} with ${amount(need.room)}`;
  const limit = size.of === 'nodes' ? `${size.min} to ${size.max} nodes` : `at most ${size.max} vCPUs`;
  const scaled = maxLoad.pods > load.pods ? [`at most   ${amount(maxLoad)}: ${nodes(maxLoad)}`] : [];
  return [
    `${prop.padEnd(24)}${amount(load)}: ${nodes(load)} (${limit})`,
    ...scaled.map((line) => `${''.padEnd(14)}${line}`),
    ...pods.map((group: Json) => `  ${String(counts(group)).padEnd(8)}${group.prop.padEnd(34)}${amount(group)}`),
  ];
}

const [, , directory] = process.argv;
for (const [name, template] of templatesOf(directory)) {
  console.log(`${name}: ${Object.keys(template.Resources).length} resources`);
  section('NodePools', objectsOf(template, 'NodePool').map(({ spec: { template: { metadata, spec }, limits } }) =>
    `${metadata.labels.type.padEnd(14)}at most ${limits.cpu} vCPUs of ${spec.nodeClassRef.kind} ${spec.nodeClassRef.name}`));
  section('Nodes', resourcesOf(template, 'AWS::EKS::Nodegroup').map(({ Labels, CapacityType, ScalingConfig, InstanceTypes, AmiType }) =>
    `${(Labels?.type ?? 'cluster').padEnd(14)}${ScalingConfig.MinSize} to ${ScalingConfig.MaxSize} ${(CapacityType ?? 'ON_DEMAND').padEnd(11)}${(InstanceTypes ?? []).join(', ')} (${AmiType})`));
  section('Requests of pods', metadataOf(directory, name, 'airflow-on-eks:node-pool').flatMap(podsOf));
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
