import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AirflowExecutor, AirflowNodePools, AirflowOnEks, ExistingNodesOptions } from '../../src';
import {
  CHARTS_UNDER_TEST, importedCluster, Json, newStack, objectsOf, resourcesOf, synthAirflow, synthCommunity, TWO_DEPLOYMENTS, valuesOf,
} from '../util';

const nodeRole = (stack: Stack) => iam.Role.fromRoleName(stack, 'NodeRole', 'nodes');
const existing = (options: Partial<ExistingNodesOptions> = {}) => (stack: Stack) =>
  ({ nodePools: AirflowNodePools.existing({ stateless: { labels: { team: 'data' }, taints: [{ key: 'data' }] }, nodeRole: nodeRole(stack), ...options }) });

test('defaults: three managed node groups', () => {
  const { template } = synthAirflow();
  expect(synthAirflow({ nodePools: AirflowNodePools.managedNodeGroups() }).template.toJSON()).toEqual(template.toJSON());
  expect(synthAirflow({ nodePools: AirflowNodePools.managedNodeGroups({}) }).template.toJSON()).toEqual(template.toJSON());
  template.resourceCountIs('AWS::EKS::Nodegroup', 3);
});

test('defaults: the node groups are attributes of the deployment', () => {
  const { airflow: { nodePools, connections } } = synthAirflow();
  expect([nodePools.stateless, nodePools.workers, nodePools.database].map((group) => (group as eks.Nodegroup).node.id)).toEqual(['Stateless', 'Workers', 'Database']);
  expect(nodePools.role).toBeInstanceOf(iam.Role);
  expect(nodePools.connections).toBe(connections);
  expect(nodePools.placement.workers.labels).toEqual({ 'role': 'airflow', 'airflow-deployment': 'airflow', 'type': 'af-stateful' });
});

test('custom: the same nodes can be used by two deployments', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  const { nodePools } = existing()(stack);
  const [one, two] = ['one', 'two'].map((namespace) => new AirflowOnEks(stack, namespace, { cluster, namespace, nodePools }));
  expect(one.nodePools.placement).toEqual(two.nodePools.placement);
});

/** The labels that the pods of a release require of their nodes, one entry per node selector. */
function requiredLabels(values: Json): Json[] {
  const of = (key: string, value: Json): Json[] => {
    if (key === 'nodeSelector') {
      return [value];
    }
    return key === 'matchExpressions' ? [Object.fromEntries(value.map(({ key: label, values: [only] }: Json) => [label, only]))] : requiredLabels(value);
  };
  return Object.entries(values).flatMap(([key, value]) => typeof value === 'object' && value !== null ? of(key, value) : []);
}

describe.each(CHARTS_UNDER_TEST)('two deployments of the $name chart in one cluster', ({ chart }) => {
  test.each(Object.entries(TWO_DEPLOYMENTS))('%s: nodes and node selectors name their deployment', (_name, synth) => {
    const deployments = synth({ chart: chart(), executor: AirflowExecutor.CELERY_KUBERNETES });
    for (const { namespace, template } of deployments) {
      const own = objectsOf(template).filter(({ metadata }) => metadata.namespace === namespace);
      const required = requiredLabels({ values: valuesOf(template, 'airflow', namespace), own });
      expect(required.length).toBeGreaterThanOrEqual(6);
      expect(required.filter((labels) => labels.role !== 'airflow' || labels['airflow-deployment'] !== namespace || !labels.type)).toEqual([]);
    }
    const nodes = deployments.flatMap(({ template }) => resourcesOf(template, 'AWS::EKS::Nodegroup')).map(({ Labels }) => `${Labels['airflow-deployment']} ${Labels.type}`);
    const types = ['af-db', 'af-stateful', 'af-stateless'];
    expect([...new Set(nodes)].sort()).toEqual(deployments.flatMap(({ namespace }) => types.map((type) => `${namespace} ${type}`)));
  });
});

test('existing nodes, defaults: all pods run on those of stateless, and the driver on all', () => {
  const { airflow, template } = synthCommunity(existing());
  template.resourceCountIs('AWS::EKS::Nodegroup', 0);
  template.resourceCountIs('AWS::EC2::LaunchTemplate', 0);
  const { stateless, workers, database, placement, role } = airflow.nodePools;
  expect([stateless, workers, database]).toEqual([undefined, undefined, undefined]);
  expect([placement.workers, placement.database]).toEqual([placement.stateless, placement.stateless]);
  expect(role.roleName).toBe('nodes');
  const tolerations = [{ key: 'data', operator: 'Exists' }];
  const values = valuesOf(template);
  const statefulSet = objectsOf(template, 'StatefulSet').find(({ metadata }) => metadata.name === 'airflow-postgresql')!;
  expect([values.airflow.defaultTolerations, values.workers.tolerations, statefulSet.spec.template.spec.tolerations])
    .toEqual([tolerations, tolerations, tolerations]);
  expect(values.airflow.config).not.toHaveProperty('AIRFLOW__CORE__DEFAULT_TASK_RETRIES');
  expect(Object.keys(valuesOf(template, 'aws-efs-csi-driver').node)).toEqual(['resources']);
  // The file system admits the cluster security group.
  template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { SourceSecurityGroupId: 'sg-1', FromPort: 2049, ToPort: 2049 });
});

test('existing nodes, custom: one placement per kind of pod, and a security group', () => {
  const { airflow, template } = synthAirflow((stack) => existing({
    workers: { labels: { team: 'data', size: 'big' } },
    database: { labels: { team: 'data', disk: 'fast' }, taints: [{ key: 'disk', value: 'fast', effect: eks.TaintEffect.NO_EXECUTE }] },
    securityGroup: ec2.SecurityGroup.fromSecurityGroupId(stack, 'NodeSecurityGroup', 'sg-9'),
  })(stack));
  const values = valuesOf(template);
  expect([values.nodeSelector, values.tolerations]).toEqual([{ team: 'data' }, [{ key: 'data', operator: 'Exists' }]]);
  expect([values.workers.celery.nodeSelector, values.workers.celery.tolerations]).toEqual([{ team: 'data', size: 'big' }, []]);
  const { spec: { template: { spec: { nodeSelector, tolerations } } } } = objectsOf(template, 'StatefulSet').find(({ metadata }) => metadata.name === 'airflow-postgresql')!;
  expect([nodeSelector, tolerations])
    .toEqual([{ team: 'data', disk: 'fast' }, [{ key: 'disk', operator: 'Equal', value: 'fast', effect: 'NoExecute' }]]);
  expect(airflow.connections.securityGroups.map(({ securityGroupId }) => securityGroupId)).toEqual(['sg-9']);
  template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { SourceSecurityGroupId: 'sg-9', FromPort: 2049, ToPort: 2049 });
});

test('existing nodes: the order of the labels does not change the template', () => {
  const template = (...keys: string[]) => synthAirflow(existing({ stateless: { labels: Object.fromEntries(keys.map((key) => [key, 'x'])) } })).template.toJSON();
  expect(template('b', 'a')).toEqual(template('a', 'b'));
});

test('the role of existing nodes is granted to mount the file system', () => {
  const stack = newStack();
  const role = new iam.Role(stack, 'Nodes', { assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com') });
  new AirflowOnEks(stack, 'Airflow', {
    cluster: importedCluster(stack), nodePools: AirflowNodePools.existing({ stateless: { labels: {} }, nodeRole: role }),
  });
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
    Roles: [stack.resolve(role.roleName)],
    PolicyDocument: { Statement: [{ Action: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'], Effect: 'Allow' }] },
  });
});
