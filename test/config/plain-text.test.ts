import { CfnParameter, Fn, Lazy, SecretValue, Token } from 'aws-cdk-lib';
import { checkNoSecret } from '../../src/config/plain-text';
import { CHARTS_UNDER_TEST, newStack, Props, synthAirflow } from '../util';

// In parts, so that scanners do not find them.
const PEM = `${'-----BEGIN'} RSA PRIVATE KEY-----`;
const GITHUB = `ghp${'_'}${'a1B2'.repeat(9)}`;
const AWS_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCY'.padEnd(40, 'EXAMPLEKEY');

const REFERENCE = "which would reach the cluster as the text '{{resolve:...'; use an AirflowSecret";
const secretValue = SecretValue.secretsManager('a');

/** What is refused, by the path and the kind of the secret; without a kind, the value is accepted. */
type Row = [string, unknown, [path: string, kind: string]?];

const BY_FORM: Row[] = [
  ['nothing', undefined],
  ['text', { a: ['b', { c: 1 }], d: null, e: true }],
  ['a private key', { a: { b: PEM } }, ['prop.a.b', 'a private key']],
  ['a private key in base64', Buffer.from(`${'-----BEGIN'} OPENSSH PRIVATE KEY-----`).toString('base64'), ['prop', 'a private key']],
  ['a certificate in base64', Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64')],
  ['a public key', '-----BEGIN PUBLIC KEY-----'],
  ['a certificate', '-----BEGIN CERTIFICATE-----'],
  ['a URL with a password', ['postgresql://joe:pass@db.example.com/a'], ['prop.0', 'a URL with a password']],
  ['a URL with a password and no user', 'redis://:pass@redis.example.com', ['prop', 'a URL with a password']],
  ['a URL with a password within text', 'see git+https://joe:pass@example.com/a for more', ['prop', 'a URL with a password']],
  ['a URL with a password in percent encoding', 'mysql://joe:p%40%2Fss@db', ['prop', 'a URL with a password']],
  ['a URL with a password that contains #', 'mysql://joe:pa#ss@db', ['prop', 'a URL with a password']],
  ['a URL with a user, a port and a colon', 'https://user@example.com:443/a:b@c'],
  ['a URL with a port and a time', 'https://example.com:443?at=10:30@utc'],
  ['a URL whose password is an environment variable', 'postgresql://joe:$(DB_PASSWORD)@db.example.com/a'],
  ['a URL with a token as the user', `https://${GITHUB}@github.com/a/b.git`, ['prop', 'a URL with a token']],
  ['a URL with an unknown token as the user', 'https://0a1b2c3d4e5f60718293a4b5c6d7e8f9@git.example.com/a.git', ['prop', 'a URL with a token']],
  ['a URL with a token as the password', `https://oauth2:${GITHUB}@gitlab.com/a/b.git`, ['prop', 'a URL with a password']],
  ['a URL with a token as a parameter', 'https://example.com/hook?id=1&access_token=abc', ['prop.access_token', 'a secret']],
  ['a URL with the ID of an SSH key', 'ssh://APKAEIBAERJR2EXAMPLE1@git-codecommit.eu-central-1.amazonaws.com/v1/repos/dags'],
  ['a URL with a user', 'https://deploy@git.example.com/dags.git'],
  ['a Slack webhook', `https://hooks.slack.com/${'services'}/T0/B0/x`, ['prop', 'a token']],
  ['the host of Slack webhooks', 'https://hooks.slack.com'],
  ['a GitHub token', `token for CI: ${GITHUB}`, ['prop', 'a token']],
  ['a fine-grained GitHub token', `github${'_pat_'}11ABCDEFG0123456789abcdef`, ['prop', 'a token']],
  ['a GitLab token', `glpat${'-'}abcDEF123456_7890xyz`, ['prop', 'a token']],
  ['a Slack token', `xoxb${'-'}123456789012-abcdefghijkl`, ['prop', 'a token']],
  ['a JSON web token', `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${'zdWIiOiIxMjM0NTY3ODkwIn0'}.c2ln`, ['prop', 'a token']],
  ['a header with a token', `Bearer ${'a1'.repeat(15)}`, ['prop', 'a token']],
  ['AWS access keys', `AKIAIOSFODNN7EXAMPLE ${AWS_KEY}`, ['prop', 'AWS access keys']],
  ['the ID of an AWS access key', { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' }],
  ['a commit', 'e83c5163316f89bfbde7d9ab23ca2e25604af290'],
  ['a Kubernetes Secret', [{ kind: 'Secret', stringData: { a: 'b' } }], ['prop.0', 'the contents of a Kubernetes Secret']],
  ['a Kubernetes Secret as text', 'apiVersion: v1\nkind: Secret\ndata:\n  a: YQ==\n', ['prop', 'the contents of a Kubernetes Secret']],
  ['the name of a Kubernetes Secret', [{ kind: 'Secret', name: 'airflow' }]],
];

const BY_NAME: Row[] = [
  ...['SMTP_PASSWORD', 'smtp_password', 'passwd', 'PGPASSWORD', 'DB_PASS', 'DBPASS', 'PASSWORD_2', 'SSH_PASSPHRASE', 'LDAP_PWD', 'PRIVATE_KEY', 'AWS_SECRET_KEY',
    'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'API_KEY', 'APIKEY', 'x-api-key', 'FERNET_KEY', 'ACCESS_TOKEN', 'accessToken', 'SECRET', 'CLIENT_SECRET', 'TOKEN',
    'GITHUB_TOKEN', 'DB_CREDENTIALS', 'Authorization', 'AIRFLOW__CELERY__FLOWER_BASIC_AUTH', 'AIRFLOW__KEYCLOAK_AUTH_MANAGER__CLIENT_SECRET', 'SMTP_PASSWORD_SECRET']
    .map((name): Row => [`the name ${name}`, { [name]: 'x' }, [`prop.${name}`, 'a secret']]),
  ...['STAGE', 'SECRETARY', 'TOKENIZER', 'PASSWORD_MIN_LENGTH', 'MY_SECRETS', 'ACCESS_KEY_ID', 'PUBLIC_KEY', 'BYPASS', 'COMPASS', 'private_key_file', 'token_type', 'token_url',
    'secretName', 'brokerUrlSecretName', 'PASSWORD_FILE', 'SLACK_SECRET_ARN', 'AIRFLOW__SMTP__SMTP_PASSWORD_SECRET', 'AIRFLOW__SMTP__SMTP_PASSWORD_CMD']
    .map((name): Row => [`the name ${name}`, { [name]: 'x' }]),
  ...['', 'true', 'False', '/run/secrets/db', './id_rsa', '$(DB_PASSWORD)', '${DB_PASSWORD}', '{{ .Values.password }}', 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:a']
    .map((value): Row => [`the reference '${value}' under the name of a secret`, { DB_PASSWORD: value }]),
  ['a number', { password: 12345 }, ['prop.password', 'a secret']],
  ['a list', { password: ['x'] }, ['prop.password.0', 'a secret']],
  ['a map under the name of a secret', { token: { ttl: 1 }, secretKeyRef: { name: 'a', key: 'password' } }],
  ['an environment variable', { env: [{ name: 'DB_PASS', value: 'x' }] }, ['prop.env.DB_PASS.value', 'a secret']],
  ['an environment variable from a Secret', { env: [{ name: 'DB_PASS', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }] }],
  ['arguments', ['--user', 'joe', '--password', 'x'], ['prop.3', 'a secret']],
  ['an argument', ['--password=x'], ['prop.0.--password', 'a secret']],
  ['JSON', '{"a": {"Proxy_Password": "x"}}', ['prop.a.Proxy_Password', 'a secret']],
  ['JSON in JSON', JSON.stringify({ keyfile_dict: JSON.stringify({ private_key: 'x' }) }), ['prop.keyfile_dict.private_key', 'a secret']],
  ['JSON without a secret', '{"password": "", "token": {"ttl": 1}, "token_type": "bearer", "private_key_file": "/keys/a"}'],
  ['a connection string', 'host=db user=joe password=x', ['prop.password', 'a secret']],
  ['Python', "OAUTH_PROVIDERS = [{'remote_app': {'client_secret': 'x'}}]", ['prop.client_secret', 'a secret']],
  ['Python that reads a secret', "SECRET_KEY = os.environ['SECRET_KEY']\nclient_secret = read('/run/secrets/client')\nf(password=decrypt(text))"],
  ['YAML', 'a: b\npassword: x\n', ['prop.password', 'a secret']],
  ['prose', 'The password: see the wiki'],
];

const TOKENS: Row[] = [
  ['tokens', { host: Fn.importValue('Host'), port: Token.asNumber({ Ref: 'Port' }), list: Token.asList({ Ref: 'List' }), lazy: Lazy.string({ produce: () => 'later' }) }],
  ['a token under the name of a secret', { DB_PASSWORD: Fn.importValue('Password') }, ['prop.DB_PASSWORD', 'a secret']],
  ['a token in a URL', `postgresql://joe:${Fn.importValue('Password')}@db`, ['prop', 'a URL with a password']],
  ['a token as the host of a URL', `postgresql://joe@${Fn.importValue('Host')}:5432/a`],
  ['a SecretValue', secretValue, ['prop', 'a SecretValue']],
  ['a SecretValue in a map', { a: [{ b: secretValue }] }, ['prop.a.0.b', 'a SecretValue']],
  ['a SecretValue as text', `x${secretValue.unsafeUnwrap()}`, ['prop', 'a SecretValue']],
  ['a SecretValue in a key', { [secretValue.unsafeUnwrap()]: 'a' }, ['prop', 'a SecretValue']],
  ['a SecretValue in a function', Fn.join('', ['a', secretValue.unsafeUnwrap()]), ['prop', 'a SecretValue']],
  ['a parameter of Systems Manager', SecretValue.ssmSecure('a').unsafeUnwrap(), ['prop', 'a SecretValue']],
  ['a dynamic reference', '{{resolve:secretsmanager:a}}', ['prop', 'a SecretValue']],
];

const ROWS = [...BY_FORM, ...BY_NAME, ...TOKENS];

test.each(ROWS.filter(([, , found]) => !found))('no secret: %s', (_name, value) => {
  expect(() => checkNoSecret(newStack(), 'prop', value)).not.toThrow();
});

const STORE = 'store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()';

test.each(ROWS.filter(([, , found]) => found))('fails when a value contains a secret: %s', (_name, value, found) => {
  const [path, kind] = found!;
  expect(() => checkNoSecret(newStack(), 'prop', value)).toThrow(new Error(
    `Data: '${path}' must not contain ${kind === 'a SecretValue' ? `a SecretValue, ${REFERENCE}` : `${kind} in plain text; ${STORE}`}`));
});

const ENVIRONMENT_SECRET = "in plain text; use 'environmentSecrets' with this name";
const KUBERNETES = "in plain text; use 'environmentSecrets', or name a Kubernetes Secret of your own";
const IN_CONNECTION = "in plain text; store it in AWS Secrets Manager and use 'password', 'loginSecret' or 'extraSecret' with AirflowSecret.fromSecretsManager()";

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, Props, string]>([
    ['an option', { config: { 'smtp.smtp_password': 'x' } }, `Airflow: 'config.AIRFLOW__SMTP__SMTP_PASSWORD' must not contain a secret ${ENVIRONMENT_SECRET}`],
    ['an environment variable', { environment: { AWS_SECRET_ACCESS_KEY: 'x' } }, `Airflow: 'environment.AWS_SECRET_ACCESS_KEY' must not contain a secret ${ENVIRONMENT_SECRET}`],
    ['a connection as a URL', { environment: { AIRFLOW_CONN_DB: 'postgres://a:b@c' } }, `Airflow: 'environment.AIRFLOW_CONN_DB' must not contain a URL with a password ${ENVIRONMENT_SECRET}`],
    ['a connection as JSON', { environment: { AIRFLOW_CONN_DB: '{"conn_type": "postgres", "password": "b"}' } },
      `Airflow: 'environment.AIRFLOW_CONN_DB.password' must not contain a secret ${ENVIRONMENT_SECRET}`],
    ['the extra of a connection', { connections: [{ id: 'a', type: 'aws', extra: '{"aws_secret_access_key": "x"}' }] },
      `Airflow: 'connections.a.extra.aws_secret_access_key' must not contain a secret ${IN_CONNECTION}`],
    ['the host of a connection', { connections: [{ id: 'a', type: 'http', host: 'https://joe:pass@example.com' }] },
      `Airflow: 'connections.a.host' must not contain a URL with a password ${IN_CONNECTION}`],
    ['the login of a connection', { connections: [{ id: 'a', type: 'http', login: '{{resolve:secretsmanager:a}}' }] }, `Airflow: 'connections.a.login' must not contain a SecretValue, ${REFERENCE}`],
    ['a repository', { gitSync: { repository: `https://${GITHUB}@github.com/a/b.git` } }, "Airflow: 'gitSync.repository' must not contain a URL with a token in plain text; use 'gitSync.auth' with GitAuth.http()"],
    ['the description of a pool', { pools: [{ name: 'a', slots: 1, description: GITHUB }] }, `Airflow: 'pools.a.description' must not contain a token in plain text; ${STORE}`],
    ['a value of the chart', { helmValues: { scheduler: { env: [{ name: 'DB_PASS', value: 'x' }] } } }, `Airflow: 'helmValues.scheduler.env.DB_PASS.value' must not contain a secret ${KUBERNETES}`],
    ['text in a value of the chart', { helmValues: { scheduler: { podAnnotations: { a: PEM } } } }, `Airflow: 'helmValues.scheduler.podAnnotations.a' must not contain a private key ${KUBERNETES}`],
    ['an annotation', { ingress: { annotations: { 'example.com/token': 'x' } } }, `Airflow/Ingress: 'ingress.annotations.example.com/token' must not contain a secret in plain text; ${STORE}`],
    ['a label', { ingress: { labels: { password: 'x' } } }, `Airflow/Ingress: 'ingress.labels.password' must not contain a secret in plain text; ${STORE}`],
    ['a parameter that is not shown', (stack) => ({ environment: { DB_PASSWORD: new CfnParameter(stack, 'Password', { noEcho: true }).valueAsString } }),
      `Airflow: 'environment.DB_PASSWORD' must not contain a secret ${ENVIRONMENT_SECRET}`],
  ])('fails when a secret is in plain text: %s', (_name, props, message) => {
    expect(() => synthAirflow((stack) => ({ chart: chart(), ...typeof props === 'function' ? props(stack) : props }))).toThrow(new Error(`Data/${message}`));
  });

  test('names of Kubernetes Secrets in values of the chart, and options that say where a secret is', () => {
    expect(() => synthAirflow({
      chart: chart(),
      config: { 'smtp.smtp_password_secret': 'smtp', 'smtp.smtp_password_cmd': 'cat /run/smtp' },
      helmValues: {
        scheduler: { extraVolumes: [{ name: 'a', secret: { secretName: 'a' } }] },
        extra: { existingSecret: 'a', existingSecretKey: 'b', passwordSecret: 'c', passwordSecretKey: 'd', statsSecretKey: 'e', credentialsSecret: 'f' },
      },
    })).not.toThrow();
  });
});
