import { CfnElement, SecretValue } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Json, newStack, objectsOf, releasesOf, synthAirflow, valuesOf } from './util';
import { AirflowExecutor, AirflowOnEksProps, AirflowSecret, ExternalSecretsSetup, GitAuth } from '../src';
import { fernetTemplate } from '../src/chart/settings';
import { SecretBook } from '../src/secrets';

/** The templates of each Kubernetes Secret that the operator writes. */
function targetsOf(template: Template): Record<string, Record<string, string>> {
  return Object.fromEntries(objectsOf(template, 'ExternalSecret').map(({ spec }) => [spec.target.name, spec.target.template.data]));
}

const local = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);

test('defaults: each key and password is generated, fit to be a Fernet key, and retained', () => {
  const { template, airflow } = synthAirflow();
  const secrets = Object.values(template.findResources('AWS::SecretsManager::Secret'));
  expect(secrets.map(({ Properties }) => Properties.Description).sort()).toEqual([
    'Encrypts the connections and variables of Airflow', 'Password of admin in Airflow', 'Password of the Redis of Airflow',
    'Password of the database of Airflow', 'Password of the user airflow of the flower of Airflow', 'Signs the sessions of Airflow',
  ]);
  for (const { Properties, DeletionPolicy } of secrets) {
    expect(Properties.GenerateSecretString).toEqual({ PasswordLength: 32, ExcludePunctuation: true });
    expect(DeletionPolicy).toBe('Retain');
  }
  const { fernetKey, webserverSecretKey, databasePassword, redisPassword, flowerPassword, jwtSecret, userPasswords } = airflow.secrets;
  expect([fernetKey, webserverSecretKey, databasePassword, redisPassword, flowerPassword, userPasswords.admin].every(Boolean)).toBe(true);
  expect(jwtSecret).toBeUndefined();
});

test('defaults: one Secret holds them', () => {
  const { template } = synthAirflow();
  const targets = targetsOf(template);
  expect(Object.keys(targets)).toEqual(['airflow-secret']);
  expect(Object.keys(targets['airflow-secret']).sort()).toEqual([
    'airflow-admin-password', 'airflow-fernet', 'airflow-webserver-key', 'flower-basic-auth', 'postgresql-password', 'redis-password',
  ]);
  expect(targets['airflow-secret']['flower-basic-auth']).toMatch(/^airflow:\{\{ \.secret\d+ \}\}$/);
});

test('defaults: one store, which reads these secrets as a role of its own', () => {
  const { template, stack, airflow } = synthAirflow();
  expect(objectsOf(template, 'SecretStore').map(({ metadata, spec }) => [metadata.namespace, spec.provider.aws])).toEqual([
    ['airflow', { service: 'SecretsManager', region: 'eu-central-1', auth: { jwt: { serviceAccountRef: { name: 'airflow-external-secrets' } } } }],
  ]);
  const role = stack.getLogicalId(airflow.secrets.node.findChild('Role').node.defaultChild as CfnElement);
  expect(objectsOf(template, 'ServiceAccount')[0].metadata.annotations['eks.amazonaws.com/role-arn']).toBe(`<${role}.Arn>`);
  const [policy] = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) => Properties.Roles[0].Ref === role);
  const statements: Json[] = policy.Properties.PolicyDocument.Statement;
  expect(statements.flatMap(({ Action }) => Action).sort()).toEqual(expect.arrayContaining(['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue']));
  const read = statements.flatMap(({ Resource }) => [Resource].flat()).map(({ Ref }) => Ref);
  expect(read.sort()).toEqual(Object.keys(template.findResources('AWS::SecretsManager::Secret')).sort());
});

test('no secret stands in the values', () => {
  const values = valuesOf(synthAirflow().template);
  expect([values.airflow.fernetKey, values.airflow.webserverSecretKey, values.postgresql.postgresqlPassword, values.redis.password]).toEqual(['', '', '', '']);
  expect(values.airflow.users[0].password).toBe('${ADMIN_PASSWORD}');
  expect(values.airflow.usersTemplates.ADMIN_PASSWORD).toEqual({ kind: 'secret', name: 'airflow-secret', key: 'airflow-admin-password' });
});

