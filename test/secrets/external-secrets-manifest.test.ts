import { CfnElement, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { AirflowOnEks, AirflowSecret, ExternalSecretsInstallation, GitAuth } from '../../src';
import { writtenSecrets } from '../chart/templates';
import { awaitedOf, importedCluster, Json, manifestOf, newStack, objectsOf, releasesOf, synthAirflow, synthCommunity, valuesOf } from '../util';

const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);
const stored = (scope: Construct, name: string) => AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(scope, name, name));

test('defaults: one Kubernetes Secret contains all keys of the community chart, refreshed each hour', () => {
  const { template } = synthCommunity();
  expect(objectsOf(template, 'ExternalSecret').map(({ spec }) => [spec.target.name, spec.refreshInterval]))
    .toEqual(['airflow-secret', 'airflow-broker-url', 'airflow-valkey'].map((name) => [name, '1h']));
  const secret = writtenSecrets(template, () => 'pass')['airflow-secret'];
  expect(secret).toEqual(Object.fromEntries(['airflow-admin-password', 'airflow-fernet', 'airflow-webserver-key', 'postgresql-password']
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
  expect(objectsOf(template, 'ExternalSecret')).toHaveLength(3);
  expect(releasesOf(template).map(({ chart }) => chart)).not.toContain('external-secrets');
});

const copiesOf = (stack: Stack) => Object.keys(awaitedOf(stack)).filter((path) => path.startsWith('Airflow/Secrets/'));

test.each([['official', synthAirflow], ['community', synthCommunity]])('defaults: a retry overwrites what exists, and nothing waits for secrets that the stack generates: %s', (_name, synth) => {
  const { template, stack } = synth();
  expect(manifestOf(template, 'AirflowSecretsManifest').overwrite).toBe(true);
  expect(copiesOf(stack)).toEqual([]);
});

test.each([['official', synthAirflow], ['community', synthCommunity]])('custom: waits for each Kubernetes Secret with a secret that the stack does not generate: %s', (_name, synth) => {
  const { stack } = synth((scope) => ({
    gitSync: { repository: 'git@github.com:example/dags.git', auth: GitAuth.ssh({ privateKey: stored(scope, 'deploy-key') }) },
    users: [{ username: 'joe', email: 'joe@example.com', password: stored(scope, 'joe') }, { username: 'jane', email: 'jane@example.com' }],
  }));
  expect(copiesOf(stack).sort()).toEqual(['Airflow/Secrets/Synchronized-airflow-secret', 'Airflow/Secrets/Synchronized-airflow-ssh-git-secret']);
  expect(awaitedOf(stack)['Airflow/Secrets/Synchronized-airflow-ssh-git-secret']).toMatchObject({
    ObjectType: 'externalsecrets.external-secrets.io',
    ObjectName: 'airflow-ssh-git-secret',
    ObjectNamespace: 'airflow',
    JsonPath: '.status.conditions[?(@.reason=="SecretSynced")].status', // 'True', or no value as long as an error keeps it from being written
    TimeoutSeconds: 180,
  });
});

test('custom: waits again when another secret becomes a part of a Kubernetes Secret', () => {
  const revisionWith = (...names: string[]) => awaitedOf(synthAirflow((scope) => ({
    environmentSecrets: Object.fromEntries(names.map((name) => [name, stored(scope, name)])),
  })).stack)['Airflow/Secrets/Synchronized-airflow-secret'].Revision;
  expect(revisionWith('ONE', 'TWO')).not.toBe(revisionWith('ONE'));
  expect(revisionWith('ONE')).toBe(revisionWith('ONE'));
});

test('custom: waits for a secret that the stack creates, but not the library: its value may lack a field', () => {
  const { stack } = synthAirflow((scope) => ({
    environmentSecrets: { OWN: AirflowSecret.fromSecretsManager(new secretsmanager.Secret(scope, 'Own'), 'field') },
  }));
  expect(copiesOf(stack)).toEqual(['Airflow/Secrets/Synchronized-airflow-secret']);
});

test('custom: waits for a secret that another deployment generates', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  const { fernetKey } = new AirflowOnEks(stack, 'Other', { cluster, namespace: 'other' }).secrets;
  new AirflowOnEks(stack, 'Airflow', { cluster, secrets: { fernetKey: AirflowSecret.fromSecretsManager(fernetKey!) } });
  expect(copiesOf(stack)).toEqual(['Airflow/Secrets/Synchronized-airflow-fernet-key']);
});

test('two deployments have a store and a role each', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  ['one', 'two'].forEach((namespace) => new AirflowOnEks(stack, namespace, { cluster, namespace }));
  const stores = objectsOf(Template.fromStack(stack), 'SecretStore').map(({ metadata }) => [metadata.namespace, metadata.name]);
  expect(stores).toEqual([['one', 'one-external-secrets'], ['two', 'two-external-secrets']]);
});

test.each([['official', synthAirflow], ['community', synthCommunity]])('fails when two secrets have the same key: %s', (_name, synth) => {
  const users = [{ username: 'a@b', email: 'jane@example.com' }, { username: 'a.b', email: 'joe@example.com' }];
  expect(() => synth({ users })).toThrow(new Error(
    "Data/Airflow: the key 'airflow-a.b-password' of the Kubernetes Secret 'airflow-secret' has two values; rename one of the user, the connection or the environment secret"));
});
