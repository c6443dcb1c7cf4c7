import { Size, Stack, Tags, Token } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  AirflowDatabase, AirflowExecutor, AirflowNodePools, CeleryBroker, ManagedNodeGroupsOptions, NodePoolOptions, SingleNodeGroupOptions,
} from '../../src';
import { ManagedNodeGroups } from '../../src/nodes/managed-node-groups';
import { CLUSTERS, importedCluster, Json, newApp, newStack, Props, synthAirflow, synthCommunity, valuesOf } from '../util';

type Options = ManagedNodeGroupsOptions | ((stack: Stack) => ManagedNodeGroupsOptions);

function synth(options: Options = {}): { pools: ManagedNodeGroups; template: Template } {
  const stack = newStack();
  const pools = new ManagedNodeGroups(stack, 'Nodes', {
    cluster: importedCluster(stack), namespace: 'airflow', hasWorkers: true, hasDatabase: true, ...typeof options === 'function' ? options(stack) : options,
  });
  return { pools, template: Template.fromStack(stack) };
}

/** The node groups by their label `type`. */
function groupsOf(template: Template): Record<string, Json> {
  return Object.fromEntries(Object.values(template.findResources('AWS::EKS::Nodegroup')).map(({ Properties }) => [Properties.Labels.type, Properties]));
}

/** The launch templates by their logical IDs, without the hash. */
function launchTemplatesOf(template: Template): Record<string, Json> {
  return Object.fromEntries(Object.entries(template.findResources('AWS::EC2::LaunchTemplate'))
    .map(([id, { Properties }]) => [id.replace(/[0-9A-F]{8}$/, ''), Properties.LaunchTemplateData]));
}

const types = (...names: string[]) => names.map((name) => new ec2.InstanceType(name));
const LAUNCH_TEMPLATES = ['NodesStatelessLaunchTemplate', 'NodesWorkersLaunchTemplate', 'NodesDatabaseLaunchTemplate'];

test('defaults', () => {
  const { template, pools } = synth();
  const common = {
    AmiType: 'AL2023_x86_64_STANDARD', Subnets: ['subnet-1', 'subnet-2'], Taints: [{ Key: 'dedicated', Value: 'airflow', Effect: 'NO_SCHEDULE' }],
  };
  expect(groupsOf(template)).toEqual({
    'af-stateless': expect.objectContaining({
      ...common,
      CapacityType: 'SPOT',
      InstanceTypes: ['c5a.xlarge', 'c5a.large'],
      ScalingConfig: { MinSize: 2, MaxSize: 2, DesiredSize: 2 },
      Labels: { 'role': 'airflow', 'airflow-deployment': 'airflow', 'type': 'af-stateless', 'lifecycle': 'spot' },
      Tags: { Name: 'prod-airflow-stateless' },
    }),
    'af-stateful': expect.objectContaining({
      ...common,
      CapacityType: 'SPOT',
      InstanceTypes: ['c5a.2xlarge', 'c5.2xlarge', 'm5a.2xlarge'],
      ScalingConfig: { MinSize: 1, MaxSize: 3, DesiredSize: 1 },
      Labels: { 'role': 'airflow', 'airflow-deployment': 'airflow', 'type': 'af-stateful', 'lifecycle': 'spot' },
      Tags: { Name: 'prod-airflow-workers' },
    }),
    'af-db': expect.objectContaining({
      ...common,
      CapacityType: 'ON_DEMAND',
      InstanceTypes: ['c5a.xlarge'],
      ScalingConfig: { MinSize: 1, MaxSize: 1, DesiredSize: 1 },
      Labels: { 'role': 'airflow', 'airflow-deployment': 'airflow', 'type': 'af-db', 'lifecycle': 'on-demand' },
      Tags: { Name: 'prod-airflow-database' },
    }),
  });
  // A fixed name would make each replacement fail.
  Object.values(groupsOf(template)).forEach((group) => expect(group).not.toHaveProperty('NodegroupName'));
  expect([pools.stateless, pools.workers, pools.database].map((group) => group!.nodegroupName).every(Token.isUnresolved)).toBe(true);
  expect([pools.tasksOnSpot, pools.labelled]).toEqual([true, true]);
  const taints = [{ key: 'dedicated', value: 'airflow', effect: eks.TaintEffect.NO_SCHEDULE }];
  expect(pools.placement).toEqual({
    stateless: { labels: { 'role': 'airflow', 'airflow-deployment': 'airflow', 'type': 'af-stateless' }, taints },
    workers: { labels: { 'role': 'airflow', 'airflow-deployment': 'airflow', 'type': 'af-stateful' }, taints },
    database: { labels: { 'role': 'airflow', 'airflow-deployment': 'airflow', 'type': 'af-db' }, taints },
  });
});

