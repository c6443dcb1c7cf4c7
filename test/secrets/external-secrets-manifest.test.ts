import { CfnElement } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { AirflowOnEks, AirflowSecret, ExternalSecretsInstallation } from '../../src';
import { writtenSecrets } from '../chart/templates';
import { importedCluster, Json, newStack, objectsOf, releasesOf, synthAirflow, synthCommunity, valuesOf } from '../util';

const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);
const stored = (scope: Construct, name: string) => AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(scope, name, name));

test('defaults: one Kubernetes Secret contains all keys of the community chart', () => {
  const { template } = synthCommunity();
  expect(objectsOf(template, 'ExternalSecret').map(({ spec }) => [spec.target.name, spec.refreshInterval])).toEqual([['airflow-secret', '1h']]);
  const [secret] = Object.values(writtenSecrets(template, () => 'pass'));
  expect(secret).toEqual(Object.fromEntries(['airflow-admin-password', 'airflow-fernet', 'airflow-webserver-key', 'postgresql-password', 'redis-password']
    .map((key) => [key, 'pass']).concat([['flower-basic-auth', 'airflow:pass']])));
});

test('defaults: one store, which reads exactly these secrets with a role of its own', () => {
  const { template, stack, airflow } = synthCommunity();
  expect(objectsOf(template, 'SecretStore').map(({ metadata, spec }) => [metadata.namespace, spec.provider.aws])).toEqual([
    ['airflow', { service: 'SecretsManager', region: 'eu-central-1', auth: { jwt: { serviceAccountRef: { name: 'airflow-external-secrets' } } } }],
  ]);
  const secrets = airflow.node.findChild('Secrets');
  const role = stack.getLogicalId(secrets.node.findChild('Role').node.defaultChild as CfnElement);
  template.hasResourceProperties('AWS::IAM::Role', { Description: "Reads the secrets of the Airflow deployment 'airflow'" });
  expect(objectsOf(template, 'ServiceAccount').map(({ metadata }) => [metadata.name, metadata.annotations['eks.amazonaws.com/role-arn']]))
    .toEqual([['airflow-external-secrets', `<${role}.Arn>`]]);
  const [policy] = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) => Properties.Roles[0].Ref === role);
  const statements: Json[] = policy.Properties.PolicyDocument.Statement;
  expect(statements.flatMap(({ Action }) => Action).sort()).toEqual(expect.arrayContaining(['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue']));
  const read = statements.flatMap(({ Resource }) => [Resource].flat()).map(({ Ref }) => Ref);
  expect(read.sort()).toEqual(Object.keys(template.findResources('AWS::SecretsManager::Secret')).sort());
});

test('custom: a secret that is used several times is fetched once', () => {
  const { template } = synthCommunity((stack) => {
    const shared = stored(stack, 'shared');
    return { environmentSecrets: { FIRST: shared, SECOND: shared } };
  });
  const [{ spec }] = objectsOf(template, 'ExternalSecret');
  expect(spec.data.filter(({ remoteRef }: Json) => remoteRef.key.includes('shared'))).toHaveLength(1);
  const [secret] = Object.values(writtenSecrets(template, (key) => key.includes('shared') ? 'yes' : 'no'));
  expect([secret.FIRST, secret.SECOND]).toEqual(['yes', 'yes']);
});

test('custom: environment secrets have exactly the names that they are given', () => {
  const { template } = synthCommunity((stack) => ({ environmentSecrets: { SLACK_WEBHOOK: stored(stack, 'slack'), slack: stored(stack, 'other'), OWN: own('own') } }));
  expect(valuesOf(template).airflow.extraEnv).toEqual(expect.arrayContaining([
    { name: 'SLACK_WEBHOOK', valueFrom: { secretKeyRef: { name: 'airflow-secret', key: 'SLACK_WEBHOOK' } } },
    { name: 'slack', valueFrom: { secretKeyRef: { name: 'airflow-secret', key: 'slack' } } },
    { name: 'OWN', valueFrom: { secretKeyRef: { name: 'mine', key: 'own' } } },
  ]));
});

test('the operator that a cluster already has is used and not installed', () => {
  const { template } = synthCommunity({ externalSecrets: ExternalSecretsInstallation.existing() });
  expect(objectsOf(template, 'ExternalSecret')).toHaveLength(1);
  expect(releasesOf(template).map(({ chart }) => chart)).not.toContain('external-secrets');
});

test('two deployments have a store and a role each', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  ['one', 'two'].forEach((namespace) => new AirflowOnEks(stack, namespace, { cluster, namespace }));
  const stores = objectsOf(Template.fromStack(stack), 'SecretStore').map(({ metadata }) => [metadata.namespace, metadata.name]);
  expect(stores).toEqual([['one', 'one-external-secrets'], ['two', 'two-external-secrets']]);
});

test.each([['official', synthAirflow], ['community', synthCommunity]])('fails when two secrets have the same key: %s', (_name, synth) => {
  const user = (username: string) => ({ username, email: 'joe@example.com' });
  expect(() => synth({ users: [user('a@b'), user('a.b')] })).toThrow(new Error(
    "Data/Airflow: the key 'airflow-a.b-password' of the Kubernetes Secret 'airflow-secret' has two values; rename one of the user, the connection or the environment secret"));
});
