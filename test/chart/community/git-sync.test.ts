import { Stack } from 'aws-cdk-lib';
import { AirflowSecret, GitAuth } from '../../../src';
import { Json, Props, remoteSecret, synthCommunity, valuesOf } from '../../util';
import { writtenSecrets } from '../templates';

test('defaults: the DAGs are in the image', () => {
  expect(valuesOf(synthCommunity().template).dags).toEqual({ path: '/opt/airflow/efs/dags', persistence: { enabled: false }, gitSync: { enabled: false } });
});

test('custom: SSH', () => {
  const { template } = synthCommunity((stack) => ({
    gitSync: { repository: 'git@github.com:example/dags.git', subPath: 'dags', auth: GitAuth.ssh({ privateKey: remoteSecret(stack, 'key') }) },
  }));
  expect(valuesOf(template).dags.gitSync).toEqual({
    enabled: true,
    image: { repository: 'registry.k8s.io/git-sync/git-sync', tag: 'v4.7.1' },
    repo: 'git@github.com:example/dags.git',
    branch: 'main',
    revision: 'HEAD',
    depth: 1,
    repoSubPath: 'dags',
    syncWait: 60,
    maxFailures: -1,
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '1Gi' } },
    sshSecret: 'airflow-ssh-git-secret',
    sshSecretKey: 'id_rsa',
    sshKnownHosts: expect.stringContaining('github.com ssh-ed25519'),
  });
  expect(writtenSecrets(template, () => 'KEY\r\nKEY')['airflow-ssh-git-secret']).toEqual({ id_rsa: 'KEY\nKEY\n' });
});

const http = (username: AirflowSecret, password: AirflowSecret, revision?: string) =>
  ({ repository: 'https://gitlab.example.com/dags.git', revision, auth: GitAuth.http({ username, password }) });
const own = (key: string) => AirflowSecret.fromKubernetesSecret('git', key);

test('custom: HTTP, at a revision', () => {
  const { template } = synthCommunity((stack) => ({ gitSync: http(remoteSecret(stack, 'git', 'user'), remoteSecret(stack, 'git', 'token'), 'v1.2') }));
  expect(valuesOf(template).dags.gitSync).toMatchObject({
    branch: '', revision: 'v1.2', httpSecret: 'airflow-http-git-secret', httpSecretUsernameKey: 'username', httpSecretPasswordKey: 'password',
  });
  expect(writtenSecrets(template, (_key, field) => `the ${field}`)['airflow-http-git-secret']).toEqual({ username: 'the user', password: 'the token' });
});

test('custom: HTTP, with a Kubernetes Secret', () => {
  const { template } = synthCommunity({ gitSync: http(own('user'), own('token')) });
  expect(valuesOf(template).dags.gitSync).toMatchObject({ httpSecret: 'git', httpSecretUsernameKey: 'user', httpSecretPasswordKey: 'token' });
});

test('custom: Airflow finds new DAG files soon after git-sync, unless the user sets the interval', () => {
  const gitSync = { repository: 'https://gitlab.example.com/dags.git' };
  const configOf = (props: Props): Json => valuesOf(synthCommunity(props).template).airflow.config;
  expect(configOf({}).AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL).toBeUndefined();
  const config = configOf({ gitSync });
  expect(config.AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL).toBe('20');
  expect(config).toMatchObject(configOf({})); // other options are not lost
  expect(configOf({ gitSync, config: { 'scheduler.dag_dir_list_interval': '300' } }).AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL).toBe('300');
});

test('custom: certificates, a proxy and options of the user', () => {
  const caBundle = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
  const gitSync = { repository: 'https://git.example.com/dags.git', caBundle, proxy: 'http://proxy:3128', environment: { GITSYNC_STALE_WORKTREE_TIMEOUT: '10m' } };
  const { airflow, dags } = valuesOf(synthCommunity({ gitSync, environment: { GITSYNC_STALE_WORKTREE_TIMEOUT: '5m' } }).template);
  expect(dags.gitSync.sshKnownHosts).toBe(caBundle);
  expect(airflow.extraEnv.filter(({ name }: Json) => name.startsWith('GITSYNC_'))).toEqual([
    { name: 'GITSYNC_STALE_WORKTREE_TIMEOUT', value: '5m' },
    { name: 'GITSYNC_GIT_CONFIG', value: 'http.proxy:"http://proxy:3128",http.sslCAInfo:"/etc/git-secret/known_hosts"' },
  ]);
});

test.each([['GITSYNC_SUBMODULES', 'submodules'], ['GITSYNC_SYNC_TIMEOUT', 'syncTimeout']])('fails when the environment of git-sync sets %s', (name, value) => {
  const gitSync = { repository: 'https://git.example.com/dags.git', environment: { [name]: 'x' } };
  expect(() => synthCommunity({ gitSync })).toThrow(new Error(
    `Data/Airflow: 'gitSync.environment' must not set ${name}, which the community chart sets; use 'helmValues.dags.gitSync.${value}'`));
});

test.each<[string, (stack: Stack) => [username: AirflowSecret, password: AirflowSecret], string]>([
  ['user name', (stack) => [own('user'), remoteSecret(stack, 'token')], "'git' and 'airflow-http-git-secret'"],
  ['token', (stack) => [remoteSecret(stack, 'user'), own('token')], "'airflow-http-git-secret' and 'git'"],
])('fails when only the %s is in a Kubernetes Secret', (_name, auth, secrets) => {
  expect(() => synthCommunity((stack) => ({ gitSync: http(...auth(stack)) }))).toThrow(new Error(
    `Data/Airflow: 'gitSync.auth.username' and 'gitSync.auth.password' must be in one Kubernetes Secret, got ${secrets};`
    + ' store both in one, or both in AWS Secrets Manager'));
});
