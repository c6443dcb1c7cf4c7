import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AirflowExecutor, AirflowOnEksProps, AirflowSecret, AirflowSecretsOptions, CeleryBroker } from '../../src';
import { Json, objectsOf, releasesOf, remoteSecret, synthAirflow, synthCommunity, valuesOf } from '../util';

const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);

test.each([
  ['official', synthAirflow, ['Key that signs the task tokens']],
  ['community', synthCommunity, []],
])('defaults: each key and password is generated, usable as a Fernet key, and retained: %s', (_name, synth, more) => {
  const { template, airflow } = synth();
  const secrets = Object.values(template.findResources('AWS::SecretsManager::Secret'));
  expect(secrets.map(({ Properties }) => Properties.Description).sort()).toEqual([
    'Broker password', 'Database password', 'Fernet key', 'Flower password', 'Key that signs the web sessions', ...more, "Password of the user 'admin'",
  ].map((purpose) => `${purpose} of the Airflow deployment 'airflow'`).sort());
  for (const { Properties, DeletionPolicy, UpdateReplacePolicy } of secrets) {
    expect(Properties.GenerateSecretString).toEqual({ PasswordLength: 32, ExcludePunctuation: true });
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['RetainExceptOnCreate', 'Retain']); // a first deployment that fails leaves nothing behind
  }
  const { fernetKey, apiSecretKey, databasePassword, brokerPassword, flowerPassword, jwtSecret, userPasswords } = airflow.secrets;
  expect([fernetKey, apiSecretKey, databasePassword, brokerPassword, flowerPassword, userPasswords.admin].every(Boolean)).toBe(true);
  expect(jwtSecret !== undefined).toBe(more.length > 0);
});

test("custom: the user's own secrets, whole or one field, with their key", () => {
  const { template, airflow } = synthCommunity((stack) => {
    const encryptionKey = new kms.Key(stack, 'KmsKey');
    const secret = new secretsmanager.Secret(stack, 'Own', { encryptionKey });
    return { secrets: { fernetKey: AirflowSecret.fromSecretsManager(secret), databasePassword: AirflowSecret.fromSecretsManager(secret, 'database') } };
  });
  expect(airflow.secrets.fernetKey).toBe(airflow.secrets.databasePassword);
  const { spec } = objectsOf(template, 'ExternalSecret').find(({ metadata }) => metadata.name === 'airflow-secret')!;
  const fields = spec.data.filter(({ remoteRef }: Json) => remoteRef.key.startsWith('<Own')).map(({ remoteRef }: Json) => remoteRef.property);
  expect(fields).toEqual(expect.arrayContaining([undefined, 'database']));
  expect(JSON.stringify(template.findResources('AWS::KMS::Key'))).toContain('kms:Decrypt');
});

test.each<keyof AirflowSecretsOptions>(['fernetKey', 'apiSecretKey', 'jwtSecret', 'databasePassword', 'brokerPassword', 'flowerPassword'])(
  'custom: %s replaces the generated one', (name) => {
    const { airflow, template } = synthAirflow((stack) => ({
      secrets: { [name]: AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'Own', 'own')) },
    }));
    expect(airflow.secrets[name]!.secretName).toBe('own');
    template.resourceCountIs('AWS::SecretsManager::Secret', 6); // of seven
  });

test('no secret is in the values', () => {
  const values = valuesOf(synthCommunity().template);
  expect([values.airflow.fernetKey, values.airflow.webserverSecretKey]).toEqual(['', '']);
  expect(values.airflow.users[0].password).toBe('${ADMIN_PASSWORD}');
  expect(values.airflow.usersTemplates.ADMIN_PASSWORD).toEqual({ kind: 'secret', name: 'airflow-secret', key: 'airflow-admin-password' });
});

const ALL_OWN: Partial<AirflowOnEksProps> = {
  secrets: {
    fernetKey: own('fernet'),
    apiSecretKey: own('webserver'),
    databasePassword: own('postgresql-password'),
    flowerPassword: own('flower'),
  },
  broker: CeleryBroker.fromUrl(own('connection')),
  users: [{ username: 'admin', email: 'admin@example.com', password: own('admin') }],
};

test('with Kubernetes Secrets only, there are no operator, no store and no generated secrets', () => {
  const { template, airflow } = synthCommunity(ALL_OWN);
  template.resourceCountIs('AWS::SecretsManager::Secret', 0);
  expect([...objectsOf(template, 'ExternalSecret'), ...objectsOf(template, 'SecretStore')]).toEqual([]);
  expect(releasesOf(template).map(({ chart }) => chart)).not.toContain('external-secrets');
  const { fernetKey, apiSecretKey, databasePassword, brokerPassword, flowerPassword, userPasswords } = airflow.secrets;
  expect([fernetKey, apiSecretKey, databasePassword, brokerPassword, flowerPassword]).toEqual(Array(5).fill(undefined));
  expect(userPasswords).toEqual({});
  expect(valuesOf(template).externalDatabase).toMatchObject({ passwordSecret: 'mine', passwordSecretKey: 'postgresql-password' });
});

test('without Celery workers there are no passwords of the broker and of Flower', () => {
  const { airflow, template } = synthCommunity({ executor: AirflowExecutor.KUBERNETES });
  expect([airflow.secrets.brokerPassword, airflow.secrets.flowerPassword]).toEqual([undefined, undefined]);
  template.resourceCountIs('AWS::SecretsManager::Secret', 4);
});

test('a password is generated only for users without one', () => {
  const users = [{ username: 'jane', email: 'jane@example.com' }, { username: 'joe', email: 'joe@example.com', password: own('joe') }];
  expect(Object.keys(synthAirflow({ users }).airflow.secrets.userPasswords)).toEqual(['jane']);
});

test('fails when the name of a key of a Kubernetes Secret is not valid', () => {
  expect(() => synthCommunity({ secrets: { fernetKey: own('a/b') } })).toThrow(new Error("Data/Airflow: 'secrets.fernetKey' must be a key of a Kubernetes Secret, got 'a/b'"));
});

test('fails when there is a Flower password without Flower', () => {
  expect(() => synthAirflow((stack) => ({ executor: AirflowExecutor.KUBERNETES, secrets: { flowerPassword: remoteSecret(stack, 'flower') } }))).toThrow(new Error(
    "Data/Airflow: 'secrets.flowerPassword' has no effect with an executor without Celery workers, which has no Flower; remove it"));
});
