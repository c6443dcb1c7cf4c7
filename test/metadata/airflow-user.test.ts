import { Fn } from 'aws-cdk-lib';
import { AirflowOnEksProps, AirflowRole, AirflowSecret, AirflowUser } from '../../src';
import { userSettings } from '../../src/metadata/airflow-user';
import { CHARTS_UNDER_TEST, newStack, synthAirflow, synthCommunity, valuesOf } from '../util';

const settings = (users?: AirflowUser[]) => userSettings(newStack(), users);
const user = (username: string, email = 'joe@example.com') => ({ username, email });

test('defaults: one administrator', () => {
  expect(settings()).toEqual([{ username: 'admin', email: 'admin@example.com', role: 'Admin', firstName: 'admin', lastName: 'admin' }]);
  expect(Object.keys(synthAirflow().airflow.secrets.userPasswords)).toEqual(['admin']);
});

test('defaults of a user', () => {
  expect(settings([user('joe')])).toEqual([{ username: 'joe', email: 'joe@example.com', role: 'Viewer', firstName: 'joe', lastName: 'joe', password: undefined }]);
});

test('custom', () => {
  const password = AirflowSecret.fromKubernetesSecret('mine', 'joe');
  expect(settings([{ ...user('joe'), role: AirflowRole.OP, firstName: 'Joe', lastName: 'Doe', password }]))
    .toEqual([{ username: 'joe', email: 'joe@example.com', role: 'Op', firstName: 'Joe', lastName: 'Doe', password }]);
});

test('custom: no users', () => {
  expect(settings([])).toEqual([]);
  expect(valuesOf(synthCommunity({ users: [] }).template).airflow.users).toEqual([]);
});

test('the roles', () => {
  const { ADMIN, OP, USER, VIEWER, PUBLIC } = AirflowRole;
  expect([ADMIN, OP, USER, VIEWER, PUBLIC, AirflowRole.of('Analyst')].map(({ name }) => name)).toEqual(['Admin', 'Op', 'User', 'Viewer', 'Public', 'Analyst']);
});

const SIMPLE = 'airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager';

const USERNAME = "'users.username' must be letters, digits, and . _ - @, got";

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, Partial<AirflowOnEksProps>, string]>([
    ['a user is there twice', { users: [user('joe'), user('jane'), user('joe')] }, "'users' must contain each name only once, got 'joe' twice"],
    ['two user names differ only in case, which are the same to Airflow', { users: [user('Bob', 'bob@example.com'), user('bob', 'robert@example.com')] },
      "'users' must contain each name only once, got 'bob' twice"],
    ['two users have one email address', { users: [user('joe'), user('jane')] }, "'users.email' must contain each name only once, got 'joe@example.com' twice"],
    ['a user name has other characters', { users: [user('joe doe')] }, `${USERNAME} 'joe doe'`],
    ['a user name is empty', { users: [user('')] }, `${USERNAME} ''`],
    ['an email address is not valid', { users: [user('joe', 'joe')] }, "'users.joe.email' must be an email address, got 'joe'"],
    ...[{ config: { 'core.auth_manager': SIMPLE } }, { environment: { AIRFLOW__CORE__AUTH_MANAGER: SIMPLE } }]
      .map((props): [string, Partial<AirflowOnEksProps>, string] => [`an auth manager in '${Object.keys(props)[0]}' has its users elsewhere`, props,
        `'users' must be empty with the auth manager '${SIMPLE}', which has its users elsewhere; use users: []`]),
  ])('fails when %s', (_name, props, message) => {
    expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));
  });

  test.each<[string, Partial<AirflowOnEksProps>]>([
    ['the FAB auth manager', { config: { 'core.auth_manager': 'airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager' } }],
    ['another auth manager without users', { environment: { AIRFLOW__CORE__AUTH_MANAGER: SIMPLE }, users: [] }],
    ['an auth manager that is not known yet', { config: { 'core.auth_manager': Fn.importValue('AuthManager') } }],
  ])('custom: %s', (_name, props) => {
    expect(() => synthAirflow({ chart: chart(), ...props })).not.toThrow();
  });
});