test('defaults: a hardened launch template per node group, in both security groups', () => {
  const { template } = synth();
  const templates = launchTemplatesOf(template);
  expect(Object.keys(templates)).toEqual(LAUNCH_TEMPLATES);
  template.allResourcesProperties('AWS::EC2::LaunchTemplate', {
    LaunchTemplateData: {
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { Encrypted: true, VolumeSize: 20, VolumeType: 'gp3' } }],
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      SecurityGroupIds: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^NodesSecurityGroup'), 'GroupId'] }, 'sg-1'],
      KeyName: Match.absent(),
    },
  });
  const used = Object.values(groupsOf(template)).map(({ LaunchTemplate }) => LaunchTemplate.Id.Ref.replace(/[0-9A-F]{8}$/, ''));
  expect(used.sort()).toEqual([...LAUNCH_TEMPLATES].sort());
});

test('defaults: a security group whose nodes reach each other', () => {
  const { template, pools } = synth();
  template.hasResourceProperties('AWS::EC2::SecurityGroup', { GroupDescription: 'Nodes of the Airflow deployment airflow' });
  template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { IpProtocol: '-1', Description: 'Between the nodes of the Airflow deployment' });
  expect(pools.connections.securityGroups).toEqual([pools.securityGroup]);
});

test('custom', () => {
  const { template, pools } = synth((stack) => ({
    workers: {
      instanceTypes: types('m7g.2xlarge', 'm6g.2xlarge'),
      capacityType: eks.CapacityType.ON_DEMAND,
      minSize: 4,
      diskSize: Size.gibibytes(100),
      labels: { team: 'data' },
      tags: { CostCenter: '42' },
      subnets: { subnetFilters: [ec2.SubnetFilter.byIds(['subnet-2'])] },
    },
    database: { amiType: eks.NodegroupAmiType.BOTTLEROCKET_X86_64, capacityType: eks.CapacityType.SPOT, minSize: 0, maxSize: 2, diskSize: Size.gibibytes(50), tags: { Name: 'mine' } },
    keyPair: ec2.KeyPair.fromKeyPairName(stack, 'KeyPair', 'prod'),
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('CloudWatchAgentServerPolicy')],
    clusterAutoscaler: true,
  }));
  const groups = groupsOf(template);
  expect(groups['af-stateful']).toMatchObject({
    AmiType: 'AL2023_ARM_64_STANDARD',
    CapacityType: 'ON_DEMAND',
    InstanceTypes: ['m7g.2xlarge', 'm6g.2xlarge'],
    ScalingConfig: { MinSize: 4, MaxSize: 4 },
    Labels: { 'team': 'data', 'role': 'airflow', 'airflow-deployment': 'airflow', 'type': 'af-stateful', 'lifecycle': 'on-demand' },
    Tags: { Name: 'prod-airflow-workers' },
    Subnets: ['subnet-2'],
  });
  expect(groups['af-db']).toMatchObject({
    AmiType: 'BOTTLEROCKET_x86_64', CapacityType: 'SPOT', ScalingConfig: { MinSize: 0, MaxSize: 2 }, Labels: { lifecycle: 'spot' },
  });
  expect(pools.tasksOnSpot).toBe(false);
  template.allResourcesProperties('AWS::EC2::LaunchTemplate', { LaunchTemplateData: { KeyName: 'prod' } });
  const launchTemplates = Object.values(launchTemplatesOf(template));
  const disks = launchTemplates.map(({ BlockDeviceMappings }) => BlockDeviceMappings.map(({ DeviceName, Ebs }: Json) => `${DeviceName} ${Ebs.VolumeSize}`));
  expect(disks).toEqual([['/dev/xvda 20'], ['/dev/xvda 100'], ['/dev/xvda 4', '/dev/xvdb 50']]);
  const tags = launchTemplates.map(({ TagSpecifications }) => TagSpecifications.map(({ ResourceType, Tags: list }: Json) => [ResourceType, list.map(({ Key, Value }: Json) => `${Key}=${Value}`)]));
  expect(tags).toEqual([['Name=prod-airflow'], ['Name=prod-airflow', 'CostCenter=42'], ['Name=mine']].map((list) => [['instance', list], ['volume', list]]));
  template.hasResourceProperties('AWS::IAM::Role', {
    ManagedPolicyArns: Match.arrayWith([{ 'Fn::Join': ['', Match.arrayWith([':iam::aws:policy/CloudWatchAgentServerPolicy'])] }]),
  });
  template.hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Sid: 'ScaleNodeGroups' })]) } });
});

