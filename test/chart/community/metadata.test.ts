import { Fn } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { AirflowConnection, AirflowRole, AirflowVariable } from '../../../src';
import { Json, Props, remoteSecret, synthCommunity, valuesOf } from '../../util';

const airflowValues = (props?: Props): Json => valuesOf(synthCommunity(props).template).airflow;

test('defaults: one administrator', () => {
  const airflow = airflowValues();
  expect(airflow.users).toEqual([{ username: 'admin', email: 'admin@example.com', role: 'Admin', password: '${ADMIN_PASSWORD}', firstName: 'admin', lastName: 'admin' }]);
  expect(airflow.usersTemplates).toEqual({ ADMIN_PASSWORD: { kind: 'secret', name: 'airflow-secret', key: 'airflow-admin-password' } });
  expect([airflow.usersUpdate, airflow.connectionsUpdate, airflow.variablesUpdate, airflow.poolsUpdate]).toEqual([true, true, true, true]);
});

test('custom: users, connections, variables and pools, with references to secrets', () => {
  const airflow = airflowValues((stack) => ({
    users: [
      { username: 'jane.doe', email: 'jane@example.com', role: AirflowRole.OP, firstName: 'Jane', lastName: 'Doe', password: remoteSecret(stack, 'Jane') },
      { username: 'guest', email: 'guest@example.com' },
      { username: 'team', email: 'team@example.com', role: AirflowRole.of('Team') },
    ],
    connections: [{
      id: 'warehouse',
      type: 'postgres',
      description: 'd',
      host: 'db.example.com',
      port: 5432,
      schema: 'dwh',
      loginSecret: remoteSecret(stack, 'Login'),
      password: remoteSecret(stack, 'Password'),
      extraSecret: remoteSecret(stack, 'Extra'),
    }],
    variables: [AirflowVariable.of('stage', 'dev'), AirflowVariable.fromSecret('license', remoteSecret(stack, 'License'))],
    pools: [{ name: 'db', slots: 3, description: 'Few' }, { name: 'api', slots: 1 }],
  }));
  expect(airflow.users.map(({ username, role, password, firstName, lastName }: Json) => [username, role, password, firstName, lastName])).toEqual([
    ['jane.doe', 'Op', '${JANE_DOE_PASSWORD}', 'Jane', 'Doe'],
    ['guest', 'Viewer', '${GUEST_PASSWORD}', 'guest', 'guest'],
    ['team', 'Team', '${TEAM_PASSWORD}', 'team', 'team'],
  ]);
  expect(airflow.connections).toEqual([{
    id: 'warehouse',
    type: 'postgres',
    description: 'd',
    host: 'db.example.com',
    port: 5432,
    schema: 'dwh',
    login: '${WAREHOUSE_LOGIN}',
    password: '${WAREHOUSE_PASSWORD}',
    extra: '${WAREHOUSE_EXTRA}',
  }]);
  expect(Object.keys(airflow.connectionsTemplates)).toEqual(['WAREHOUSE_EXTRA', 'WAREHOUSE_LOGIN', 'WAREHOUSE_PASSWORD']);
  expect(airflow.variables).toEqual([{ key: 'stage', value: 'dev' }, { key: 'license', value: '${LICENSE}' }]);
  expect(airflow.variablesTemplates).toEqual({ LICENSE: { kind: 'secret', name: 'airflow-secret', key: 'variable-license' } });
  expect(airflow.pools).toEqual([{ name: 'db', slots: 3, description: 'Few' }, { name: 'api', slots: 1, description: 'api' }]);
});

test('custom: a connection without secrets', () => {
  const airflow = airflowValues({ connections: [{ id: 'aws', type: 'aws', login: 'me', extra: '{"region_name": "eu-central-1"}' }] });
  expect(airflow.connections).toEqual([{ id: 'aws', type: 'aws', login: 'me', extra: '{"region_name": "eu-central-1"}' }]);
  expect(airflow.connectionsTemplates).toEqual({});
});

test('custom: a dollar stays a dollar, with and without templates in the list', () => {
  const plain = AirflowVariable.of('price', '5$ ${NOT}');
  expect(airflowValues({ variables: [plain] }).variables).toEqual([{ key: 'price', value: '5$ ${NOT}' }]);
  const { variables } = airflowValues((stack) => ({ variables: [plain, AirflowVariable.fromSecret('license', remoteSecret(stack, 'License'))] }));
  expect(variables[0].value).toBe('5$$ $${NOT}');
});

test('custom: text from other resources', () => {
  const { connections } = airflowValues((stack) => ({
    connections: [{ id: 'db', type: 'postgres', host: Fn.importValue('Host'), schema: '$x', password: remoteSecret(stack, 'db') }],
  }));
  expect(connections[0]).toMatchObject({ host: '<Fn::ImportValue>', schema: '$$x', password: '${DB_PASSWORD}' });
});

test('custom: two names with one identifier do not share a secret', () => {
  const connection = (scope: Construct, id: string): AirflowConnection => ({ id, type: 'http', password: remoteSecret(scope, id) });
  const { connections, connectionsTemplates } = airflowValues((stack) => ({ connections: [connection(stack, 'my-db'), connection(stack, 'my_db')] }));
  expect(connections.map(({ password }: Json) => password)).toEqual(['${MY_DB_PASSWORD}', '${MY_DB_PASSWORD_}']);
  expect(Object.values<Json>(connectionsTemplates).map(({ key }) => key)).toEqual(['connection-my-db-password', 'connection-my_db-password']);
});
