import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { AirflowSecret, GitAuth, GitSyncOptions, KnownHosts } from '../../src';
import { gitSyncSettings } from '../../src/git-sync/git-sync';
import { writtenSecrets } from '../chart/templates';
import { newStack, synthAirflow, synthCommunity, valuesOf } from '../util';

const secret = (scope: Construct, name: string) => AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(scope, name, name));
const own = (key: string) => AirflowSecret.fromKubernetesSecret('git', key);

const ssh = (repository: string, knownHosts?: KnownHosts): GitSyncOptions => ({ repository, auth: GitAuth.ssh({ privateKey: own('key'), knownHosts }) });
const http = (repository: string): GitSyncOptions => ({ repository, auth: GitAuth.http({ username: own('user'), password: own('token') }) });

const credentials = (options: GitSyncOptions) => gitSyncSettings(newStack(), options).credentials;

test('SSH, defaults: the built-in host keys', () => {
  expect(credentials(ssh('git@github.com:example/dags.git'))).toEqual({ kind: 'ssh', privateKey: own('key'), knownHosts: KnownHosts.GITHUB._lines.join('\n') });
});

test('SSH, custom: host keys of your own', () => {
  expect(credentials(ssh('git@git.example.com:dags.git', KnownHosts.of('git.example.com ssh-ed25519 AAAA')))).toMatchObject({ knownHosts: 'git.example.com ssh-ed25519 AAAA' });
  expect(credentials(ssh('git@github.com:example/dags.git', KnownHosts.of('github.com ssh-ed25519 AAAA')))).toMatchObject({ knownHosts: 'github.com ssh-ed25519 AAAA' });
});

test('HTTP: user name and token', () => {
  expect(credentials(http('https://git.example.com/dags.git'))).toEqual({ kind: 'http', username: own('user'), password: own('token') });
});

test('SSH: the private key is in a Kubernetes Secret, with the line end that secret stores remove', () => {
  const { template } = synthCommunity((stack) => ({
    gitSync: { repository: 'git@github.com:example/dags.git', auth: GitAuth.ssh({ privateKey: secret(stack, 'Key') }) },
  }));
  expect(valuesOf(template).dags.gitSync).toMatchObject({
    enabled: true, sshSecret: 'airflow-ssh-git-secret', sshSecretKey: 'id_rsa', sshKnownHosts: expect.stringContaining('github.com ssh-ed25519'),
  });
  expect(writtenSecrets(template, () => 'LINE\r\nLINE')['airflow-ssh-git-secret']).toEqual({ id_rsa: 'LINE\nLINE\n' });
});

test('HTTP: user name and token are in one Kubernetes Secret', () => {
  const { template } = synthCommunity((stack) => ({
    gitSync: { repository: 'https://gitlab.example.com/dags.git', auth: GitAuth.http({ username: secret(stack, 'User'), password: secret(stack, 'Token') }) },
  }));
  expect(valuesOf(template).dags.gitSync).toMatchObject({
    httpSecret: 'airflow-http-git-secret', httpSecretUsernameKey: 'username', httpSecretPasswordKey: 'password',
  });
  expect(writtenSecrets(template, (key) => key)['airflow-http-git-secret']).toEqual({ username: 'User', password: 'Token' });
});

test("HTTP: user name and token of the user's own Kubernetes Secret are read from there", () => {
  const { template } = synthCommunity({ gitSync: http('https://gitlab.example.com/dags.git') });
  expect(valuesOf(template).dags.gitSync).toMatchObject({ httpSecret: 'git', httpSecretUsernameKey: 'user', httpSecretPasswordKey: 'token' });
});

test.each<[string, (scope: Construct) => AirflowSecret, (scope: Construct) => AirflowSecret, string]>([
  ['user name', () => own('user'), (scope) => secret(scope, 'Token'), "'git' and 'airflow-http-git-secret'"],
  ['token', (scope) => secret(scope, 'User'), () => own('token'), "'airflow-http-git-secret' and 'git'"],
])("fails when only the %s is in the user's own Kubernetes Secret", (_name, username, password, secrets) => {
  expect(() => synthCommunity((stack) => ({
    gitSync: { repository: 'https://gitlab.example.com/dags.git', auth: GitAuth.http({ username: username(stack), password: password(stack) }) },
  }))).toThrow(new Error(`Data/Airflow: 'gitSync.auth.username' and 'gitSync.auth.password' must be in one Kubernetes Secret, got ${secrets};`
    + ' store both in one, or both in AWS Secrets Manager'));
});

test("fails when the official chart cannot read the key of the user's own Kubernetes Secret", () => {
  expect(() => synthAirflow({ gitSync: ssh('git@github.com:example/dags.git') })).toThrow(new Error("Data/Airflow: 'gitSync.auth.privateKey' must have the key 'gitSshKey'"
    + " in its Kubernetes Secret, which is the only key that the chart reads, got 'key'"));
});

const SSH_URL = (url: string) => `'gitSync.auth' is GitAuth.http(), but 'gitSync.repository' is an SSH URL, got '${url}'; use GitAuth.ssh() or the HTTPS URL`;

test.each<[string, GitSyncOptions, string]>([
  ['an SSH URL has HTTP credentials', http('git@github.com:example/dags.git'), SSH_URL('git@github.com:example/dags.git')],
  ['an ssh:// URL has HTTP credentials', http('ssh://git@github.com/example/dags.git'), SSH_URL('ssh://git@github.com/example/dags.git')],
  ['an HTTPS URL has SSH credentials', ssh('https://github.com/example/dags.git'),
    "'gitSync.auth' is GitAuth.ssh(), but 'gitSync.repository' is an HTTP URL, got 'https://github.com/example/dags.git'; use GitAuth.http() or the SSH URL"],
  ['a token would be sent in plain text', http('http://git.example.com/dags.git'),
    "'gitSync.repository' must be an https:// URL, because 'gitSync.auth' sends a token, got 'http://git.example.com/dags.git'"],
])('fails when %s', (_name, options, message) => {
  expect(() => credentials(options)).toThrow(new Error(`Data: ${message}`));
});