test('custom: without workers, there are no nodes for them, and the scheduler with its tasks is on On-Demand nodes', () => {
  const local = (nodePools?: AirflowNodePools) => synthAirflow({ executor: AirflowExecutor.LOCAL, nodePools });
  const { airflow: { nodePools }, template } = local();
  expect(Object.entries(groupsOf(template)).map(([type, { CapacityType }]) => [type, CapacityType])).toEqual([['af-stateless', 'ON_DEMAND'], ['af-db', 'ON_DEMAND']]);
  expect(nodePools.workers).toBeUndefined();
  expect(nodePools.placement.workers).toEqual(nodePools.placement.stateless);
  const retries = (pools?: AirflowNodePools) => valuesOf(local(pools).template).config.core?.default_task_retries;
  const spot = { capacityType: eks.CapacityType.SPOT };
  expect(retries()).toBeUndefined();
  expect(retries(AirflowNodePools.managedNodeGroups({ stateless: spot }))).toBe(2);
  expect(retries(AirflowNodePools.managedNodeGroups({ database: spot }))).toBeUndefined();
  const single = local(AirflowNodePools.singleNodeGroup());
  expect(groupsOf(single.template)).toEqual({ 'af-all': expect.objectContaining({ ScalingConfig: { MinSize: 1, MaxSize: 2, DesiredSize: 1 } }) });
  expect(single.airflow.nodePools.workers).toBeUndefined();
});

const outside = (stack: Stack) => AirflowDatabase.fromEndpoint({ host: 'db.example.com', credentials: Secret.fromSecretNameV2(stack, 'Database', 'database') });

test.each<[string, Props, string[]]>([
  ['the database only', { broker: CeleryBroker.elastiCache() }, ['af-stateless', 'af-stateful', 'af-db']],
  ['the broker only', (stack) => ({ database: outside(stack) }), ['af-stateless', 'af-stateful', 'af-db']],
  ['neither, because both are managed', { database: AirflowDatabase.aurora(), broker: CeleryBroker.elastiCache() }, ['af-stateless', 'af-stateful']],
  ['neither, because there is no broker', (stack) => ({ database: outside(stack), executor: AirflowExecutor.KUBERNETES }), ['af-stateless', 'af-stateful']],
  ['neither, and no workers', (stack) => ({ database: outside(stack), executor: AirflowExecutor.LOCAL }), ['af-stateless']],
])('custom: a node group for the database and the broker, if the cluster runs %s', (_name, props, pools) => {
  const { airflow: { nodePools }, template } = synthAirflow(props);
  expect(Object.keys(groupsOf(template))).toEqual(pools);
  expect(nodePools.database !== undefined).toBe(pools.includes('af-db'));
  expect(nodePools.placement.database.labels.type).toBe(pools.includes('af-db') ? 'af-db' : 'af-stateless');
});

