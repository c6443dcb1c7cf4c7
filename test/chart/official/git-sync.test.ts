import { Stack } from 'aws-cdk-lib';
import * as YAML from 'yaml';
import { environmentOf, officialValues, synthOfficial } from './util';
import { AirflowSecret, GitAuth, KnownHosts } from '../../../src';
import { remoteSecret, valuesOf } from '../../util';
import { writtenSecrets } from '../templates';

test('defaults: the DAGs are in the image', () => {
  expect(officialValues().dags).toEqual({ persistence: { enabled: false }, gitSync: { enabled: false } });
});

const ssh = (stack: Stack, privateKey = remoteSecret(stack, 'key')) => ({
  repository: 'git@git.example.com:data/dags.git',
  subPath: 'dags',
  auth: GitAuth.ssh({ privateKey, knownHosts: KnownHosts.of('git.example.com ssh-ed25519 AAAA') }),
});

test('custom: SSH', () => {
  const { template } = synthOfficial((stack) => ({ gitSync: ssh(stack) }));
  const { dags, images } = valuesOf(template);
  expect(dags.gitSync).toEqual({
    enabled: true,
    repo: 'git@git.example.com:data/dags.git',
    branch: 'main',
    rev: 'HEAD',
    ref: 'main',
    depth: 1,
    subPath: 'dags',
    period: '60s',
    maxFailures: -1,
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '1Gi' } },
    startupProbe: { failureThreshold: 60 },
    sshKeySecret: 'airflow-ssh-git-secret',
    knownHosts: 'git.example.com ssh-ed25519 AAAA',
  });
  expect(images.gitSync).toEqual({ repository: 'registry.k8s.io/git-sync/git-sync', tag: 'v4.7.1' });
  expect(writtenSecrets(template, () => 'KEY\r\nKEY')['airflow-ssh-git-secret']).toEqual({ gitSshKey: 'KEY\nKEY\n' });
});

const http = (username: AirflowSecret, password: AirflowSecret) =>
  ({ repository: 'https://git.example.com/data/dags.git', revision: 'v1.2', auth: GitAuth.http({ username, password }) });

test('custom: HTTP, at a revision', () => {
  const { template } = synthOfficial((stack) => ({ gitSync: http(remoteSecret(stack, 'git', 'user'), remoteSecret(stack, 'git', 'token')) }));
  expect(valuesOf(template).dags.gitSync).toMatchObject({ branch: '', rev: '', ref: 'v1.2', subPath: '', credentialsSecret: 'airflow-http-git-secret' });
  expect(writtenSecrets(template, (_key, field) => `the ${field}`)['airflow-http-git-secret']).toEqual({
    GIT_SYNC_USERNAME: 'the user', GITSYNC_USERNAME: 'the user', GIT_SYNC_PASSWORD: 'the token', GITSYNC_PASSWORD: 'the token',
  });
});

test.each([['3.3.2', 'dag_processor', 'refresh_interval'], ['2.11.2', 'scheduler', 'dag_dir_list_interval']])(
  'custom: Airflow %s finds new DAG files soon after git-sync, by %s.%s', (version, section, option) => {
    const gitSync = { repository: 'https://git.example.com/data/dags.git' };
    expect(officialValues({}, version).config[section]).toBeUndefined();
    const values = officialValues({ gitSync }, version);
    expect(values.config[section]).toEqual({ [option]: 20 });
    expect(values.config.core).toEqual({ default_task_retries: 2 }); // other options are not lost
    // An environment variable has precedence over the file in which the chart writes 'config'.
    expect(environmentOf(officialValues({ gitSync, config: { [`${section}.${option}`]: '300' } }, version)))
      .toEqual({ [`AIRFLOW__${section}__${option}`.toUpperCase()]: '300' });
  });

test('custom: certificates, a proxy and options of the user', () => {
  const volume = { name: 'certificates', emptyDir: {} };
  const { dags, volumes, extraConfigMaps } = officialValues({
    gitSync: {
      repository: 'https://git.example.com/dags.git',
      caBundle: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
      proxy: 'http://proxy:3128',
      environment: { GITSYNC_STALE_WORKTREE_TIMEOUT: '10m' },
    },
    helmValues: { volumes: [volume], dags: { gitSync: { env: [{ name: 'GITSYNC_VERBOSE', value: '3' }] } } },
  });
  expect(dags.gitSync.env).toEqual([
    { name: 'GITSYNC_STALE_WORKTREE_TIMEOUT', value: '10m' },
    { name: 'GITSYNC_GIT_CONFIG', value: 'http.proxy:"http://proxy:3128",http.sslCAInfo:"/etc/git-sync-ca/ca.crt"' },
    { name: 'GITSYNC_VERBOSE', value: '3' },
  ]);
  expect(dags.gitSync.extraVolumeMounts).toEqual([{ name: 'git-sync-ca', mountPath: '/etc/git-sync-ca', readOnly: true }]);
  expect(volumes).toEqual([{ name: 'git-sync-ca', configMap: { name: 'airflow-git-sync-ca' } }, volume]);
  expect(YAML.parse(extraConfigMaps['airflow-git-sync-ca'].data)).toEqual({ 'ca.crt': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----' });
});

const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);

test('custom: the private key of a Kubernetes Secret', () => {
  expect(officialValues((stack) => ({ gitSync: ssh(stack, own('gitSshKey')) })).dags.gitSync.sshKeySecret).toBe('mine');
});

test('fails when the private key has another key than the chart reads', () => {
  expect(() => synthOfficial((stack) => ({ gitSync: ssh(stack, own('id_rsa')) }))).toThrow(new Error(
    "Data/Airflow: 'gitSync.auth.privateKey' must have the key 'gitSshKey' in its Kubernetes Secret, which is the only key that the chart reads, got 'id_rsa'"));
});

test('fails when a token is in a Kubernetes Secret', () => {
  expect(() => synthOfficial((stack) => ({ gitSync: http(remoteSecret(stack, 'git', 'user'), own('token')) }))).toThrow(new Error(
    "Data/Airflow: 'gitSync.auth.password' is the Kubernetes Secret 'mine', but this chart needs the value as a part of 'airflow-http-git-secret';"
    + ' store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'));
});
