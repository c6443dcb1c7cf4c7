import { Construct } from 'constructs';
import { AirflowKeys } from './keys';
import { envVar, verbatim } from './text';
import { asset } from '../../assets';
import { fail } from '../../validation';
import { AirflowSettings, ChartPart } from '../chart-definition';
import { Environment, escapeDollars, fromSecret } from '../environment';
import { SMALL_CONTAINERS } from '../resources';
import { passwordKeys } from '../user-keys';

/**
 * A container that synchronizes users and pools with the props, beside the DAG processor, which keeps running if that fails.
 *
 * It is ready when all have been tried, and the deployment waits for it. It also runs without users and pools, to remove those of an earlier deployment.
 */
export function usersAndPools(scope: Construct, settings: AirflowSettings, environment: Environment, keys: AirflowKeys): ChartPart {
  checkUsers(scope, settings);
  const { image } = settings;
  const passwords = passwordKeys(scope, settings);
  const variables = [
    ...environment.variables,
    ...Object.entries(keys).map(([name, key]) => fromSecret(name, key)),
    envVar('AIRFLOW_ON_EKS_USERS', usersJson(settings)),
    envVar('AIRFLOW_ON_EKS_POOLS', JSON.stringify(settings.pools)),
    ...settings.users.map(({ username }, index) => fromSecret(passwordVariable(index), passwords[username])),
  ];
  const container = {
    name: 'users-and-pools',
    image: `${image.repository}:${image.tag}`,
    args: ['python', '-c', verbatim(escapeDollars(asset('users_and_pools.py'))), '/tmp/done'],
    env: [
      ...variables.map(({ value, ...rest }) => value === undefined ? rest : { ...rest, value: verbatim(value) }),
      fromSecret('AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', { name: '{{ include "airflow_metadata_secret" . }}', key: 'connection' }),
    ],
    resources: SMALL_CONTAINERS.usersAndPools,
    readinessProbe: { exec: { command: ['test', '-f', '/tmp/done'] }, periodSeconds: 5 },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: 'config', mountPath: '/opt/airflow/airflow.cfg', subPath: 'airflow.cfg', readOnly: true }],
  };
  return { values: { dagProcessor: { extraContainers: [container] } }, keys: Object.values(passwords) };
}

function checkUsers(scope: Construct, { users }: AirflowSettings): void {
  for (const { username, email } of users) {
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) {
      fail(scope, `'users.${username}.email' must be an address with a fully qualified domain name, which Airflow requires, got '${email}'`);
    }
  }
}

function passwordVariable(index: number): string {
  return `AIRFLOW_ON_EKS_PASSWORD_${index}`;
}

function usersJson({ users }: AirflowSettings): string {
  return JSON.stringify(users.map(({ password, ...user }, index) => ({ ...user, passwordVariable: passwordVariable(index) })));
}
