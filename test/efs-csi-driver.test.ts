import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { CLUSTERS, importedCluster, Json, newStack, releasesOf, synthAirflow, valuesOf } from './util';
import { AirflowNodePools, AirflowOnEks, EfsCsiDriver, EfsCsiDriverInstallation, EfsCsiDriverOptions, NodePlacement } from '../src';

function synth(options?: EfsCsiDriverOptions): Template {
  const stack = newStack();
  EfsCsiDriver.getOrCreate(importedCluster(stack), options);
  return Template.fromStack(stack);
}

test('defaults: only on nodes that are created for Airflow', () => {
  const template = synth();
  const [{ release, namespace, version, properties }] = releasesOf(template);
  expect({ release, namespace, version }).toEqual({ release: 'aws-efs-csi-driver', namespace: 'kube-system', version: '4.4.1' });
  // Its pods may have to wait for nodes that are created later.
  expect(properties.Wait).toBeUndefined();
  const values = valuesOf(template, 'aws-efs-csi-driver');
  for (const part of [values.controller, values.node]) {
    expect(part).toMatchObject({
      nodeSelector: { role: 'airflow' }, tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }],
    });
    expect(part.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: 'role', operator: 'In', values: ['airflow'] }] },
    ]);
  }
});

test('defaults: a role of its own, for access points that carry its tag', () => {
  const template = synth();
  const [role] = Object.values(template.findResources('AWS::IAM::Role'));
  expect(role.Properties.Description).toBe('Controller of the EFS CSI driver of prod');
  expect(role.Properties.AssumeRolePolicyDocument.Statement[0]).toMatchObject({
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: {
      StringEquals: {
        'oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE:aud': 'sts.amazonaws.com',
        'oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE:sub': 'system:serviceaccount:kube-system:efs-csi-controller-sa',
      },
    },
  });
  const statements: Json[] = role.Properties.Policies[0].PolicyDocument.Statement;
  expect(statements.filter(({ Resource }) => Resource === '*').map(({ Action }) => Action)).toEqual(['ec2:DescribeAvailabilityZones']);
  expect(statements.filter(({ Action }) => /Create|Delete|Tag/.test(Action)).every(({ Condition }) => JSON.stringify(Condition).includes('efs.csi.aws.com/cluster'))).toBe(true);
  expect(valuesOf(template, 'aws-efs-csi-driver').controller.serviceAccount.annotations['eks.amazonaws.com/role-arn']).toMatch(/^<ClusterAirflowEfsCsiDriverRole\w+.Arn>$/);
});

test('custom: on all nodes', () => {
  const values = valuesOf(synth({ allNodes: true }), 'aws-efs-csi-driver');
  expect(values.controller).toMatchObject({ tolerations: [{ operator: 'Exists' }] });
  expect(values.controller).not.toHaveProperty('nodeSelector');
  expect(values.node).toEqual({ resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '1Gi' } } });
});

test('explicit defaults', () => {
  expect(synth({ allNodes: false }).toJSON()).toEqual(synth().toJSON());
  expect(synth({ allNodes: undefined }).toJSON()).toEqual(synth().toJSON());
});

const CHARTS = ['airflow', 'aws-efs-csi-driver', 'external-secrets'];

test.each<[string, EfsCsiDriverInstallation | undefined, string[], boolean | undefined]>([
  ['default', undefined, CHARTS, true],
  ['on the nodes of Airflow', EfsCsiDriverInstallation.onAirflowNodes(), CHARTS, true],
  ['on all nodes', EfsCsiDriverInstallation.onAllNodes(), CHARTS, false],
  ['existing', EfsCsiDriverInstallation.existing(), ['airflow', 'external-secrets'], undefined],
])('installation: %s', (_name, efsCsiDriver, charts, pinned) => {
  const { template } = synthAirflow({ efsCsiDriver });
  expect(releasesOf(template).map(({ chart }) => chart).sort()).toEqual(charts);
  if (pinned !== undefined) {
    expect('nodeSelector' in valuesOf(template, 'aws-efs-csi-driver').controller).toBe(pinned);
  }
});

test.each(Object.entries(CLUSTERS))('a cluster has one driver, which is its child: %s', (_name, make) => {
  const stack = newStack();
  const cluster = make(stack);
  const driver = EfsCsiDriver.getOrCreate(cluster);
  expect(driver).toBeInstanceOf(EfsCsiDriver);
  expect(EfsCsiDriver.getOrCreate(cluster)).toBe(driver);
  expect(EfsCsiDriver.getOrCreate(cluster, { allNodes: false })).toBe(driver);
  expect(driver.node.scope).toBe(cluster);
  expect(driver.allNodes).toBe(false);
});

test('a deployment uses the driver that the app has installed', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  const driver = EfsCsiDriver.getOrCreate(cluster, { allNodes: true });
  new AirflowOnEks(stack, 'Airflow', { cluster, efsCsiDriver: EfsCsiDriverInstallation.onAllNodes() });
  expect(EfsCsiDriver.getOrCreate(cluster, { allNodes: true })).toBe(driver);
  expect(releasesOf(Template.fromStack(stack)).filter(({ chart }) => chart === 'aws-efs-csi-driver')).toHaveLength(1);
});

const SAME = "Data/Cluster/AirflowEfsCsiDriver: 'efsCsiDriver' must be the same for all Airflow deployments of a cluster; already installed with";

test('fails when two deployments of a cluster need it on different nodes', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  new AirflowOnEks(stack, 'One', { cluster, namespace: 'one' });
  expect(() => new AirflowOnEks(stack, 'Two', { cluster, namespace: 'two', efsCsiDriver: EfsCsiDriverInstallation.onAllNodes() })).toThrow(new Error(
    `${SAME} onAirflowNodes(), got onAllNodes()`));
});

test.each([
  [true, undefined, 'onAllNodes(), got onAirflowNodes()'],
  [undefined, true, 'onAirflowNodes(), got onAllNodes()'],
])('fails when it is installed with allNodes %s and requested with %s', (first, second, message) => {
  const cluster = importedCluster(newStack());
  EfsCsiDriver.getOrCreate(cluster, { allNodes: first });
  expect(() => EfsCsiDriver.getOrCreate(cluster, { allNodes: second })).toThrow(new Error(`${SAME} ${message}`));
});

describe('on the nodes for Airflow, with existing nodes', () => {
  const deploy = (stateless: NodePlacement) => synthAirflow((stack) => ({
    nodePools: AirflowNodePools.existing({ stateless, nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes') }),
    efsCsiDriver: EfsCsiDriverInstallation.onAirflowNodes(),
  }));

  test('that have its label', () => {
    expect(() => deploy({ labels: { role: 'airflow', team: 'data' }, taints: [{ key: 'dedicated', value: 'airflow' }] })).not.toThrow();
  });

  test('fails when the driver would not run on them', () => {
    const message = (labels: string, taints: string) => new Error("Data/Airflow: 'efsCsiDriver' is onAirflowNodes(), but a driver with the selector"
      + " role=airflow and a toleration for dedicated=airflow does not run on the nodes of 'nodePools.database', got the labels"
      + ` ${labels} and the taints ${taints}; use onAllNodes()`);
    expect(() => deploy({ labels: { team: 'data' } })).toThrow(message('{"team":"data"}', '[]'));
    expect(() => deploy({ labels: { role: 'airflow' }, taints: [{ key: 'team' }] })).toThrow(message('{"role":"airflow"}', '[{"key":"team"}]'));
  });
});
