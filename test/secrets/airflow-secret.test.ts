import { SecretValue } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AirflowOnEksProps, AirflowSecret, AirflowVariable, GitAuth } from '../../src';
import { secretOf } from '../../src/secrets/airflow-secret';
import { CHARTS_UNDER_TEST, newStack, synthAirflow } from '../util';

test('a secret of AWS Secrets Manager, whole or one field', () => {
  const secret = secretsmanager.Secret.fromSecretNameV2(newStack(), 'Secret', 'secret');
  expect(AirflowSecret.fromSecretsManager(secret)._source).toEqual({ kind: 'SecretsManager', secret, field: undefined });
  expect(AirflowSecret.fromSecretsManager(secret, 'password')._source).toEqual({ kind: 'SecretsManager', secret, field: 'password' });
  expect(secretOf(AirflowSecret.fromSecretsManager(secret, 'password'))).toBe(secret);
});

test('a Kubernetes Secret', () => {
  expect(AirflowSecret.fromKubernetesSecret('mine', 'key')._source).toEqual({ kind: 'Kubernetes', name: 'mine', key: 'key' });
  expect([secretOf(AirflowSecret.fromKubernetesSecret('mine', 'key')), secretOf(undefined)]).toEqual([undefined, undefined]);
});

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, (plain: any) => Partial<AirflowOnEksProps>, string]>([
    ['the Fernet key', (fernetKey) => ({ secrets: { fernetKey } }), 'secrets.fernetKey'],
    ['the password of a user', (password) => ({ users: [{ username: 'joe', email: 'joe@example.com', password }] }), 'users.joe.password'],
    ['the password of a connection', (password) => ({ connections: [{ id: 'db', type: 'postgres', password }] }), 'connections.db.password'],
    ['a variable', (secret) => ({ variables: [AirflowVariable.fromSecret('license', secret)] }), 'variables.license'],
    ['an environment secret', (secret) => ({ environmentSecrets: { license: secret } }), 'environmentSecrets.license'],
    ['a private key', (privateKey) => ({ gitSync: { repository: 'git@github.com:a/b.git', auth: GitAuth.ssh({ privateKey }) } }), 'gitSync.auth.privateKey'],
  ])('fails when %s is plain text, as it can be in JavaScript and Python', (_name, props, prop) => {
    const message = `Data/Airflow: '${prop}' must be an AirflowSecret, not a value in plain text; use AirflowSecret.fromSecretsManager()`;
    expect(() => synthAirflow({ chart: chart(), ...props('plain') })).toThrow(new Error(message));
    expect(() => synthAirflow({ chart: chart(), ...props(SecretValue.secretsManager('a')) })).toThrow(new Error(message));
  });
});