test.each<[string, AirflowNodePools]>([
  ['managed node groups', AirflowNodePools.managedNodeGroups({ database: {} })],
  ['Karpenter', AirflowNodePools.karpenter({ database: {} })],
  ['EKS Auto Mode', AirflowNodePools.autoMode({ database: {} })],
  ['existing nodes', AirflowNodePools.existing({ stateless: { labels: {} }, database: { labels: {} }, nodeRole: iam.Role.fromRoleName(new Stack(), 'Nodes', 'nodes') })],
])('fails when there are nodes for a database and a broker that the cluster does not run: %s', (_name, nodePools) => {
  expect(() => synthAirflow({ nodePools, database: AirflowDatabase.aurora(), broker: CeleryBroker.elastiCache() })).toThrow(
    "'nodePools.database' must not be set, because neither the database nor the broker runs in the cluster, got nodes for them; remove it");
});

test('a node group of Spot instances of one type is a warning, and several types are the default', () => {
  const warnings = (nodePools?: AirflowNodePools) =>
    Annotations.fromStack(synthAirflow({ nodePools }).stack).findWarning('*', Match.stringLikeRegexp('Spot')).map(({ entry }) => entry.data);
  const message = (prop: string, type: string) => `'${prop}' has only Spot instances of one instance type (${type}): there are no nodes while EC2 has no`
    + ' capacity of that type; add types of the same size, or use On-Demand instances [ack: airflow-on-eks:singleSpotInstanceType]';
  const capacityType = eks.CapacityType.SPOT;
  expect(warnings()).toEqual([]);
  expect(warnings(AirflowNodePools.managedNodeGroups({ workers: { instanceTypes: types('m7a.xlarge') }, database: { instanceTypes: types('m7a.large') } })))
    .toEqual([message('nodePools.workers', 'm7a.xlarge')]);
  expect(warnings(AirflowNodePools.managedNodeGroups({ workers: { instanceTypes: types('m7a.xlarge', 'm6a.xlarge') } }))).toEqual([]);
  expect(warnings(AirflowNodePools.singleNodeGroup({ capacityType }))).toEqual([]);
  expect(warnings(AirflowNodePools.singleNodeGroup({ capacityType, instanceTypes: types('m7a.xlarge') }))).toEqual([message('nodePools', 'm7a.xlarge')]);
  const one = { instanceFamilies: ['m7a'], instanceSizes: ['xlarge'] };
  expect(warnings(AirflowNodePools.karpenter({ stateless: one, workers: { ...one, capacityTypes: [capacityType] } }))).toEqual([message('nodePools.workers', 'm7a.xlarge')]);
  expect(warnings(AirflowNodePools.karpenter({ workers: { instanceFamilies: ['m7a'], capacityTypes: [capacityType] } }))).toEqual([]);
});

test('custom: workers on On-Demand nodes leave the number of retries to Airflow', () => {
  const workers = { capacityType: eks.CapacityType.ON_DEMAND };
  const config = (nodePools?: AirflowNodePools) => valuesOf(synthCommunity({ nodePools }).template).airflow.config;
  expect(config(AirflowNodePools.managedNodeGroups({ workers }))).not.toHaveProperty('AIRFLOW__CORE__DEFAULT_TASK_RETRIES');
  expect(config(AirflowNodePools.managedNodeGroups({ stateless: workers }))).toHaveProperty('AIRFLOW__CORE__DEFAULT_TASK_RETRIES', '2');
});

// A node group cannot change to another launch template, and a template with another ID is another one.
test('no change of a node group changes the ID of its launch template', () => {
  const ids = (options: ManagedNodeGroupsOptions) => Object.keys(synth(options).template.findResources('AWS::EC2::LaunchTemplate'));
  const pool: NodePoolOptions = { diskSize: Size.gibibytes(100), instanceTypes: types('m7g.large'), capacityType: eks.CapacityType.ON_DEMAND, minSize: 3 };
  expect(ids({ stateless: pool, workers: pool, database: pool, clusterAutoscaler: true })).toEqual(ids({}));
  expect(ids({}).join()).not.toContain('20');
});

// EKS refuses to change the tags of a node group and the version of its launch template in one update.
test('tags of the stack do not change launch templates', () => {
  const withTags = (tags: Record<string, string>) => {
    const stack = newStack();
    Object.entries(tags).forEach(([key, value]) => Tags.of(stack).add(key, value));
    new ManagedNodeGroups(stack, 'Nodes', { cluster: importedCluster(stack), namespace: 'airflow', hasWorkers: true, hasDatabase: true });
    return Template.fromStack(stack);
  };
  const [before, after] = [withTags({}), withTags({ CostCenter: '42' })];
  expect(launchTemplatesOf(after)).toEqual(launchTemplatesOf(before));
  expect(groupsOf(after)['af-db'].Tags).toEqual({ Name: 'prod-airflow-database', CostCenter: '42' });
});

