import { createHash } from 'crypto';
import { Duration } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { newStack, objectsOf, synthAirflow, valuesOf } from './util';
import { AirflowSecret, GitAuth, GitSyncOptions, KnownHosts } from '../src';
import { gitSyncSettings } from '../src/git-sync';

const secret = (scope: Construct, name = 'Key') => AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(scope, name, name));

function settings(options: (scope: Construct) => GitSyncOptions) {
  const stack = newStack();
  return gitSyncSettings(stack, options(stack));
}

const ssh = (repository: string, knownHosts?: KnownHosts) => (scope: Construct): GitSyncOptions =>
  ({ repository, auth: GitAuth.ssh({ privateKey: secret(scope), knownHosts }) });

test('defaults', () => {
  expect(settings(() => ({ repository: 'https://github.com/example/dags.git' }))).toEqual({
    repository: 'https://github.com/example/dags.git', branch: 'main', revision: 'HEAD', subPath: '', depth: 1, periodSeconds: 60,
  });
});

test('custom', () => {
  expect(settings(() => ({
    repository: 'https://github.com/example/dags.git', branch: 'live', subPath: 'airflow/dags', depth: 0, period: Duration.seconds(30),
  }))).toMatchObject({ branch: 'live', revision: 'HEAD', subPath: 'airflow/dags', depth: 0, periodSeconds: 30 });
});

test('a revision stands in place of a branch', () => {
  const repository = 'https://github.com/example/dags.git';
  expect(settings(() => ({ repository, revision: 'v1' }))).toMatchObject({ branch: '', revision: 'v1' });
  expect(() => settings(() => ({ repository, branch: 'live', revision: 'v1' }))).toThrow(
    "'gitSync.branch' and 'gitSync.revision' exclude each other, got 'live' and 'v1'; take one out");
});

test.each([
  ['git@github.com:example/dags.git', 'github.com'],
  ['ssh://git@gitlab.com/example/dags.git', 'gitlab.com'],
  ['git@bitbucket.org:example/dags.git', 'bitbucket.org'],
])('the host keys of a public forge are built in: %s', (repository, host) => {
  const lines = settings(ssh(repository)).ssh!.knownHosts.split('\n');
  expect(lines).toHaveLength(2);
  expect(lines.every((line) => line.startsWith(`${host} `))).toBe(true);
});

/**
 * As published by GitHub, GitLab and Bitbucket.
 *
 * @see https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints
 * @see https://docs.gitlab.com/user/gitlab_com/#ssh-host-keys-fingerprints
 * @see https://support.atlassian.com/bitbucket-cloud/docs/configure-ssh-and-two-step-verification/
 */