test('custom: the user\'s own, whole or one field, with its key', () => {
  const { template, airflow } = synthAirflow((stack) => {
    const encryptionKey = new kms.Key(stack, 'KmsKey');
    const secret = new secretsmanager.Secret(stack, 'Own', { encryptionKey });
    return { secrets: { fernetKey: AirflowSecret.fromSecretsManager(secret), databasePassword: AirflowSecret.fromSecretsManager(secret, 'database') } };
  });
  expect(airflow.secrets.fernetKey).toBe(airflow.secrets.databasePassword);
  const [{ spec }] = objectsOf(template, 'ExternalSecret');
  const own = spec.data.filter(({ remoteRef }: Json) => remoteRef.key.startsWith('<Own')).map(({ remoteRef }: Json) => remoteRef.property);
  expect(own).toEqual(expect.arrayContaining([undefined, 'database']));
  expect(JSON.stringify(template.findResources('AWS::KMS::Key'))).toContain('kms:Decrypt');
});

test('custom: a secret that several things use is fetched once', () => {
  const { template } = synthAirflow((stack) => {
    const shared = AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'Shared', 'shared'));
    return { extraSecrets: { first: shared, second: shared } };
  });
  const [{ spec }] = objectsOf(template, 'ExternalSecret');
  expect(spec.data.filter(({ remoteRef }: Json) => remoteRef.key.includes('shared'))).toHaveLength(1);
  expect(spec.target.template.data.first).toBe(spec.target.template.data.second);
});

test('extra secrets are environment variables', () => {
  const { template } = synthAirflow((stack) => ({
    extraSecrets: { 'slack-webhook': AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'Slack', 'slack')), 'OWN': local('own') },
  }));
  expect(valuesOf(template).airflow.extraEnv).toEqual(expect.arrayContaining([
    { name: 'SLACK_WEBHOOK', valueFrom: { secretKeyRef: { name: 'airflow-secret', key: 'slack-webhook' } } },
    { name: 'OWN', valueFrom: { secretKeyRef: { name: 'mine', key: 'own' } } },
  ]));
});

const ALL_LOCAL: Partial<AirflowOnEksProps> = {
  secrets: {
    fernetKey: local('fernet'),
    webserverSecretKey: local('webserver'),
    databasePassword: local('postgresql-password'),
    redisPassword: local('redis'),
    flowerPassword: local('flower'),
  },
  users: [{ username: 'admin', email: 'admin@example.com', password: local('admin') }],
};

test('with Kubernetes Secrets only, there is no operator, no store and no generated secret', () => {
  const { template, airflow } = synthAirflow(ALL_LOCAL);
  template.resourceCountIs('AWS::SecretsManager::Secret', 0);
  expect(objectsOf(template, 'ExternalSecret')).toEqual([]);
  expect(releasesOf(template).map(({ chart }) => chart)).not.toContain('external-secrets');
  expect(airflow.secrets.fernetKey).toBeUndefined();
  expect(valuesOf(template).postgresql).toMatchObject({ existingSecret: 'mine', existingSecretKey: 'postgresql-password' });
});

test('without Celery there is no password of Redis, nor of flower', () => {
  const { airflow } = synthAirflow({ executor: AirflowExecutor.KUBERNETES });
  expect([airflow.secrets.redisPassword, airflow.secrets.flowerPassword]).toEqual([undefined, undefined]);
});

test('the operator that a cluster has is used, and not installed', () => {
  const { template } = synthAirflow({ externalSecrets: ExternalSecretsSetup.EXISTING });
  expect(objectsOf(template, 'ExternalSecret')).toHaveLength(1);
  expect(releasesOf(template).map(({ chart }) => chart)).not.toContain('external-secrets');
});