test.each<[string, NodePoolOptions, string]>([
  ['Graviton', { instanceTypes: types('m7g.large') }, 'AL2023_ARM_64_STANDARD'],
  ['a GPU', { instanceTypes: types('g5.xlarge'), amiType: eks.NodegroupAmiType.AL2023_X86_64_NVIDIA }, 'AL2023_x86_64_NVIDIA'],
  ['Bottlerocket on Graviton', { instanceTypes: types('m7g.large'), amiType: eks.NodegroupAmiType.BOTTLEROCKET_ARM_64_FIPS }, 'BOTTLEROCKET_ARM_64_FIPS'],
  ['an instance type that is a token', { instanceTypes: types(Token.asString({ Ref: 'Type' })) }, 'AL2023_x86_64_STANDARD'],
  ['a disk size that is a token', { diskSize: Size.gibibytes(Token.asNumber({ Ref: 'Size' })) }, 'AL2023_x86_64_STANDARD'],
])('the AMI type for %s', (_name, workers, amiType) => {
  expect(groupsOf(synth({ workers }).template)['af-stateful'].AmiType).toBe(amiType);
});

test('pools of two deployments in one cluster do not collide', () => {
  const stack = new Stack(newApp(), 'Data');
  const cluster = CLUSTERS['aws-eks, owned'](stack);
  new ManagedNodeGroups(stack, 'One', { cluster, namespace: 'one', hasWorkers: true, hasDatabase: true });
  new ManagedNodeGroups(stack, 'Two', { cluster, namespace: 'two', hasWorkers: true, hasDatabase: true });
  Template.fromStack(stack).resourceCountIs('AWS::EKS::Nodegroup', 6);
});

test('sizes may be tokens', () => {
  const [minSize, maxSize] = ['Min', 'Max'].map((name) => Token.asNumber({ Ref: name }));
  const { template } = synth({ workers: { minSize, maxSize } });
  expect(groupsOf(template)['af-stateful'].ScalingConfig).toMatchObject({ MinSize: { Ref: 'Min' }, MaxSize: { Ref: 'Max' } });
});

