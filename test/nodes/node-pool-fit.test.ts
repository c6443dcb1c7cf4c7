import { Lazy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { AirflowDatabase, AirflowExecutor, AirflowNodePools, WorkerAutoscaling } from '../../src';
import { checkFit, NodePool } from '../../src/nodes/node-pool-fit';
import { PodRequests } from '../../src/pod-requests';
import { newStack, Props, synthAirflow } from '../util';

const LABELS = { role: 'airflow', type: 'af' };
const WORKERS: PodRequests = { prop: 'workers', nodeSelector: LABELS, replicas: 2, maxReplicas: 2, cpu: 1000, memory: 2048 };
/** Two vCPUs and 4 GiB, of which pods have 1.67 vCPUs and 2.67 GiB. */
const SMALL = 'c5a.large';

/** The messages about a node pool, and its figures. */
function check(pool: Partial<NodePool>, ...pods: Partial<PodRequests>[]): { messages: string[]; figures?: any } {
  const stack = newStack();
  const whole: NodePool = { prop: 'nodePools.workers', labels: LABELS, instanceTypes: [SMALL], size: { of: 'nodes', min: 2, max: 3 }, ...pool };
  checkFit(stack, [whole], pods.map((group) => ({ ...WORKERS, ...group })));
  const { metadata } = stack.node;
  return {
    messages: metadata.filter(({ type }) => /^aws:cdk:(info|warning)$/.test(type)).map(({ type, data }) => `${type.slice(8)}: ${data}`),
    figures: metadata.find(({ type }) => type === 'airflow-on-eks:node-pool')?.data,
  };
}

const NEEDS = 'use larger instance types, increase';
const LOWER = 'or lower the resources or the replicas of the pods';

describe('a node group', () => {
  test('pods that fit are no message, and the figures are in the metadata', () => {
    const { messages, figures } = check({}, {}, { prop: 'flower', replicas: 1, maxReplicas: 1, cpu: 100, memory: 256 });
    expect(messages).toEqual([]);
    const load = { pods: 3, cpu: 2100, memory: 4352, nodes: 2, vcpus: 4, type: SMALL, room: { cpu: 1670, memory: 2734, pods: 24 } };
    expect(figures).toMatchObject({ prop: 'nodePools.workers', load, maxLoad: load });
    expect(figures.pods.map(({ prop }: PodRequests) => prop)).toEqual(['workers', 'flower']);
  });

  test('pods with other labels, and pods that select more than its labels, are not counted', () => {
    const selecting = (nodeSelector: Record<string, string>) => check({}, { nodeSelector, replicas: 100 }).figures.load.pods;
    expect(selecting({ ...LABELS, type: 'other' })).toBe(0);
    expect(selecting({ ...LABELS, gpu: 'true' })).toBe(0);
    expect(selecting({ role: 'airflow' })).toBe(100);
  });

  test('replicas that need more nodes than the maximum are a warning', () => {
    expect(check({}, { replicas: 4, maxReplicas: 9 }).messages).toEqual([
      "warning: the nodes of 'nodePools.workers' run 4 pods, which request 4 vCPUs and 8 GiB and take 4 nodes of c5a.large, but there are at most 3 nodes:"
      + ` pods stay Pending; ${NEEDS} 'nodePools.workers.maxSize', ${LOWER} [ack: airflow-on-eks:podsDoNotFit]`,
    ]);
  });

  test('the most replicas of an autoscaler that need more nodes than the maximum are a warning', () => {
    expect(check({}, { maxReplicas: 4 }).messages).toEqual([
      "warning: with 'maxReplicas', the nodes of 'nodePools.workers' run 4 pods, which request 4 vCPUs and 8 GiB and take 4 nodes of c5a.large, but there are"
      + ` at most 3 nodes: the last pods stay Pending; ${NEEDS} 'nodePools.workers.maxSize', ${LOWER} [ack: airflow-on-eks:maxReplicasDoNotFit]`,
    ]);
    expect(check({}, { maxReplicas: 3 }).messages).toEqual([]);
  });

  test('replicas that need more nodes than the minimum are an information, unless there is none without load', () => {
    const needed = (min: number) => check({ size: { of: 'nodes', min, max: 3 } }, {}).messages;
    expect(needed(1)).toEqual([
      "info: the nodes of 'nodePools.workers' run 2 pods, which request 2 vCPUs and 4 GiB and take 2 nodes of c5a.large, but the node group starts with 1 node"
      + " ('nodePools.workers.minSize'): the others need a Cluster Autoscaler [ack: airflow-on-eks:moreNodesThanMinSize]",
    ]);
    expect(needed(2)).toEqual([]);
    expect(needed(0)).toEqual([]);
  });

  test('EC2 may choose the type with the least room', () => {
    expect(check({ instanceTypes: ['c5a.2xlarge', SMALL, 'm5a.large'] }, {}).figures.load).toMatchObject({ type: SMALL, nodes: 2 });
  });

  test('a pod that does not fit on each type is a warning, also if it starts on demand', () => {
    const { messages, figures } = check({ instanceTypes: ['c5a.2xlarge', SMALL, 't3.small'] }, { cpu: 2000, replicas: 0, maxReplicas: 0 }, {});
    expect(messages).toEqual([
      "warning: 'workers' requests more than some nodes of 'nodePools.workers' have room for (1.67 vCPUs and 2.67 GiB on c5a.large), got 2 vCPUs and 2 GiB for"
      + ' each pod: pods stay Pending if EC2 chooses c5a.large, t3.small; use larger instance types only, or lower the resources of'
      + " 'workers' [ack: airflow-on-eks:podFitsNotOnAllTypes]",
      expect.stringContaining("'workers' requests more than some nodes of 'nodePools.workers' have room for (1.67 vCPUs and 1.01 GiB on t3.small)"),
    ]);
    expect(figures.load).toMatchObject({ type: 'c5a.2xlarge', nodes: 1 });
  });

  test('the number of pods of a node counts', () => {
    const tiny = { cpu: 1, memory: 1, replicas: 25, maxReplicas: 25 };
    expect(check({}, tiny).figures.load.nodes).toBe(2); // 29 pods, 5 of which are those of each node
    expect(check({ instanceTypes: ['t3.small'] }, { ...tiny, replicas: 6 }).figures.load.nodes).toBe(2); // 8 and 5
  });

  test('fails when a pod fits on no type', () => {
    expect(() => check({ instanceTypes: [SMALL, 'c5a.xlarge', 'm5.large'] }, { memory: 8192 })).toThrow(new Error(
      "Data: 'workers' must request at most what a node of 'nodePools.workers' has room for (1.67 vCPUs and 6.37 GiB on m5.large), got 1 vCPUs and 8 GiB for"
      + " each pod; use a larger instance type, or lower the resources of 'workers'"));
    expect(() => check({}, { replicas: 0, maxReplicas: 0, cpu: 2000 })).toThrow('got 2 vCPUs and 2 GiB for each pod');
  });
});

describe('a NodePool of Karpenter', () => {
  const karpenter = (max: number, ...instanceTypes: string[]) => ({ instanceTypes, size: { of: 'vcpus' as const, max } });

  test('the type that takes the fewest vCPUs is chosen', () => {
    expect(check(karpenter(8, 'c5.large', 'm5.large', 'r5.xlarge'), {}).figures.load).toMatchObject({ type: 'c5.large', nodes: 2, vcpus: 4 });
    expect(check(karpenter(8, 'c5.large', 'm5.large', 'r5.xlarge'), { cpu: 500, memory: 3072 }).figures.load).toMatchObject({ type: 'm5.large', nodes: 1, vcpus: 2 });
  });

  test('replicas that need more vCPUs than the limit are a warning', () => {
    expect(check(karpenter(8, 'm5.xlarge'), { replicas: 8, maxReplicas: 8 }).messages).toEqual([
      "warning: the nodes of 'nodePools.workers' run 8 pods, which request 8 vCPUs and 16 GiB and take 3 nodes of m5.xlarge, but there are at most 8 vCPUs:"
      + ` pods stay Pending; ${NEEDS} 'nodePools.workers.maxVcpus', ${LOWER} [ack: airflow-on-eks:podsDoNotFit]`,
    ]);
    expect(check(karpenter(8, 'm5.xlarge'), { maxReplicas: 8 }).messages).toEqual([expect.stringContaining('airflow-on-eks:maxReplicasDoNotFit')]);
    expect(check(karpenter(12, 'm5.xlarge'), { maxReplicas: 8 }).messages).toEqual([]);
  });

  test('nothing is compared if it may choose a type that is not known', () => {
    const { messages, figures } = check(karpenter(1, 'm5.xlarge', 'g5.xlarge'), { cpu: 99000 });
    expect(figures).toBeUndefined();
    expect(messages).toEqual([expect.stringContaining('the capacity of g5.xlarge is not known')]);
  });
});

describe('what is not known is said', () => {
  const token = Lazy.number({ produce: () => 1 });
  const said = (reason: string) => `info: whether all pods fit on the nodes of 'nodePools.workers' is not checked: ${reason} [ack: airflow-on-eks:fitUnknown]`;

  test.each<[string, Partial<NodePool>, Partial<PodRequests>, string]>([
    ['an instance type without a rule', { instanceTypes: ['g5.xlarge'] }, {}, 'the capacity of g5.xlarge is not known'],
    ['an instance type of a token', { instanceTypes: [Lazy.string({ produce: () => SMALL })] }, {}, 'the capacity of an instance type that is a token is not known'],
    ['the size of a token', { size: { of: 'nodes', min: 1, max: token } }, {}, 'its size is a token'],
    ['replicas of a token', {}, { replicas: token }, "the requests or the number of the pods of 'workers' are not known"],
    ['most replicas of a token', {}, { maxReplicas: token }, "the requests or the number of the pods of 'workers' are not known"],
    ['requests of a token', {}, { memory: NaN }, "the requests or the number of the pods of 'workers' are not known"],
  ])('%s', (_name, pool, pods, reason) => {
    expect(check(pool, pods).messages).toEqual([said(reason)]);
  });

  test('what is known is checked nevertheless', () => {
    const { messages } = check({ instanceTypes: ['g5.xlarge', SMALL] }, { replicas: 4, maxReplicas: 4 }, { prop: 'other', cpu: NaN });
    expect(messages).toEqual([
      said("the capacity of g5.xlarge is not known, the requests or the number of the pods of 'other' are not known"),
      expect.stringContaining('take 4 nodes of c5a.large'),
    ]);
    expect(check({ instanceTypes: ['g5.xlarge', SMALL] }, { memory: 1e6 }).messages) // it may fit on the other type
      .toEqual([said('the capacity of g5.xlarge is not known'), expect.stringContaining('pods stay Pending if EC2 chooses c5a.large')]);
  });
});

describe('a deployment', () => {
  const messages = (props: Props) => synthAirflow(props).airflow.node.metadata
    .filter(({ type, data }) => /^aws:cdk:(info|warning)$/.test(type) && /Fit|MinSize/.test(String(data))).map(({ data }) => String(data));
  const types = (...names: string[]) => names.map((name) => new ec2.InstanceType(name));

  test.each<[string, Props]>([
    ['defaults', {}],
    ['tasks in pods', { executor: AirflowExecutor.KUBERNETES }],
    ['tasks in the scheduler', { executor: AirflowExecutor.LOCAL }],
    ['a single node group', { nodePools: AirflowNodePools.singleNodeGroup() }],
    ['a single node group, tasks in the scheduler', { executor: AirflowExecutor.LOCAL, nodePools: AirflowNodePools.singleNodeGroup() }],
    ['Karpenter', { nodePools: AirflowNodePools.karpenter() }],
    ['Karpenter on Graviton', { nodePools: AirflowNodePools.karpenter({ stateless: { architecture: ec2.InstanceArchitecture.ARM_64 } }) }],
    ['EKS Auto Mode', { nodePools: AirflowNodePools.autoMode() }],
  ])('%s fits on the minimum of nodes', (_name, props) => {
    expect(messages(props)).toEqual([]);
  });

  test('the values of users count', () => {
    const proxy = { name: 'proxy', resources: { requests: { cpu: '1', memory: '2Gi' } } };
    expect(messages({ helmValues: { scheduler: { extraContainers: [proxy] } } })).toEqual([expect.stringContaining('take 4 nodes of c5a.large')]);
    expect(() => messages({ helmValues: { flower: { resources: { requests: { memory: '64Gi' } } } } }))
      .toThrow("Data/Airflow: 'helmValues.flower' must request at most what a node of 'nodePools.stateless' has room for");
  });

  test('autoscaled workers count with their maximum', () => {
    const workers = { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 40 }) };
    expect(messages({ workers })).toEqual([expect.stringMatching(/^with 'maxReplicas', the nodes of 'nodePools.workers' run 40 pods/)]);
    expect(messages({ workers, nodePools: AirflowNodePools.karpenter() })).toEqual([]);
    expect(messages({ workers, nodePools: AirflowNodePools.karpenter({ workers: { maxVcpus: 16 } }) })).toEqual([expect.stringContaining('at most 16 vCPUs')]);
  });

  test.each<[string, Props, string, string]>([
    ['scheduler', { scheduler: { memory: '16Gi' } }, 'scheduler', 'nodePools.stateless'],
    ['workers', { workers: { cpu: '16' } }, 'workers', 'nodePools.workers'],
    ['pods of tasks', { executor: AirflowExecutor.KUBERNETES, workers: { cpu: '16' } }, 'workers', 'nodePools.workers'],
    ['database', { database: AirflowDatabase.inCluster({ memory: '8Gi' }) }, 'database', 'nodePools.database'],
    ['database on the only nodes', { database: AirflowDatabase.inCluster({ cpu: '4' }), nodePools: AirflowNodePools.singleNodeGroup() }, 'database', 'nodePools'],
    ['workers on Karpenter', { workers: { cpu: '16' }, nodePools: AirflowNodePools.karpenter() }, 'workers', 'nodePools.workers'],
  ])('fails when the requests of the %s fit on no node', (_name, props, prop, pool) => {
    expect(() => messages(props)).toThrow(`Data/Airflow: '${prop}' must request at most what a node of '${pool}' has room for`);
  });

  test('larger instances have room', () => {
    const nodePools = AirflowNodePools.managedNodeGroups({ stateless: { instanceTypes: types('r6i.2xlarge', 'r6a.2xlarge') } });
    expect(messages({ scheduler: { memory: '16Gi' }, nodePools })).toEqual([]);
  });
});