test('a Fernet key is made of 32 letters and digits, and others stay as they are', () => {
  // The template itself is run by the operator only; here is what it must say.
  expect(fernetTemplate('key')).toBe('{{ $keys := list }}{{ range splitList "," (trim .key) }}'
    + '{{ $keys = append $keys (eq (len .) 32 | ternary (b64enc .) .) }}{{ end }}{{ join "," $keys }}');
  // Letters and digits never encode to the characters in which URL-safe base64 differs.
  const encoded = Buffer.from('abcdefghijklmnopqrstuvwxyz012345').toString('base64');
  expect(Buffer.from(encoded, 'base64url')).toHaveLength(32);
  expect(encoded).toMatch(/^[A-Za-z0-9]{43}=$/);
});

test.each<[string, (plain: any) => Partial<AirflowOnEksProps>, string]>([
  ['the Fernet key', (fernetKey) => ({ secrets: { fernetKey } }), 'secrets.fernetKey'],
  ['a password of a user', (password) => ({ users: [{ username: 'joe', email: 'joe@example.com', password }] }), 'users.joe.password'],
  ['a password of a connection', (password) => ({ connections: [{ id: 'db', type: 'postgres', password }] }), 'connections.db.password'],
  ['a variable', (secret) => ({ variables: [{ key: 'license', secret }] }), 'variables.license'],
  ['an extra secret', (secret) => ({ extraSecrets: { license: secret } }), 'extraSecrets.license'],
  ['a private key', (privateKey) => ({ gitSync: { repository: 'git@github.com:a/b.git', auth: GitAuth.ssh({ privateKey }) } }), 'gitSync.auth.privateKey'],
])('fails when %s is plain text, as from Python it can be', (_name, props, prop) => {
  const message = `Data/Airflow: '${prop}' must be an AirflowSecret, not a value in plain text; use AirflowSecret.fromSecretsManager()`;
  expect(() => synthAirflow(props('plain'))).toThrow(new Error(message));
  expect(() => synthAirflow(props(SecretValue.secretsManager('a')))).toThrow(new Error(message));
});

test('fails when the chart cannot read the key of a Kubernetes Secret', () => {
  expect(() => synthAirflow({ secrets: { databasePassword: local('password') } })).toThrow(new Error(
    "Data/Airflow: 'secrets.databasePassword' must have the key 'postgresql-password' in its Kubernetes Secret, which is the only one that the chart reads, got 'password'"));
});

test('fails when the key of a Kubernetes Secret is none', () => {
  expect(() => synthAirflow({ secrets: { fernetKey: local('a/b') } })).toThrow(new Error("Data/Airflow: 'secrets.fernetKey' must be a key of a Kubernetes Secret, got 'a/b'"));
});

test('fails when two secrets would share a key', () => {
  expect(() => synthAirflow((stack) => ({
    extraSecrets: { 'airflow-fernet': AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'Other', 'other')) },
  }))).toThrow(new Error("Data/Airflow: the key 'airflow-fernet' of Secret 'airflow-secret' has two meanings; rename one of the user, the connection or the extra secret"));
});

describe('a value that is made of several secrets', () => {
  const target = { name: 'airflow-secret', key: 'connection' };
  test('passes through the operator', () => {
    const stack = newStack();
    const book = new SecretBook(stack);
    const secret = (name: string) => AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, name, name));
    expect(book.composed(target, { user: secret('a'), password: secret('b') }, ({ user, password }) => `{{ .${user} }}:{{ .${password} }}`)).toEqual(target);
    expect(book.targets.get('airflow-secret')?.get('connection')).toBe('{{ .secret0 }}:{{ .secret1 }}');
  });

  test('fails when one is in a Kubernetes Secret', () => {
    expect(() => new SecretBook(newStack()).composed(target, { password: local('password') }, () => '')).toThrow(new Error(
      "Data: 'password' is the Kubernetes Secret 'mine', but this chart needs it inside 'airflow-secret'; keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()"));
  });
});
