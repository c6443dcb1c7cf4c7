import { AirflowConnection, AirflowSecret } from '../../src';
import { checkConnections } from '../../src/metadata/airflow-connection';
import { CHARTS_UNDER_TEST, newStack, synthAirflow, synthCommunity, valuesOf } from '../util';

const secret = AirflowSecret.fromKubernetesSecret('mine', 'key');
const PEM = `${'-----BEGIN'} RSA PRIVATE KEY-----`;

test('defaults: no connections, and nothing but ID and type of one', () => {
  expect(valuesOf(synthCommunity().template).airflow.connections).toEqual([]);
  expect(valuesOf(synthCommunity({ connections: [{ id: 'a', type: 'http' }] }).template).airflow.connections).toEqual([{ id: 'a', type: 'http' }]);
});

test('custom', () => {
  const connection = {
    id: 'db',
    type: 'postgres',
    description: 'Warehouse',
    host: 'db.example.com',
    port: 5432,
    schema: 'warehouse',
    login: 'joe',
    extra: '{"sslmode": "require"}',
  };
  const { airflow } = valuesOf(synthCommunity({ connections: [{ ...connection, password: secret }] }).template);
  expect(airflow.connections).toEqual([{ ...connection, password: '${DB_PASSWORD}' }]);
  expect(airflow.connectionsTemplates).toEqual({ DB_PASSWORD: { kind: 'secret', name: 'mine', key: 'key' } });
});

test.each(['my_db', 'my-db', 'my.db', 'MyDb', '1'])('an ID: %s', (id) => {
  expect(() => checkConnections(newStack(), [{ id, type: 'http' }])).not.toThrow();
});

test.each(['{"region_name": "eu-central-1"}', '{"password": ""}', '{"token": {"ttl": 1}}', ''])('JSON without a secret: %s', (extra) => {
  expect(() => checkConnections(newStack(), [{ id: 'a', type: 'http', extra }])).not.toThrow();
});

const PLAIN = "'connections.a.extra' must not contain a secret in plain text; store the whole JSON object in AWS Secrets Manager and use 'extraSecret'";
const RESOLVE = "must not contain a SecretValue, which would reach the cluster as the text '{{resolve:...'; use an AirflowSecret";
const STORE = 'store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()';

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, AirflowConnection[], string]>([
    ['a connection is there twice', [{ id: 'a', type: 'http' }, { id: 'a', type: 'aws' }], "'connections' must contain each name only once, got 'a' twice"],
    ['an ID has other characters', [{ id: 'a b', type: 'http' }], "'connections.id' must be letters, digits, and . _ -, got 'a b'"],
    ['a connection has two logins', [{ id: 'a', type: 'http', login: 'me', loginSecret: secret }], "'connections.a' must have either 'login' or 'loginSecret', got both"],
    ['a connection has two extras', [{ id: 'a', type: 'http', extra: '{}', extraSecret: secret }], "'connections.a' must have either 'extra' or 'extraSecret', got both"],
    ['the JSON has a secret', [{ id: 'a', type: 'aws', extra: '{"aws_secret_access_key": "abc"}' }], PLAIN],
    ['the JSON has a password', [{ id: 'a', type: 'http', extra: '{"x": {"Proxy_Password":"abc"}}' }], PLAIN],
    ['the login is a dynamic reference', [{ id: 'a', type: 'http', login: '{{resolve:secretsmanager:a}}' }], `'connections.a' ${RESOLVE}`],
    ['the JSON has a private key', [{ id: 'a', type: 'ssh', extra: `{"key_file": "${PEM}"}` }], `'connections.a' must not contain a private key in plain text; ${STORE}`],
    ['the host is a URL with a password', [{ id: 'a', type: 'http', host: 'https://joe:pass@example.com' }], `'connections.a' must not contain a URL with a password; ${STORE}`],
  ])('fails when %s', (_name, connections, message) => {
    expect(() => synthAirflow({ chart: chart(), connections })).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});
