import { Size, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import { CLUSTERS, importedCluster, Json, newStack, synthAirflow, valuesOf, newApp } from './util';
import { NodePools, NodePoolsOptions } from '../src';

function synth(options: NodePoolsOptions = {}): { pools: NodePools; template: Template; stack: Stack } {
  const stack = newStack();
  const pools = new NodePools(stack, 'Nodes', { cluster: importedCluster(stack), ...options });
  return { pools, template: Template.fromStack(stack), stack };
}

/** The node groups by their label `type`. */
function groupsOf(template: Template): Record<string, Json> {
  return Object.fromEntries(Object.values(template.findResources('AWS::EKS::Nodegroup')).map(({ Properties }) => [Properties.Labels.type, Properties]));
}

const types = (...names: string[]) => names.map((name) => new ec2.InstanceType(name));

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
      Labels: { role: 'airflow', type: 'af-stateless', lifecycle: 'spot' },
      Tags: { Name: 'prod-airflow-stateless' },
    }),
    'af-stateful': expect.objectContaining({
      ...common,
      CapacityType: 'SPOT',
      InstanceTypes: ['c5a.2xlarge', 'c5.2xlarge', 'm5a.2xlarge'],
      ScalingConfig: { MinSize: 1, MaxSize: 3, DesiredSize: 1 },
      Labels: { role: 'airflow', type: 'af-stateful', lifecycle: 'spot' },
      Tags: { Name: 'prod-airflow-workers' },
    }),
    'af-db': expect.objectContaining({
      ...common,
      CapacityType: 'ON_DEMAND',
      InstanceTypes: ['c5a.xlarge'],
      ScalingConfig: { MinSize: 1, MaxSize: 1, DesiredSize: 1 },
      Labels: { role: 'airflow', type: 'af-db', lifecycle: 'on-demand' },
      Tags: { Name: 'prod-airflow-database' },
    }),
  });
  // A fixed name would make each replacement fail.
  Object.values(groupsOf(template)).forEach((group) => expect(group).not.toHaveProperty('NodegroupName'));
  expect(pools.placement.workers).toEqual({
    labels: { role: 'airflow', type: 'af-stateful' }, tolerations: [{ key: 'dedicated', value: 'airflow', effect: 'NoSchedule' }],
  });
});

test('defaults: one launch template, hardened, in both security groups', () => {
  const { template } = synth();
  template.resourceCountIs('AWS::EC2::LaunchTemplate', 1);
  template.hasResourceProperties('AWS::EC2::LaunchTemplate', {
    LaunchTemplateData: {
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { Encrypted: true, VolumeSize: 20, VolumeType: 'gp3' } }],
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      SecurityGroupIds: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^NodesSecurityGroup'), 'GroupId'] }, 'sg-1'],
      KeyName: Match.absent(),
    },
  });
});

test('defaults: a node has what a node needs, and nothing of Airflow', () => {
  const { template } = synth();
  const [role] = Object.values(template.findResources('AWS::IAM::Role'));
  expect(role.Properties.ManagedPolicyArns.map((arn: Json) => arn['Fn::Join'][1].at(-1))).toEqual([
    ':iam::aws:policy/AmazonEKSWorkerNodePolicy', ':iam::aws:policy/AmazonEKS_CNI_Policy',
    ':iam::aws:policy/AmazonEC2ContainerRegistryPullOnly', ':iam::aws:policy/AmazonSSMManagedInstanceCore',
  ]);
  template.resourceCountIs('AWS::IAM::Policy', 0);
});

