import { KubectlV29Layer } from '@aws-cdk/lambda-layer-kubectl-v29';
import { Size } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AirflowDatabase, AirflowExecutor, AirflowLogs, AirflowNodePools, AirflowOnEks, AutoModeOptions, CeleryBroker, KarpenterOptions } from '../../src';
import { newStack, objectsOf, synthAirflow, synthCommunity, valuesOf } from '../util';

const karpenter = (options?: KarpenterOptions) => synthAirflow({ nodePools: AirflowNodePools.karpenter(options) });
const autoMode = (options?: AutoModeOptions) => synthAirflow({ nodePools: AirflowNodePools.autoMode(options) });

/** The requirements of a NodePool, by the last part of their keys. */
function requirementsOf(template: Template, name: string) {
  const { spec } = objectsOf(template, 'NodePool').find(({ metadata }) => metadata.name === name)!;
  return Object.fromEntries(spec.template.spec.requirements.map(({ key, values }: { key: string; values: string[] }) => [key.split('/')[1], values.join()]));
}

describe('Karpenter', () => {
  test('defaults: three NodePools with the labels and the taint of Airflow, of one node class', () => {
    const { airflow, template } = karpenter();
    template.resourceCountIs('AWS::EKS::Nodegroup', 0);
    const pools = objectsOf(template, 'NodePool');
    expect(pools.map(({ metadata }) => metadata.name)).toEqual(['airflow-stateless', 'airflow-workers', 'airflow-database']);
    const { stateless, workers, database } = airflow.nodePools.placement;
    expect(pools.map(({ spec }) => spec.template.metadata.labels)).toEqual([stateless.labels, workers.labels, database.labels]);
    for (const { spec } of pools) {
      expect(spec.template.spec.taints).toEqual([{ key: 'dedicated', value: 'airflow', effect: 'NoSchedule' }]);
      expect(spec.template.spec.nodeClassRef).toEqual({ group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'airflow' });
      expect(spec.template.spec.terminationGracePeriod).toBe('24h');
    }
    expect(pools.map(({ spec }) => [spec.disruption.consolidationPolicy, spec.limits.cpu]))
      .toEqual([['WhenEmptyOrUnderutilized', 32], ['WhenEmpty', 256], ['WhenEmpty', 16]]);
    expect(requirementsOf(template, 'airflow-stateless')).toEqual({
      'os': 'linux',
      'arch': 'amd64',
      'capacity-type': 'spot,on-demand',
      'instance-category': 'c,m,r',
      'instance-generation': '4',
      'instance-size': 'large,xlarge,2xlarge',
    });
    expect(requirementsOf(template, 'airflow-workers')).toMatchObject({ 'capacity-type': 'spot,on-demand', 'instance-size': 'xlarge,2xlarge,4xlarge' });
    expect(requirementsOf(template, 'airflow-database')).toMatchObject({ 'capacity-type': 'on-demand', 'instance-size': 'large,xlarge,2xlarge' });
  });

  test('defaults: the node class has a role, a security group, private subnets and an encrypted disk', () => {
    const { airflow, stack, template } = karpenter();
    const [{ metadata, spec }] = objectsOf(template, 'EC2NodeClass');
    expect(metadata.name).toBe('airflow');
    expect(spec).toMatchObject({
      amiSelectorTerms: [{ alias: 'al2023@latest' }],
      subnetSelectorTerms: [{ id: 'subnet-1' }, { id: 'subnet-2' }],
      blockDeviceMappings: [{ deviceName: '/dev/xvda', ebs: { volumeSize: '20Gi', volumeType: 'gp3', encrypted: true } }],
      metadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
    });
    expect(spec.securityGroupSelectorTerms).toHaveLength(2);
    expect(spec.securityGroupSelectorTerms[1]).toEqual({ id: 'sg-1' });
    template.hasResourceProperties('AWS::EKS::AccessEntry', {
      ClusterName: 'prod', Type: 'EC2_LINUX', AccessPolicies: Match.absent(), PrincipalArn: stack.resolve(airflow.nodePools.role.roleArn),
    });
  });

  test('defaults: nodes can join the cluster until the last NodePool is gone', () => {
    const { template } = karpenter();
    const [entry] = Object.keys(template.findResources('AWS::EKS::AccessEntry'));
    const manifests = Object.entries(template.findResources('Custom::AWSCDK-EKS-KubernetesResource', { Properties: { Manifest: Match.anyValue() } }));
    const pools = manifests.filter(([id]) => id.startsWith('AirflowNodePools'));
    expect(pools).toHaveLength(1);
    expect(pools[0][1].DependsOn).toContain(entry);
  });

  test('custom: instances, limits and disk', () => {
    const { template } = karpenter({
      workers: {
        instanceFamilies: ['m7g', 'c7g'],
        instanceSizes: ['4xlarge'],
        architecture: ec2.InstanceArchitecture.ARM_64,
        capacityTypes: [eks.CapacityType.ON_DEMAND],
        maxVcpus: 64,
      },
      diskSize: Size.gibibytes(50),
      amiAlias: 'bottlerocket@v1.40.0',
      subnets: { subnetFilters: [ec2.SubnetFilter.byIds(['subnet-2'])] },
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('AmazonS3ReadOnlyAccess')],
    });
    expect(requirementsOf(template, 'airflow-workers'))
      .toEqual({ 'os': 'linux', 'arch': 'arm64', 'capacity-type': 'on-demand', 'instance-family': 'm7g,c7g', 'instance-size': '4xlarge' });
    expect(objectsOf(template, 'NodePool')[1].spec.limits).toEqual({ cpu: 64 });
    const [{ spec }] = objectsOf(template, 'EC2NodeClass');
    expect(spec.blockDeviceMappings).toMatchObject([{ deviceName: '/dev/xvdb', ebs: { volumeSize: '50Gi' } }]);
    expect(spec.subnetSelectorTerms).toEqual([{ id: 'subnet-2' }]);
    expect(JSON.stringify(template.toJSON())).toContain('AmazonS3ReadOnlyAccess');
  });

  test('custom: On-Demand workers have no retries, Spot workers have two', () => {
    const retriesOf = (capacityType: eks.CapacityType) =>
      valuesOf(synthCommunity({ nodePools: AirflowNodePools.karpenter({ workers: { capacityTypes: [capacityType] } }) }).template)
        .airflow.config.AIRFLOW__CORE__DEFAULT_TASK_RETRIES;
    expect([retriesOf(eks.CapacityType.SPOT), retriesOf(eks.CapacityType.ON_DEMAND)]).toEqual(['2', undefined]);
  });

  test('custom: an existing node class, whose role mounts the file system', () => {
    const { airflow, template } = synthAirflow((stack) => ({
      nodePools: AirflowNodePools.karpenter({
        nodeClass: {
          name: 'default',
          nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes'),
          securityGroup: ec2.SecurityGroup.fromSecurityGroupId(stack, 'Nodes', 'sg-9'),
        },
      }),
    }));
    expect(objectsOf(template, 'EC2NodeClass')).toEqual([]);
    expect(objectsOf(template, 'NodePool')[0].spec.template.spec.nodeClassRef.name).toBe('default');
    template.resourceCountIs('AWS::EKS::AccessEntry', 0);
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { SourceSecurityGroupId: 'sg-9', FromPort: 2049 });
    expect(airflow.nodePools.role.roleName).toBe('nodes');
    template.hasResourceProperties('AWS::IAM::Policy', { Roles: ['nodes'] });
  });

  test.each([AirflowNodePools.karpenter(), AirflowNodePools.autoMode()])('custom: without workers, two NodePools, both On-Demand', (nodePools) => {
    const { airflow, template } = synthAirflow({ nodePools, executor: AirflowExecutor.LOCAL });
    expect(objectsOf(template, 'NodePool').map(({ metadata }) => metadata.name)).toEqual(['airflow-stateless', 'airflow-database']);
    expect(requirementsOf(template, 'airflow-stateless')).toHaveProperty('capacity-type', 'on-demand');
    expect(airflow.nodePools.placement.workers).toEqual(airflow.nodePools.placement.stateless);
    expect(valuesOf(template).config.core).toBeUndefined();
  });

  test('custom: without database and broker in the cluster, two NodePools', () => {
    const { airflow, template } = synthAirflow({
      nodePools: AirflowNodePools.karpenter(), database: AirflowDatabase.aurora(), broker: CeleryBroker.elastiCache(),
    });
    expect(objectsOf(template, 'NodePool').map(({ metadata }) => metadata.name)).toEqual(['airflow-stateless', 'airflow-workers']);
    expect(airflow.nodePools.placement.database).toEqual(airflow.nodePools.placement.stateless);
  });

  test('custom: the controller may pass the role', () => {
    const { template, stack, airflow } = synthAirflow((scope) => ({
      nodePools: AirflowNodePools.karpenter({ controllerRole: iam.Role.fromRoleName(scope, 'Controller', 'karpenter') }),
    }));
    template.hasResourceProperties('AWS::IAM::Policy', {
      Roles: ['karpenter'],
      PolicyDocument: { Statement: [{ Action: 'iam:PassRole', Effect: 'Allow', Resource: stack.resolve(airflow.nodePools.role.roleArn) }] },
    });
  });

  test.each<[string, KarpenterOptions, string]>([
    ['a family has a size', { workers: { instanceFamilies: ['m7i.large'] } }, "'nodePools.workers.instanceFamilies' must be instance families such as 'm7i', got 'm7i.large'"],
    ['a size is none', { stateless: { instanceSizes: ['big'] } }, "'nodePools.stateless.instanceSizes' must be instance sizes such as 'xlarge', got 'big'"],
    ['a family has another architecture', { workers: { instanceFamilies: ['m7i', 'm7g'] } },
      "'nodePools.workers.instanceFamilies' must have the architecture of 'nodePools.workers.architecture' (x86_64), got 'm7g'"],
    ['a list is text', { workers: { instanceFamilies: 'm7i' as any } }, "'nodePools.workers.instanceFamilies' must be a list, got 'm7i'"],
    ['a list is empty', { database: { capacityTypes: [] } }, "'nodePools.database.capacityTypes' must have at least one item, got none; omit it for the default"],
    ['capacity is a block', { workers: { capacityTypes: [eks.CapacityType.CAPACITY_BLOCK] } }, "'nodePools.workers.capacityTypes' must be SPOT or ON_DEMAND, got CAPACITY_BLOCK"],
    ['there are no vCPUs', { workers: { maxVcpus: 0 } }, "'nodePools.workers.maxVcpus' must be a whole number of at least 1, got 0"],
    ['the disk is too small', { diskSize: Size.gibibytes(8) }, "'nodePools.diskSize' must be a whole number of GiB of at least 20, got 8 GiB"],
    ['the disk is no whole GiB', { diskSize: Size.mebibytes(20500) }, "'nodePools.diskSize' must be a whole number of GiB of at least 20, got 20.01953125 GiB"],
    ['the image is not supported', { amiAlias: 'al2@latest' }, "'nodePools.amiAlias' must be 'al2023@' or 'bottlerocket@', and a version or 'latest', got 'al2@latest'"],
  ])('fails when %s', (_name, options, message) => {
    expect(() => karpenter(options)).toThrow(message);
  });

  test('fails when the VPC has no private subnets', () => {
    const stack = newStack();
    const vpc = new ec2.Vpc(stack, 'Vpc', { natGateways: 0, subnetConfiguration: [{ name: 'Public', subnetType: ec2.SubnetType.PUBLIC }] });
    const cluster = new eks.Cluster(stack, 'Cluster', {
      version: eks.KubernetesVersion.V1_33,
      vpc,
      vpcSubnets: [{ subnetType: ec2.SubnetType.PUBLIC }],
      defaultCapacity: 0,
      kubectlLayer: new KubectlV29Layer(stack, 'Kubectl'),
      authenticationMode: eks.AuthenticationMode.API,
    });
    const nodePools = AirflowNodePools.karpenter();
    expect(() => new AirflowOnEks(stack, 'Airflow', { cluster, nodePools })).toThrow(
      "Data/Airflow/NodePools: 'nodePools.subnets' must be set, because the VPC of the cluster has no private subnets");
    expect(() => new AirflowOnEks(stack, 'Other', {
      cluster, namespace: 'other', database: AirflowDatabase.rds(), logs: AirflowLogs.inBucket(), nodePools: AirflowNodePools.karpenter({ subnets: { subnetType: ec2.SubnetType.PUBLIC } }),
    })).toThrow(
      "Data/Other: 'database.subnets' must be set, because the VPC of the cluster has no private subnets");
  });

  test('fails when an option of a new node class is given beside an existing one', () => {
    expect(() => synthAirflow((stack) => ({
      nodePools: AirflowNodePools.karpenter({
        nodeClass: { name: 'default', nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes') }, diskSize: Size.gibibytes(50),
      }),
    }))).toThrow("'nodePools.diskSize' is an option of a new node class, and has no effect on 'default' of 'nodePools.nodeClass'; omit one of them");
  });

  test('fails when the cluster has no access entries', () => {
    const stack = newStack();
    const cluster = new eks.Cluster(stack, 'Cluster', {
      version: eks.KubernetesVersion.V1_33, defaultCapacity: 0, kubectlLayer: new KubectlV29Layer(stack, 'Kubectl'),
    });
    expect(() => new AirflowOnEks(stack, 'Airflow', { cluster, nodePools: AirflowNodePools.karpenter() }))
      .toThrow("create it with 'authenticationMode' API or API_AND_CONFIG_MAP, got CONFIG_MAP");
  });
});