test.each<[string, KnownHosts, Record<string, string>]>([
  ['github.com', KnownHosts.GITHUB, {
    'ssh-ed25519': '+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU', 'ecdsa-sha2-nistp256': 'p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM',
  }],
  ['gitlab.com', KnownHosts.GITLAB, {
    'ssh-ed25519': 'eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8', 'ecdsa-sha2-nistp256': 'HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw',
  }],
  ['bitbucket.org', KnownHosts.BITBUCKET, {
    'ssh-ed25519': 'ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM', 'ecdsa-sha2-nistp256': 'FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0',
  }],
])('the host keys of %s have the published fingerprints', (host, knownHosts, fingerprints) => {
  const found = knownHosts._lines.map((line) => {
    const [name, type, key] = line.split(' ');
    expect(name).toBe(host);
    return [type, createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')];
  });
  expect(Object.fromEntries(found)).toEqual(fingerprints);
});

test.each([
  ['another port', 'ssh://git@git.example.com:2222/dags.git', '[git.example.com]:2222 ssh-ed25519 AAAA'],
  ['several names', 'git@git.example.com:dags.git', 'git.example.com,10.0.0.1 ssh-ed25519 AAAA'],
  ['hashed names', 'git@git.example.com:dags.git', '|1|abc=|def= ssh-ed25519 AAAA'],
  ['comments and empty lines', 'git@git.example.com:dags.git', '# git.example.com:22 SSH-2.0\n\ngit.example.com ssh-ed25519 AAAA\n'],
])('host keys with %s', (_name, repository, line) => {
  expect(settings(ssh(repository, KnownHosts.of(line))).ssh!.knownHosts).toMatch(/^\S+ ssh-ed25519 AAAA$/);
});

test('any host is trusted only when it is said so', () => {
  expect(settings(ssh('git@git.example.com:dags.git', KnownHosts.insecureAcceptAny())).ssh!.knownHosts).toBe('');
});

test('SSH: the private key comes from a Secret, with the line end that secret stores lose', () => {
  const { template } = synthAirflow((stack) => ({ gitSync: ssh('git@github.com:example/dags.git')(stack) }));
  expect(valuesOf(template).dags.gitSync).toMatchObject({ enabled: true, sshSecret: 'airflow-ssh-git-secret', sshSecretKey: 'id_rsa', sshKnownHosts: expect.stringContaining('github.com ssh-ed25519') });
  const [target] = objectsOf(template, 'ExternalSecret').filter(({ metadata }) => metadata.name === 'airflow-ssh-git-secret');
  expect(target.spec.target.template.data.id_rsa).toMatch(/^\{\{ \.secret\d+ \| replace "\\r" "" \| trim \}\}\n$/);
});

test('HTTP: user and token come from one Secret', () => {
  const { template } = synthAirflow((stack) => ({
    gitSync: { repository: 'https://gitlab.example.com/dags.git', auth: GitAuth.http({ username: secret(stack, 'User'), password: secret(stack, 'Token') }) },
  }));
  expect(valuesOf(template).dags.gitSync).toMatchObject({
    httpSecret: 'airflow-http-git-secret', httpSecretUsernameKey: 'username', httpSecretPasswordKey: 'password',
  });
  const [target] = objectsOf(template, 'ExternalSecret').filter(({ metadata }) => metadata.name === 'airflow-http-git-secret');
  expect(Object.keys(target.spec.target.template.data)).toEqual(['password', 'username']);
});

test('HTTP: user and token of a Kubernetes Secret of the user are read where they are', () => {
  const own = (key: string) => AirflowSecret.fromKubernetesSecret('git', key);
  const { template } = synthAirflow({ gitSync: { repository: 'https://gitlab.example.com/dags.git', auth: GitAuth.http({ username: own('user'), password: own('token') }) } });
  expect(valuesOf(template).dags.gitSync).toMatchObject({ httpSecret: 'git', httpSecretUsernameKey: 'user', httpSecretPasswordKey: 'token' });
});

test.each<[string, (scope: Construct) => AirflowSecret, (scope: Construct) => AirflowSecret, string]>([
  ['user', () => AirflowSecret.fromKubernetesSecret('git', 'user'), (scope) => secret(scope), "'git' and 'airflow-http-git-secret'"],
  ['token', (scope) => secret(scope), () => AirflowSecret.fromKubernetesSecret('git', 'token'), "'airflow-http-git-secret' and 'git'"],
])('HTTP: fails when only the %s is in a Kubernetes Secret of the user', (_name, username, password, secrets) => {
  expect(() => synthAirflow((stack) => ({
    gitSync: { repository: 'https://gitlab.example.com/dags.git', auth: GitAuth.http({ username: username(stack), password: password(stack) }) },
  }))).toThrow(new Error(`Data/Airflow: 'gitSync.auth.username' and 'gitSync.auth.password' must be in one Kubernetes Secret, got ${secrets};`
    + ' keep both in it, or both in AWS Secrets Manager'));
});

test('without git-sync the DAGs are in the image', () => {
  expect(valuesOf(synthAirflow().template).dags.gitSync).toEqual({ enabled: false });
});

const http = (repository: string) => (scope: Construct): GitSyncOptions =>
  ({ repository, auth: GitAuth.http({ username: secret(scope, 'User'), password: secret(scope, 'Token') }) });

test.each<[string, (scope: Construct) => GitSyncOptions, string]>([
  ['an SSH URL has HTTP auth', http('git@github.com:example/dags.git'),
    "'gitSync.auth' is GitAuth.http(), but 'gitSync.repository' is an SSH URL, got 'git@github.com:example/dags.git'; use GitAuth.ssh(), or the HTTPS URL"],
  ['an SSH URL has no auth', () => ({ repository: 'git@github.com:example/dags.git' }),
    "'gitSync.auth' is not set, but 'gitSync.repository' is an SSH URL, got 'git@github.com:example/dags.git'; use GitAuth.ssh(), or the HTTPS URL"],
  ['an HTTPS URL has SSH auth', ssh('https://github.com/example/dags.git'),
    "'gitSync.auth' is GitAuth.ssh(), but 'gitSync.repository' is an HTTP URL, got 'https://github.com/example/dags.git'; use GitAuth.http(), or the SSH URL"],
  ['a token would travel in plain text', http('http://git.example.com/dags.git'), "'gitSync.repository' must be an https:// URL to carry a token, got 'http://git.example.com/dags.git'"],
  ['a host has no host keys', ssh('git@git.example.com:dags.git'),
    "'gitSync.auth' needs 'knownHosts' for 'git.example.com', whose host keys are not built in; use KnownHosts.of() with the output of: ssh-keyscan git.example.com"],
  ['the host keys are of another host', ssh('git@git.example.com:dags.git', KnownHosts.GITHUB),
    "'knownHosts' of 'gitSync.auth' must have a line for 'git.example.com', got lines for 'github.com'"],
  ['the URL is none', () => ({ repository: 'dags' }),
    "'gitSync.repository' must be a URL such as 'git@host:group/repository.git' or 'https://host/group/repository.git', got 'dags'"],
  ['the URL has a password', () => ({ repository: 'https://user:token@git.example.com/dags.git' }),
    "'gitSync.repository' must not hold a password; give it to 'gitSync.auth' by GitAuth.http()"],
  ['depth is negative', () => ({ repository: 'https://github.com/example/dags.git', depth: -1 }), "'gitSync.depth' must be a whole number of commits, or 0 for all, got -1"],
  ['subPath leaves the repository', () => ({ repository: 'https://github.com/example/dags.git', subPath: '../dags' }),
    "'gitSync.subPath' must be a path inside the repository, without / at either end, got '../dags'"],
  ['subPath is absolute', () => ({ repository: 'https://github.com/example/dags.git', subPath: '/dags' }),
    "'gitSync.subPath' must be a path inside the repository, without / at either end, got '/dags'"],
])('fails when %s', (_name, options, message) => {
  expect(() => settings(options)).toThrow(new Error(`Data: ${message}`));
});
