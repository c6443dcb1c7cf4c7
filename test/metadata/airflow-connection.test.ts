import { AirflowConnection, AirflowSecret } from '../../src';
import { checkConnections } from '../../src/metadata/airflow-connection';
import { CHARTS_UNDER_TEST, newStack, synthAirflow, synthCommunity, valuesOf } from '../util';

const secret = AirflowSecret.fromKubernetesSecret('mine', 'key');

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

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, AirflowConnection[], string]>([
    ['a connection is there twice', [{ id: 'a', type: 'http' }, { id: 'a', type: 'aws' }], "'connections' must contain each name only once, got 'a' twice"],
    ['an ID has other characters', [{ id: 'a b', type: 'http' }], "'connections.id' must be letters, digits, and . _ -, got 'a b'"],
    ['a connection has two logins', [{ id: 'a', type: 'http', login: 'me', loginSecret: secret }], "'connections.a' must have either 'login' or 'loginSecret', got both"],
    ['a connection has two extras', [{ id: 'a', type: 'http', extra: '{}', extraSecret: secret }], "'connections.a' must have either 'extra' or 'extraSecret', got both"],
  ])('fails when %s', (_name, connections, message) => {
    expect(() => synthAirflow({ chart: chart(), connections })).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});