describe('EKS Auto Mode', () => {
  test('defaults: three NodePools of a node class of EKS', () => {
    const { template } = autoMode();
    for (const { spec } of objectsOf(template, 'NodePool')) {
      expect(spec.template.spec.nodeClassRef).toEqual({ group: 'eks.amazonaws.com', kind: 'NodeClass', name: 'airflow' });
      const domains = spec.template.spec.requirements.map(({ key }: { key: string }) => key.split('/')[0]);
      expect([...new Set(domains)]).toEqual(['kubernetes.io', 'karpenter.sh', 'eks.amazonaws.com']);
    }
    const [{ apiVersion, spec }] = objectsOf(template, 'NodeClass');
    expect(apiVersion).toBe('eks.amazonaws.com/v1');
    expect(spec).toMatchObject({ subnetSelectorTerms: [{ id: 'subnet-1' }, { id: 'subnet-2' }], ephemeralStorage: { size: '20Gi' } });
    template.hasResourceProperties('AWS::EKS::AccessEntry', { Type: 'EC2', AccessPolicies: [{ AccessScope: { Type: 'cluster' }, PolicyArn: Match.anyValue() }] });
    template.hasResourceProperties('AWS::IAM::Role', {
      ManagedPolicyArns: [
        { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('AmazonEKSWorkerNodeMinimalPolicy$')])] },
        { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('AmazonEC2ContainerRegistryPullOnly$')])] },
      ],
    });
  });

  test('defaults: the Ingress is of a class of its own', () => {
    const { template } = synthAirflow({ nodePools: AirflowNodePools.autoMode(), ingress: {} });
    expect(objectsOf(template, 'Ingress')[0].spec.ingressClassName).toBe('airflow-alb');
  });

  test('custom: the node class that EKS creates', () => {
    const { template } = synthAirflow((stack) => ({
      nodePools: AirflowNodePools.autoMode({ nodeClass: { name: 'default', nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes') } }),
    }));
    expect(objectsOf(template, 'NodeClass')).toEqual([]);
    template.resourceCountIs('AWS::EKS::AccessEntry', 0);
  });
});
