import { Lazy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { textOf } from '../../examples/assembly';
import { AirflowOnEksProps, AirflowSecret, CeleryBroker } from '../../src';
import { writtenSecrets } from '../chart/templates';
import { objectsOf, remoteSecret, resourcesOf, synthAirflow, synthCommunity } from '../util';

const elastiCache = (options = {}, props: Partial<AirflowOnEksProps> = {}) => synthAirflow({ broker: CeleryBroker.elastiCache(options), ...props });

test.each([['official', synthAirflow], ['community', synthCommunity]])('defaults: two encrypted nodes in two zones: %s', (_name, synth) => {
  const { airflow, stack, template } = synth({ broker: CeleryBroker.elastiCache() });
  const [group] = resourcesOf(template, 'AWS::ElastiCache::ReplicationGroup');
  expect(group).toMatchObject({
    Engine: 'valkey',
    EngineVersion: '8.2',
    CacheNodeType: 'cache.t4g.small',
    NumCacheClusters: 2,
    MultiAZEnabled: true,
    AutomaticFailoverEnabled: true,
    ClusterMode: 'disabled',
    AtRestEncryptionEnabled: true,
    TransitEncryptionEnabled: true,
    TransitEncryptionMode: 'required',
  });
  expect(stack.resolve(airflow.broker!.replicationGroup!.authToken)).toEqual({
    'Fn::Join': ['', ['{{resolve:secretsmanager:', stack.resolve(airflow.secrets.brokerPassword!.secretArn), ':SecretString:::}}']],
  });
  expect(resourcesOf(template, 'AWS::ElastiCache::SubnetGroup')[0].SubnetIds).toEqual(['subnet-1', 'subnet-2']);
  expect(resourcesOf(template, 'AWS::ElastiCache::ParameterGroup')[0]).toMatchObject({
    CacheParameterGroupFamily: 'valkey8', Properties: { 'maxmemory-policy': 'noeviction' },
  });
  expect(objectsOf(template, 'StatefulSet').filter(({ metadata }) => metadata.name.endsWith('valkey'))).toEqual([]);
});

test('defaults: the URL demands a certificate for the name of the primary node', () => {
  const { airflow, stack, template } = elastiCache();
  const { connection } = writtenSecrets(template, () => 'a/b')['airflow-broker-url'];
  const group = stack.getLogicalId(airflow.broker!.replicationGroup!);
  expect(connection).toBe(`rediss://:a%2Fb@<${group}.PrimaryEndPoint.Address>:6379/0?ssl_cert_reqs=required&ssl_check_hostname=true`);
  expect(stack.resolve(airflow.broker!.hostname)).toEqual({ 'Fn::GetAtt': [group, 'PrimaryEndPoint.Address'] });
});

test('defaults: only the nodes of Airflow can connect', () => {
  const { airflow, stack, template } = elastiCache();
  const [group] = resourcesOf(template, 'AWS::ElastiCache::ReplicationGroup');
  const [security] = airflow.broker!.connections!.securityGroups;
  expect(group.SecurityGroupIds).toEqual([stack.resolve(security.securityGroupId)]);
  const rules = resourcesOf(template, 'AWS::EC2::SecurityGroupIngress')
    .filter(({ GroupId }) => JSON.stringify(GroupId) === JSON.stringify(stack.resolve(security.securityGroupId)));
  expect(rules.map(({ FromPort, ToPort, SourceSecurityGroupId }) => [FromPort, ToPort, SourceSecurityGroupId])).toEqual([
    [6379, 6379, stack.resolve(airflow.connections.securityGroups[0].securityGroupId)],
  ]);
});

test('custom: one node of another type and version, in one subnet', () => {
  const { template } = elastiCache({
    multiAz: false, nodeType: new ec2.InstanceType('m7g.large'), engineVersion: '9.0', vpcSubnets: { availabilityZones: ['eu-central-1a'] },
  });
  expect(resourcesOf(template, 'AWS::ElastiCache::ReplicationGroup')[0]).toMatchObject({
    EngineVersion: '9.0', CacheNodeType: 'cache.m7g.large', NumCacheClusters: 1, MultiAZEnabled: false, AutomaticFailoverEnabled: false,
  });
  expect(resourcesOf(template, 'AWS::ElastiCache::ParameterGroup')[0].CacheParameterGroupFamily).toBe('valkey9');
  expect(resourcesOf(template, 'AWS::ElastiCache::SubnetGroup')[0].SubnetIds).toEqual(['subnet-1']);
});

test('custom: a password of the user, one field of a secret', () => {
  const { template } = synthAirflow((stack) => ({
    broker: CeleryBroker.elastiCache(), secrets: { brokerPassword: remoteSecret(stack, 'broker', 'token') },
  }));
  expect(textOf(resourcesOf(template, 'AWS::ElastiCache::ReplicationGroup')[0].AuthToken)).toMatch(/^\{\{resolve:secretsmanager:arn:.*:secret:broker:SecretString:token::\}\}$/);
});

test('fails when two nodes have subnets in only one zone', () => {
  expect(() => elastiCache({ vpcSubnets: { availabilityZones: ['eu-central-1a'] } })).toThrow(new Error(
    "Data/Airflow/Broker: 'broker.vpcSubnets' must be in at least two Availability Zones, got eu-central-1a; use 'multiAz: false' for one"));
});

test('fails when the version is not one of Valkey', () => {
  expect(() => elastiCache({ engineVersion: '7.1' })).toThrow(new Error("Data/Airflow/Broker: 'broker.engineVersion' must be a version of Valkey from 8.0, got '7.1'"));
});

test('fails when only CloudFormation knows the version', () => {
  expect(() => elastiCache({ engineVersion: Lazy.string({ produce: () => '8.2' }) })).toThrow(new Error(
    "Data/Airflow/Broker: 'broker.engineVersion' must be known at synthesis, because the family of the parameter group derives from it, got a token"));
});

test('fails when the node type has the prefix of ElastiCache', () => {
  expect(() => elastiCache({ nodeType: new ec2.InstanceType('cache.t4g.small') })).toThrow(new Error(
    "Data/Airflow/Broker: 'broker.nodeType' must be an instance type without the prefix 'cache.', which is added, got 'cache.t4g.small'"));
});

test('fails when the password is in plain text', () => {
  expect(() => elastiCache({}, { secrets: { brokerPassword: 'plain' as any } })).toThrow(new Error(
    "Data/Airflow/Broker: 'secrets.brokerPassword' must be an AirflowSecret, not a value in plain text; use AirflowSecret.fromSecretsManager()"));
});

test('fails when the password is in a Kubernetes Secret', () => {
  expect(() => elastiCache({}, { secrets: { brokerPassword: AirflowSecret.fromKubernetesSecret('mine', 'pw') } })).toThrow(new Error(
    "Data/Airflow/Broker: 'secrets.brokerPassword' must be in AWS Secrets Manager, where CloudFormation reads it, got the Kubernetes Secret 'mine'"));
});
