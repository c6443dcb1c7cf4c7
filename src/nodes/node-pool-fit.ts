import { Annotations, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { capacityOf } from './instance-capacity';
import { minus, packed, Request, Room, timesIn } from './packing';
import { PodRequests } from '../pod-requests';
import { fail } from '../validation';

/** Nodes that are created for pods which select their labels. */
export interface NodePool {
  /** The prop of the pool, for messages. */
  readonly prop: string;
  readonly labels: Record<string, string>;
  /** The types of which a node may be. */
  readonly instanceTypes: string[];
  /** The bounds of a node group, whose nodes may all be of one type, or the limit of Karpenter, which chooses the types that fit best. */
  readonly size: { readonly of: 'nodes'; readonly min: number; readonly max: number } | { readonly of: 'vcpus'; readonly max: number };
}

interface NodeType {
  readonly name: string;
  readonly vcpus: number;
  readonly room: Room;
}

/** The pods of a pool, and the nodes that they take. */
interface Load {
  readonly pods: number;
  readonly cpu: number;
  readonly memory: number;
  readonly nodes: number;
  readonly vcpus: number;
  readonly type: string;
  /** What each of the nodes has room for. */
  readonly room: Room;
}

/**
 * What runs on each node besides the pods of the deployment: kube-proxy, the VPC CNI plugin, the EKS Pod Identity Agent, which requests nothing, and
 * the EFS CSI driver with at most one of its two controllers.
 *
 * @see https://github.com/aws/amazon-vpc-cni-k8s/tree/master/charts/aws-vpc-cni
 * @see https://github.com/2i2c-org/infrastructure/issues/3902
 */
export const ON_EACH_NODE: Room = { cpu: 100 + 50 + 70 + 40, memory: 192 + 128, pods: 5 };

/**
 * Checks that the pods of a deployment fit on the nodes that are created for them, and writes the figures to the metadata of the construct.
 *
 * A pod that fits on no node of its pool is an error, and too many pods are a warning. Pods are placed by size, each on the first node with room,
 * which is close to the best that the scheduler of Kubernetes can do. Not counted are other pods than those of the deployment, apart from those that
 * each node runs, and the pod that an update of a Deployment starts before it stops an old one.
 */
export function checkFit(scope: Construct, pools: NodePool[], pods: PodRequests[]): void {
  for (const pool of pools) {
    checkPool(scope, pool, pods.filter(({ nodeSelector }) => Object.entries(nodeSelector).every(([label, value]) => pool.labels[label] === value)));
  }
}

function checkPool(scope: Construct, pool: NodePool, all: PodRequests[]): void {
  const types = pool.instanceTypes.flatMap((name) => nodeType(name) ?? []);
  const unknownTypes = pool.instanceTypes.filter((name) => !types.some((type) => type.name === name));
  const pods = all.filter(({ cpu, memory, replicas, maxReplicas }) => ![cpu, memory, replicas, maxReplicas].some(isUnknown));
  const sizeIsKnown = !Object.values(pool.size).some(Token.isUnresolved);
  sayWhatIsUnknown(scope, pool, [
    ...unknownTypes.map((name) => `the capacity of ${Token.isUnresolved(name) ? 'an instance type that is a token' : name} is not known`),
    ...all.filter((group) => !pods.includes(group)).map(({ prop }) => `the requests or the number of the pods of '${prop}' are not known`),
    ...sizeIsKnown ? [] : ['its size is a token'],
  ]);
  pods.forEach((group) => checkPod(scope, pool, group, types, unknownTypes.length === 0));
  const suitable = types.filter(({ room }) => pods.every((group) => timesIn(room, group) > 0));
  const comparable = pool.size.of === 'nodes' || unknownTypes.length === 0; // Karpenter may choose a type that is not known
  if (suitable.length > 0 && sizeIsKnown && comparable) {
    const [load, maxLoad] = (['replicas', 'maxReplicas'] as const).map((count) => loadOf(pods, count, pool, suitable));
    scope.node.addMetadata('airflow-on-eks:node-pool', { ...pool, pods, load, maxLoad });
    checkLoads(scope, pool, load, maxLoad);
  }
}

function sayWhatIsUnknown(scope: Construct, { prop }: NodePool, reasons: string[]): void {
  if (reasons.length > 0) {
    Annotations.of(scope).addInfoV2('airflow-on-eks:fitUnknown', `whether all pods fit on the nodes of '${prop}' is not checked: ${[...new Set(reasons)].join(', ')}`);
  }
}

/** Fails if pods fit on no node, not even alone, and warns if they do not fit on each node that EC2 may choose for a node group. */
function checkPod(scope: Construct, { prop, size }: NodePool, pod: PodRequests, types: NodeType[], allTypes: boolean): void {
  const share = ({ room }: NodeType) => Math.max(pod.cpu / room.cpu, pod.memory / room.memory);
  const tooSmall = types.filter(({ room }) => timesIn(room, pod) === 0).sort((one, other) => share(one) - share(other));
  if (tooSmall.length === 0) {
    return;
  }
  const [{ name, room }] = tooSmall;
  const facts = `(${amount(room)} on ${name}), got ${amount(pod)} for each pod`;
  if (tooSmall.length === types.length && allTypes) {
    fail(scope, `'${pod.prop}' must request at most what a node of '${prop}' has room for ${facts}; use a larger instance type, or lower the resources of '${pod.prop}'`);
  }
  if (size.of === 'nodes') {
    Annotations.of(scope).addWarningV2('airflow-on-eks:podFitsNotOnAllTypes',
      `'${pod.prop}' requests more than some nodes of '${prop}' have room for ${facts}: pods stay Pending if EC2 chooses ${tooSmall.map((type) => type.name).join(', ')};`
      + ` use larger instance types only, or lower the resources of '${pod.prop}'`);
  }
}

function checkLoads(scope: Construct, { prop, size }: NodePool, load: Load, maxLoad: Load): void {
  const needs = (what: string, { pods, type, nodes, ...requests }: Load) =>
    `${what} '${prop}' run ${pods} pods, which request ${amount(requests)} and take ${nodeCount(nodes)} of ${type}`;
  const wayOut = `use larger instance types, increase '${prop}.${size.of === 'nodes' ? 'maxSize' : 'maxVcpus'}', or lower the resources or the replicas of the pods`;
  const limit = `there are at most ${size.of === 'nodes' ? nodeCount(size.max) : `${size.max} vCPUs`}`;
  const exceeds = (need: Load) => (size.of === 'nodes' ? need.nodes : need.vcpus) > size.max;
  if (exceeds(load)) {
    Annotations.of(scope).addWarningV2('airflow-on-eks:podsDoNotFit', `${needs('the nodes of', load)}, but ${limit}: pods stay Pending; ${wayOut}`);
    return;
  }
  if (exceeds(maxLoad)) {
    Annotations.of(scope).addWarningV2('airflow-on-eks:maxReplicasDoNotFit',
      `${needs("with 'maxReplicas', the nodes of", maxLoad)}, but ${limit}: the last pods stay Pending; ${wayOut}`);
  }
  if (size.of === 'nodes' && size.min > 0 && load.nodes > size.min) {
    Annotations.of(scope).addInfoV2('airflow-on-eks:moreNodesThanMinSize',
      `${needs('the nodes of', load)}, but the node group starts with ${nodeCount(size.min)} ('${prop}.minSize'): the others need a Cluster Autoscaler`);
  }
}

function nodeType(name: string): NodeType | undefined {
  const capacity = capacityOf(name);
  return capacity && { name, vcpus: capacity.vcpus, room: minus(capacity, ON_EACH_NODE, 1, ON_EACH_NODE.pods) };
}

/** The nodes that pods take: of the worst type of a node group, which EC2 chooses, or of the best type for Karpenter. */
function loadOf(pods: PodRequests[], count: 'replicas' | 'maxReplicas', { size }: NodePool, types: NodeType[]): Load {
  const sum = (value: (pod: PodRequests) => number) => pods.reduce((total, pod) => total + pod[count] * value(pod), 0);
  const [taken] = types.map(({ name, vcpus, room }) => {
    const nodes = packed(pods.map((pod) => ({ ...pod, count: pod[count] })), room);
    return { nodes, vcpus: nodes * vcpus, type: name, room };
  }).sort((one, other) => size.of === 'nodes' ? other.nodes - one.nodes : one.vcpus - other.vcpus);
  return { pods: sum(() => 1), cpu: sum(({ cpu }) => cpu), memory: sum(({ memory }) => memory), ...taken };
}

function isUnknown(value: number): boolean {
  return Number.isNaN(value) || Token.isUnresolved(value);
}

function nodeCount(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}

function amount({ cpu, memory }: Request): string {
  return `${+(cpu / 1000).toFixed(2)} vCPUs and ${+(memory / 1024).toFixed(2)} GiB`;
}
