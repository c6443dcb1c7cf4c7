import { Construct } from 'constructs';
import { AirflowKeys } from './keys';
import { envVar, shellWord, verbatim } from './text';
import { fail } from '../../validation';
import { AirflowSettings, ChartPart } from '../chart-definition';
import { Environment, fromSecret } from '../environment';
import { passwordKeys } from '../user-keys';

/**
 * A container that synchronizes users and pools with the props, beside the DAG processor, which keeps running if that fails.
 *
 * It is ready when everything is done, and helm waits for it. Existing users get the roles, names and passwords of the props.
 */
export function usersAndPools(scope: Construct, settings: AirflowSettings, environment: Environment, keys: AirflowKeys): ChartPart {
  checkUsers(scope, settings);
  const { image, users, pools } = settings;
  if (users.length === 0 && pools.length === 0) {
    return { values: {} };
  }
  const passwords = passwordKeys(scope, settings);
  const variables = [
    ...environment.variables,
    ...Object.entries(keys).map(([name, key]) => fromSecret(name, key)),
    envVar('SYNC_USERS', usersJson(settings)),
    envVar('SYNC_POOLS', poolsJson(settings)),
    ...users.map(({ username }, index) => fromSecret(passwordVariable(index), passwords[username])),
  ];
  const container = {
    name: 'users-and-pools',
    image: `${image.repository}:${image.tag}`,
    args: ['bash', '-c', verbatim(script(settings))],
    env: [
      ...variables.map(({ value, ...rest }) => value === undefined ? rest : { ...rest, value: verbatim(value) }),
      fromSecret('AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', { name: '{{ include "airflow_metadata_secret" . }}', key: 'connection' }),
    ],
    readinessProbe: { exec: { command: ['test', '-f', '/tmp/done'] }, periodSeconds: 5 },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: 'config', mountPath: '/opt/airflow/airflow.cfg', subPath: 'airflow.cfg', readOnly: true }],
  };
  return { values: { dagProcessor: { extraContainers: [container] } }, keys: Object.values(passwords) };
}

function checkUsers(scope: Construct, { config, users }: AirflowSettings): void {
  const authManager = config.AIRFLOW__CORE__AUTH_MANAGER;
  if (authManager !== undefined && !authManager.endsWith('FabAuthManager') && users.length > 0) {
    fail(scope, `'users' must be empty with the auth manager '${authManager}', which has its users elsewhere; use users: []`);
  }
  for (const { username, email } of users) {
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) {
      fail(scope, `'users.${username}.email' must be an address with a fully qualified domain name, which Airflow requires, got '${email}'`);
    }
  }
}

function passwordVariable(index: number): string {
  return `SYNC_PASSWORD_${index}`;
}

function usersJson({ users }: AirflowSettings): string {
  return JSON.stringify(users.map(({ username, email, firstName, lastName, role }) =>
    ({ username, email, firstname: firstName, lastname: lastName, roles: [role] })));
}

function poolsJson({ pools }: AirflowSettings): string {
  return JSON.stringify(Object.fromEntries(pools.map(({ name, slots, description }) => [name, { slots, description: description ?? '', include_deferred: false }])));
}

function script({ users, pools }: AirflowSettings): string {
  return [
    'set -euo pipefail',
    // Leaves existing users unchanged. The import would create new users as well, but with an empty password.
    ...users.map(({ username, email, firstName, lastName, role }, index) =>
      `airflow users create --username=${shellWord(username)} --email=${shellWord(email)} --firstname=${shellWord(firstName)}`
      + ` --lastname=${shellWord(lastName)} --role=${shellWord(role)} --password="$${passwordVariable(index)}"`),
    ...users.length > 0 ? ['echo "$SYNC_USERS" > /tmp/users.json', 'airflow users import /tmp/users.json'] : [],
    ...users.map(({ username }, index) => `airflow users reset-password --username=${shellWord(username)} --password="$${passwordVariable(index)}"`),
    ...pools.length > 0 ? ['echo "$SYNC_POOLS" > /tmp/pools.json', 'airflow pools import /tmp/pools.json'] : [],
    'touch /tmp/done',
    'exec sleep infinity',
  ].join('\n');
}