test.each<[string, ManagedNodeGroupsOptions, string]>([
  ['maxSize is below minSize', { workers: { minSize: 2, maxSize: 1 } }, "'nodePools.workers.maxSize' must be at least 'nodePools.workers.minSize' (2), got 1"],
  ['maxSize is below the default of minSize', { stateless: { maxSize: 1 } },
    "'nodePools.stateless.maxSize' must be at least 'nodePools.stateless.minSize' (2), got 1"],
  ['maxSize is 0', { database: { minSize: 0, maxSize: 0 } }, "'nodePools.database.maxSize' must be at least 1, got 0"],
  ['maxSize is not a whole number', { database: { maxSize: 1.5 } }, "'nodePools.database.maxSize' must be a whole number of at least 1, got 1.5"],
  ['minSize is negative', { database: { minSize: -1 } }, "'nodePools.database.minSize' must be a whole number of at least 0, got -1"],
  ['CPU architectures are mixed', { workers: { instanceTypes: types('c5a.large', 'c7g.large') } },
    "'nodePools.workers.instanceTypes' must be of one CPU architecture, got c5a.large (x86_64), c7g.large (arm64)"],
  ['CPU architectures are mixed, although the AMI type is set',
    { workers: { instanceTypes: types('c5a.large', 'c7g.large'), amiType: eks.NodegroupAmiType.AL2023_ARM_64_STANDARD } },
    "'nodePools.workers.instanceTypes' must be of one CPU architecture, got c5a.large (x86_64), c7g.large (arm64)"],
  ['the AMI type is for another CPU architecture than the default instance types', { workers: { amiType: eks.NodegroupAmiType.BOTTLEROCKET_ARM_64 } },
    "'nodePools.workers.amiType' must be for the CPU architecture of 'nodePools.workers.instanceTypes',"
    + ' got BOTTLEROCKET_ARM_64 and c5a.2xlarge (x86_64), c5.2xlarge (x86_64), m5a.2xlarge (x86_64)'],
  ...([
    [eks.NodegroupAmiType.AL2_X86_64, 'Amazon Linux 2 has reached end of life'],
    [eks.NodegroupAmiType.WINDOWS_CORE_2022_X86_64, 'Airflow does not run on Windows'],
    ['CUSTOM' as eks.NodegroupAmiType, 'nothing would start the kubelet of an AMI of your own; create a node group yourself, and use AirflowNodePools.existing()'],
  ] as const).map(([amiType, reason]): [string, ManagedNodeGroupsOptions, string] => [`the AMI type is ${amiType}`, { database: { amiType } },
    `'nodePools.database.amiType' must be an AMI type of Amazon Linux 2023 or Bottlerocket, got ${amiType}; ${reason}`]),
  ['the disk is smaller than the AMI', { workers: { diskSize: Size.gibibytes(19) } }, "'nodePools.workers.diskSize' must be at least 20 GiB, the size of the AMI, got 19 GiB"],
  ['the disk is smaller than the AMI, in another unit', { workers: { diskSize: Size.mebibytes(512) } },
    "'nodePools.workers.diskSize' must be at least 20 GiB, the size of the AMI, got 0.5 GiB"],
  ['the disk is not a whole number of GiB', { workers: { diskSize: Size.mebibytes(20 * 1024 + 1) } },
    "'nodePools.workers.diskSize' must be a whole number of GiB, got 20481 MiB"],
  ['there are no instance types', { workers: { instanceTypes: [] } }, "'nodePools.workers.instanceTypes' must be of one CPU architecture, got no types"],
  ...['role', 'airflow-deployment', 'type', 'lifecycle'].map((label): [string, ManagedNodeGroupsOptions, string] => [`the label '${label}' is set`, { database: { labels: { [label]: 'big' } } },
    `'nodePools.database.labels' must not contain '${label}' (got 'big'), which places the pods of Airflow; use another key`]),
])('fails when %s', (_name, options, message) => {
  expect(() => synth(options)).toThrow(new Error(`Data/Nodes: ${message}`));
});

describe('a single node group', () => {
  const single = (options?: SingleNodeGroupOptions) => synthAirflow({ nodePools: AirflowNodePools.singleNodeGroup(options) });

  test('defaults: two On-Demand nodes for all pods, of which one is enough if tasks run in the scheduler', () => {
    const { airflow, template } = single();
    template.resourceCountIs('AWS::EKS::Nodegroup', 1);
    template.hasResourceProperties('AWS::EKS::Nodegroup', {
      CapacityType: 'ON_DEMAND',
      InstanceTypes: ['m6a.xlarge', 'm5a.xlarge', 'm6i.xlarge'],
      ScalingConfig: { MinSize: 2, MaxSize: 2, DesiredSize: 2 },
      Labels: { 'role': 'airflow', 'airflow-deployment': 'airflow', 'type': 'af-all', 'lifecycle': 'on-demand' },
    });
    const { stateless, workers, database, placement } = airflow.nodePools;
    expect([workers, database]).toEqual([stateless, stateless]);
    expect([placement.workers, placement.database]).toEqual([placement.stateless, placement.stateless]);
    expect(placement.stateless.labels.type).toBe('af-all');
  });

  test('custom: options of the group and of its role', () => {
    const { template } = single({
      instanceTypes: [new ec2.InstanceType('t3.xlarge')], capacityType: eks.CapacityType.SPOT, minSize: 2, maxSize: 3, clusterAutoscaler: true,
    });
    template.hasResourceProperties('AWS::EKS::Nodegroup', { CapacityType: 'SPOT', InstanceTypes: ['t3.xlarge'], ScalingConfig: { MinSize: 2, MaxSize: 3 } });
    template.hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Sid: 'ScaleNodeGroups' })]) } });
  });

  test('fails when the maximum is below the minimum', () => {
    expect(() => single({ minSize: 3, maxSize: 2 })).toThrow("Data/Airflow/NodePools: 'nodePools.maxSize' must be at least 'nodePools.minSize' (3), got 2");
  });
});
