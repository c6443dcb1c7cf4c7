import { Fn, Lazy, SecretValue, Token } from 'aws-cdk-lib';
import { checkNoSecret, SENSITIVE_NAME } from '../../src/config/plain-text';
import { newStack } from '../util';

const PEM = `${'-----BEGIN'} RSA PRIVATE KEY-----`;

test.each(['SMTP_PASSWORD', 'smtp_password', 'passwd', 'SSH_PASSPHRASE', 'PRIVATE_KEY', 'AWS_SECRET_KEY', 'API_KEY', 'APIKEY', 'FERNET_KEY', 'ACCESS_TOKEN', 'SECRET',
  'CLIENT_SECRET', 'TOKEN', 'GITHUB_TOKEN', 'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', 'AIRFLOW__CELERY__BROKER_URL', 'AIRFLOW__CELERY__RESULT_BACKEND'])('%s names a secret', (name) => {
  expect(SENSITIVE_NAME.test(name)).toBe(true);
});

test.each(['STAGE', 'SECRETARY', 'TOKENIZER', 'PASSWORD_MIN_LENGTH', 'MY_SECRETS', 'ACCESS_KEY_ID', 'PUBLIC_KEY'])('%s does not name a secret', (name) => {
  expect(SENSITIVE_NAME.test(name)).toBe(false);
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['text', { a: ['b', { c: 1 }], d: null, e: true }],
  ['tokens', { host: Fn.importValue('Host'), port: Token.asNumber({ Ref: 'Port' }), list: Token.asList({ Ref: 'List' }), lazy: Lazy.string({ produce: () => 'later' }) }],
  ['a URL without a password', 'https://user@example.com:443/a:b@c'],
  ['a public key', '-----BEGIN PUBLIC KEY-----'],
])('no secret in %s', (_name, value) => {
  expect(() => checkNoSecret(newStack(), 'prop', value)).not.toThrow();
});

const RESOLVE = "'prop' must not contain a SecretValue, which would reach the cluster as the text '{{resolve:...'; use an AirflowSecret";
const STORE = 'store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()';
const secretValue = SecretValue.secretsManager('a');

test.each<[string, unknown, string]>([
  ['a SecretValue', secretValue, RESOLVE],
  ['a SecretValue in a map', { a: [{ b: secretValue }] }, RESOLVE],
  ['a SecretValue as text', `x${secretValue.unsafeUnwrap()}`, RESOLVE],
  ['a SecretValue in a key', { [secretValue.unsafeUnwrap()]: 'a' }, RESOLVE],
  ['a SecretValue in a function', Fn.join('', ['a', secretValue.unsafeUnwrap()]), RESOLVE],
  ['a parameter of Systems Manager', SecretValue.ssmSecure('a').unsafeUnwrap(), RESOLVE],
  ['a dynamic reference', '{{resolve:secretsmanager:a}}', RESOLVE],
  ['a private key', { a: { b: PEM } }, `'prop' must not contain a private key in plain text; ${STORE}`],
  ['a URL with a password', ['postgresql://joe:pass@db.example.com/a'], `'prop' must not contain a URL with a password; ${STORE}`],
  ['a URL with a password and no user', 'redis://:pass@redis.example.com', `'prop' must not contain a URL with a password; ${STORE}`],
])('fails when a value contains %s', (_name, value, message) => {
  expect(() => checkNoSecret(newStack(), 'prop', value)).toThrow(new Error(`Data: ${message}`));
});
