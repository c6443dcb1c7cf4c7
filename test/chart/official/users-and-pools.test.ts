import { readFileSync } from 'fs';
import { ODD, officialValues, synthOfficial } from './util';
import { AirflowOnEksProps, AirflowRole, AirflowSecret } from '../../../src';
import { Json, Props } from '../../util';
import { expand, inContainer } from '../templates';

const containerOf = (props?: Props, version?: string): Json => officialValues(props, version).dagProcessor.extraContainers[0];

/** The lists that the program of a container reads. */
function listsOf({ env }: Json): { users: Json[]; pools: Json[] } {
  const variable = (name: string) => JSON.parse(inContainer(expand({ text: env.find((found: Json) => found.name === name).value }).text));
  return { users: variable('AIRFLOW_ON_EKS_USERS'), pools: variable('AIRFLOW_ON_EKS_POOLS') };
}

/** The key of a Kubernetes Secret that each variable of a container contains. */
const secretsOf = ({ env }: Json) =>
  Object.fromEntries(env.filter(({ valueFrom }: Json) => valueFrom).map(({ name, valueFrom }: Json) => [name, valueFrom.secretKeyRef]));

describe('defaults', () => {
  test.each(['3.3.2', '2.11.2'])('one program, which the container receives without a change: Airflow %s', (version) => {
    const [python, option, program, ready, ...others] = containerOf({}, version).args;
    expect([python, option, ready, others]).toEqual(['python', '-c', '/tmp/done', []]);
    expect(inContainer(expand({ program }).program, process.env as Record<string, string>)).toBe(readFileSync('src/assets/users_and_pools.py', 'utf8'));
  });

  test('one administrator, with a generated password, and no pools', () => {
    expect(listsOf(containerOf())).toEqual({
      users: [{
        username: 'admin', email: 'admin@example.com', role: 'Admin', firstName: 'admin', lastName: 'admin', passwordVariable: 'AIRFLOW_ON_EKS_PASSWORD_0',
      }],
      pools: [],
    });
    expect(secretsOf(containerOf())).toMatchObject({ AIRFLOW_ON_EKS_PASSWORD_0: { name: 'airflow-secret', key: 'airflow-admin-password' } });
  });

  test('the container is ready when all have been tried, and connects to the database as the other containers do', () => {
    const container = containerOf({ environment: { AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE: '3' } });
    expect(container).toMatchObject({
      name: 'users-and-pools',
      image: 'apache/airflow:3.3.2',
      readinessProbe: { exec: { command: ['test', '-f', '/tmp/done'] }, periodSeconds: 5 },
      terminationMessagePolicy: 'FallbackToLogsOnError', // kubectl describe pod shows why it stopped
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    });
    expect(container.env).toEqual(expect.arrayContaining([
      { name: 'AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE', value: '3' },
      { name: 'AIRFLOW__CORE__FERNET_KEY', valueFrom: { secretKeyRef: { name: 'airflow-fernet-key', key: 'fernet-key' } } },
      { name: 'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', valueFrom: { secretKeyRef: { name: '{{ include "airflow_metadata_secret" . }}', key: 'connection' } } },
    ]));
  });
});

describe('custom', () => {
  test('users and pools, with text that Helm, Kubernetes and JSON treat specially', () => {
    const container = containerOf({
      users: [
        { username: 'admin', email: 'admin@example.com', role: AirflowRole.ADMIN },
        { username: 'o.neil', email: 'o\'neil@example.com', role: AirflowRole.of(ODD), firstName: ODD, lastName: '-x' },
      ],
      pools: [{ name: ODD, slots: 5, description: ODD }, { name: 'default_pool', slots: 64 }],
    });
    expect(listsOf(container)).toEqual({
      users: [
        { username: 'admin', email: 'admin@example.com', role: 'Admin', firstName: 'admin', lastName: 'admin', passwordVariable: 'AIRFLOW_ON_EKS_PASSWORD_0' },
        { username: 'o.neil', email: 'o\'neil@example.com', role: ODD, firstName: ODD, lastName: '-x', passwordVariable: 'AIRFLOW_ON_EKS_PASSWORD_1' },
      ],
      pools: [{ name: ODD, slots: 5, description: ODD }, { name: 'default_pool', slots: 64 }],
    });
    expect(secretsOf(container)).toMatchObject({
      AIRFLOW_ON_EKS_PASSWORD_0: { name: 'airflow-secret', key: 'airflow-admin-password' },
      AIRFLOW_ON_EKS_PASSWORD_1: { name: 'airflow-secret', key: 'airflow-o.neil-password' },
    });
  });

  test('no password is in the values', () => {
    const password = AirflowSecret.fromKubernetesSecret('mine', 'joe');
    const container = containerOf({ users: [{ username: 'joe', email: 'joe@example.com', password }] });
    expect(Object.keys(listsOf(container).users[0])).not.toContain('password');
    expect(secretsOf(container).AIRFLOW_ON_EKS_PASSWORD_0).toEqual({ name: 'mine', key: 'joe' });
  });

  test('without users and pools, the container removes those of an earlier deployment', () => {
    const container = containerOf({ users: [] });
    expect(container.args).toEqual(containerOf().args);
    expect(listsOf(container)).toEqual({ users: [], pools: [] });
    expect(Object.keys(secretsOf(container)).filter((name) => name.includes('PASSWORD'))).toEqual([]);
  });
});

test.each<[string, Partial<AirflowOnEksProps>, string]>([
  ['the domain name of an email address is not fully qualified', { users: [{ username: 'a', email: 'a@b' }] },
    "'users.a.email' must be an address with a fully qualified domain name, which Airflow requires, got 'a@b'"],
])('fails when %s', (_name, props, message) => {
  expect(() => synthOfficial(props)).toThrow(new Error(`Data/Airflow: ${message}`));
});
