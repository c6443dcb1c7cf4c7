import { execFileSync } from 'child_process';
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';
import { ODD, officialValues, synthOfficial } from './util';
import { AirflowOnEksProps, AirflowRole } from '../../../src';
import { Json, temporaryFolder } from '../../util';
import { expand, inContainer } from '../templates';

/** Runs the script of the container with an `airflow` that records its arguments, and returns the calls. */
function run(props: Partial<AirflowOnEksProps>): string[][] {
  const [container] = officialValues(props).dagProcessor.extraContainers;
  const plain: [string, string][] = container.env.filter(({ value }: Json) => value !== undefined).map(({ name, value }: Json) => [name, value]);
  const passwords = container.env.filter(({ name }: Json) => name.startsWith('SYNC_PASSWORD'))
    .map(({ name, valueFrom }: Json) => [name, `-${valueFrom.secretKeyRef.key} $HOME'"`]);
  const expanded = expand({ ...Object.fromEntries(plain), script: container.args[2] });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'airflow'), `#!/bin/bash
printf '%s\\x1f' "$@" >> ${folder}/calls
[ "$2" != import ] || cat "$3" >> ${folder}/calls
printf '\\x1e' >> ${folder}/calls
`, { mode: 0o755 });
  writeFileSync(join(folder, 'sleep'), '#!/bin/bash\n', { mode: 0o755 });
  execFileSync('bash', ['-c', inContainer(expanded.script).replace(/\/tmp\//g, `${folder}/`)], {
    env: {
      PATH: `${folder}:${process.env.PATH}`,
      HOME: '/nowhere',
      ...Object.fromEntries(plain.map(([name]) => [name, inContainer(expanded[name])])),
      ...Object.fromEntries(passwords),
    },
  });
  expect(readFileSync(join(folder, 'done'), 'utf8')).toBe('');
  return readFileSync(join(folder, 'calls'), 'utf8').split('\x1e').slice(0, -1)
    .map((call) => call.split('\x1f').map((word) => word.trim().replace(`${folder}/`, '')).filter(Boolean));
}

/** The calls without the content of the files that they import. */
const commandsOf = (calls: string[][]) =>
  calls.map(([group, command, ...words]) => [`${group} ${command}`, ...words.filter((word) => !/^[[{]/.test(word))]);

const passwordOf = (user: string) => `--password=-airflow-${user}-password $HOME'"`;

test('defaults: one administrator', () => {
  expect(commandsOf(run({}))).toEqual([
    ['users create', '--username=admin', '--email=admin@example.com', '--firstname=admin', '--lastname=admin', '--role=Admin', passwordOf('admin')],
    ['users import', 'users.json'],
    ['users reset-password', '--username=admin', passwordOf('admin')],
  ]);
});

test('defaults: the container is ready when it is done, and connects to the database as the other containers do', () => {
  const [container] = officialValues({ environment: { AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE: '3' } }).dagProcessor.extraContainers;
  expect(container.name).toBe('users-and-pools');
  expect(container.image).toBe('apache/airflow:3.2.2');
  expect(container.readinessProbe.exec.command).toEqual(['test', '-f', '/tmp/done']);
  expect(container.env).toEqual(expect.arrayContaining([
    { name: 'AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE', value: '3' },
    { name: 'AIRFLOW__CORE__FERNET_KEY', valueFrom: { secretKeyRef: { name: 'airflow-fernet-key', key: 'fernet-key' } } },
    { name: 'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', valueFrom: { secretKeyRef: { name: '{{ include "airflow_metadata_secret" . }}', key: 'connection' } } },
  ]));
});

test('custom: users and pools are created, and synchronized with the props', () => {
  const calls = run({
    users: [
      { username: 'admin', email: 'admin@example.com', role: AirflowRole.ADMIN },
      { username: 'o.neil', email: 'o\'neil@example.com', role: AirflowRole.of(ODD), firstName: ODD, lastName: '-x' },
    ],
    pools: [{ name: ODD, slots: 5, description: ODD }, { name: 'default_pool', slots: 64 }],
  });
  expect(commandsOf(calls)).toEqual([
    ['users create', '--username=admin', '--email=admin@example.com', '--firstname=admin', '--lastname=admin', '--role=Admin', passwordOf('admin')],
    ['users create', '--username=o.neil', '--email=o\'neil@example.com', `--firstname=${ODD}`, '--lastname=-x', `--role=${ODD}`, passwordOf('o.neil')],
    ['users import', 'users.json'],
    ['users reset-password', '--username=admin', passwordOf('admin')],
    ['users reset-password', '--username=o.neil', passwordOf('o.neil')],
    ['pools import', 'pools.json'],
  ]);
  expect(JSON.parse(calls[2].at(-1)!)).toEqual([
    { username: 'admin', email: 'admin@example.com', firstname: 'admin', lastname: 'admin', roles: ['Admin'] },
    { username: 'o.neil', email: 'o\'neil@example.com', firstname: ODD, lastname: '-x', roles: [ODD] },
  ]);
  expect(JSON.parse(calls[5].at(-1)!)).toEqual({
    [ODD]: { slots: 5, description: ODD, include_deferred: false },
    default_pool: { slots: 64, description: '', include_deferred: false },
  });
});

test('custom: pools without users', () => {
  expect(run({ users: [], pools: [{ name: 'x', slots: 1 }] }).map(([group, command]) => `${group} ${command}`)).toEqual(['pools import']);
});

test('custom: without users and pools there is no container', () => {
  expect(officialValues({ users: [] }).dagProcessor.extraContainers).toBeUndefined();
});

test('custom: the FAB auth manager, and another auth manager without users', () => {
  const fab = 'airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager';
  expect(() => synthOfficial({ config: { 'core.auth_manager': fab } })).not.toThrow();
  expect(() => synthOfficial({ config: { 'core.auth_manager': 'example.AuthManager' }, users: [] })).not.toThrow();
});

test.each<[string, Partial<AirflowOnEksProps>, string]>([
  ['the auth manager has its users elsewhere', { config: { 'core.auth_manager': 'airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager' } },
    "'users' must be empty with the auth manager 'airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager',"
    + ' which has its users elsewhere; use users: []'],
  ['the domain name of an email address is not fully qualified', { users: [{ username: 'a', email: 'a@b' }] },
    "'users.a.email' must be an address with a fully qualified domain name, which Airflow requires, got 'a@b'"],
])('fails when %s', (_name, props, message) => {
  expect(() => synthOfficial(props)).toThrow(new Error(`Data/Airflow: ${message}`));
});