test('custom', () => {
  const stack = newStack();
  new NodePools(stack, 'Nodes', {
    cluster: importedCluster(stack),
    workers: {
      instanceTypes: types('m7g.2xlarge', 'm6g.2xlarge'),
      capacityType: eks.CapacityType.ON_DEMAND,
      minSize: 4,
      diskSize: Size.gibibytes(100),
      labels: { team: 'data' },
      tags: { CostCenter: '42' },
      subnets: { subnetFilters: [ec2.SubnetFilter.byIds(['subnet-2'])] },
    },
    database: { amiType: eks.NodegroupAmiType.BOTTLEROCKET_X86_64, minSize: 0, maxSize: 2 },
    keyPair: ec2.KeyPair.fromKeyPairName(stack, 'KeyPair', 'prod'),
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('CloudWatchAgentServerPolicy')],
    clusterAutoscaler: true,
  });
  const template = Template.fromStack(stack);
  const groups = groupsOf(template);
  expect(groups['af-stateful']).toMatchObject({
    AmiType: 'AL2023_ARM_64_STANDARD',
    CapacityType: 'ON_DEMAND',
    InstanceTypes: ['m7g.2xlarge', 'm6g.2xlarge'],
    ScalingConfig: { MinSize: 4, MaxSize: 4 },
    Labels: { team: 'data', role: 'airflow', type: 'af-stateful', lifecycle: 'on-demand' },
    Tags: { CostCenter: '42', Name: 'prod-airflow-workers' },
    Subnets: ['subnet-2'],
  });
  expect(groups['af-db']).toMatchObject({ AmiType: 'BOTTLEROCKET_x86_64', ScalingConfig: { MinSize: 0, MaxSize: 2 } });
  template.resourceCountIs('AWS::EC2::LaunchTemplate', 2);
  template.allResourcesProperties('AWS::EC2::LaunchTemplate', { LaunchTemplateData: { KeyName: 'prod' } });
  template.hasResourceProperties('AWS::EC2::LaunchTemplate', { LaunchTemplateData: { BlockDeviceMappings: [{ Ebs: { VolumeSize: 100 } }] } });
  template.hasResourceProperties('AWS::IAM::Role', {
    ManagedPolicyArns: Match.arrayWith([{ 'Fn::Join': ['', Match.arrayWith([':iam::aws:policy/CloudWatchAgentServerPolicy'])] }]),
  });
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: Match.arrayWith([Match.objectLike({ Sid: 'ScaleNodeGroups', Condition: { StringEquals: { 'aws:ResourceTag/eks:cluster-name': 'prod' } } })]),
    },
  });
});

test('nodes of an IPv6 cluster may give addresses to pods', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  Object.defineProperty(cluster, 'ipFamily', { value: eks.IpFamily.IP_V6 });
  new NodePools(stack, 'Nodes', { cluster });
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement: [Match.objectLike({ Sid: 'PodAddresses' })] } });
});

test('pools of one cluster that is imported twice do not collide', () => {
  const stack = new Stack(newApp(), 'Data');
  const cluster = CLUSTERS['aws-eks, owned'](stack);
  new NodePools(stack, 'One', { cluster });
  new NodePools(stack, 'Two', { cluster });
  Template.fromStack(stack).resourceCountIs('AWS::EKS::Nodegroup', 6);
});

test('existing nodes: none are made, all pods go to the ones of stateless, and the driver to all', () => {
  const { airflow, template } = synthAirflow((stack) => ({
    existingNodes: {
      stateless: { labels: { team: 'data' }, tolerations: [{ key: 'data' }] },
      nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes'),
    },
  }));
  template.resourceCountIs('AWS::EKS::Nodegroup', 0);
  template.resourceCountIs('AWS::EC2::LaunchTemplate', 0);
  expect(airflow.nodePools).toBeUndefined();
  const tolerations = [{ key: 'data', operator: 'Exists' }];
  const values = valuesOf(template);
  expect([values.airflow.defaultTolerations, values.workers.tolerations, values.postgresql.master.tolerations])
    .toEqual([tolerations, tolerations, tolerations]);
  expect(values.airflow.config).not.toHaveProperty('AIRFLOW__CORE__DEFAULT_TASK_RETRIES');
  expect(valuesOf(template, 'aws-efs-csi-driver')).not.toHaveProperty('node');
  // The way to the file system is from the cluster's own security group.
  template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { SourceSecurityGroupId: 'sg-1', FromPort: 2049, ToPort: 2049 });
});

test.each<[string, NodePoolsOptions, string]>([
  ['maxSize is below minSize', { workers: { minSize: 2, maxSize: 1 } }, "Data/Nodes: 'workers.maxSize' must be at least 'workers.minSize' (2), got 1"],
  ['maxSize is below the default of minSize', { stateless: { maxSize: 1 } }, "Data/Nodes: 'stateless.maxSize' must be at least 'stateless.minSize' (2), got 1"],
  ['maxSize is 0', { database: { minSize: 0, maxSize: 0 } }, "Data/Nodes: 'database.maxSize' must be at least 1, got 0"],
  ['minSize is negative', { database: { minSize: -1 } }, "Data/Nodes: 'database.minSize' must be a whole number of nodes, got -1"],
  ['CPU architectures are mixed', { workers: { instanceTypes: types('c5a.large', 'c7g.large') } },
    "Data/Nodes: 'workers.instanceTypes' must be of one CPU architecture, got c5a.large (x86_64), c7g.large (arm64)"],
  ['there are no instance types', { workers: { instanceTypes: [] } }, "Data/Nodes: 'workers.instanceTypes' must be of one CPU architecture, got none"],
  ['a label is one of ours', { database: { labels: { type: 'big' } } },
    "Data/Nodes: 'database.labels' must not have 'type' (got 'big'): it places Airflow's pods; use another key"],
])('fails when %s', (_name, options, message) => {
  expect(() => synth(options)).toThrow(new Error(message));
});
