import { Template } from 'aws-cdk-lib/assertions';
import { CLUSTERS, importedCluster, Json, newStack, releasesOf, synthAirflow, valuesOf } from './util';
import { AirflowOnEks, EfsCsiDriver, EfsCsiDriverProps, EfsCsiDriverSetup } from '../src';

function synth(props: Partial<EfsCsiDriverProps> = {}): Template {
  const stack = newStack();
  new EfsCsiDriver(stack, 'Driver', { cluster: importedCluster(stack), ...props });
  return Template.fromStack(stack);
}

test('defaults: on the nodes of Airflow only', () => {
  const template = synth();
  const [{ release, namespace, version, properties }] = releasesOf(template);
  expect({ release, namespace, version }).toEqual({ release: 'aws-efs-csi-driver', namespace: 'kube-system', version: '4.4.1' });
  // Its pods may have to wait for nodes that come later.
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
  expect(valuesOf(template, 'aws-efs-csi-driver').controller.serviceAccount.annotations['eks.amazonaws.com/role-arn']).toMatch(/^<DriverRole\w+.Arn>$/);
});

test('custom: on all nodes', () => {
  const values = valuesOf(synth({ allNodes: true }), 'aws-efs-csi-driver');
  expect(values.controller).toMatchObject({ tolerations: [{ operator: 'Exists' }] });
  expect(values.controller).not.toHaveProperty('nodeSelector');
  expect(values).not.toHaveProperty('node');
});

test.each([
  [undefined, ['airflow', 'aws-efs-csi-driver', 'external-secrets'], true],
  [EfsCsiDriverSetup.ONLY_AIRFLOW_NODES, ['airflow', 'aws-efs-csi-driver', 'external-secrets'], true],
  [EfsCsiDriverSetup.ALL_NODES, ['airflow', 'aws-efs-csi-driver', 'external-secrets'], false],
  [EfsCsiDriverSetup.EXISTING, ['airflow', 'external-secrets'], undefined],
])('setup %s', (efsCsiDriver, charts, pinned) => {
  const { template } = synthAirflow({ efsCsiDriver });
  expect(releasesOf(template).map(({ chart }) => chart).sort()).toEqual(charts);
  if (pinned !== undefined) {
    expect('nodeSelector' in valuesOf(template, 'aws-efs-csi-driver').controller).toBe(pinned);
  }
});

test.each(Object.entries(CLUSTERS))('a cluster has one, beside it: %s', (_name, make) => {
  const stack = newStack();
  const cluster = make(stack);
  const driver = EfsCsiDriver.forCluster({ cluster });
  expect(EfsCsiDriver.forCluster({ cluster })).toBe(driver);
  expect(driver.node.scope).toBe(cluster);
});

test('fails when two Airflows of a cluster want it on other nodes', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  new AirflowOnEks(stack, 'One', { cluster, namespace: 'one' });
  expect(() => new AirflowOnEks(stack, 'Two', { cluster, namespace: 'two', efsCsiDriver: EfsCsiDriverSetup.ALL_NODES })).toThrow(new Error(
    "Data/Cluster/AirflowEfsCsiDriver: 'efsCsiDriver' must be the same for each Airflow of a cluster: it is ONLY_AIRFLOW_NODES already, got ALL_NODES"));
});
