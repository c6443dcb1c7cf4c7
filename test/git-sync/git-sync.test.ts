import { Duration } from 'aws-cdk-lib';
import * as codecommit from 'aws-cdk-lib/aws-codecommit';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AirflowSecret, GitAuth, GitSyncOptions, KnownHosts } from '../../src';
import { gitSyncEnvironment, gitSyncSettings } from '../../src/git-sync/git-sync';
import { newStack, synthAirflow, synthCommunity, valuesOf } from '../util';

const settings = (options: GitSyncOptions) => gitSyncSettings(newStack(), options);

const repository = 'https://github.com/example/dags.git';
const own = (key: string) => AirflowSecret.fromKubernetesSecret('git', key);

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

test('defaults', () => {
  expect(settings({ repository })).toEqual({ repository, branch: 'main', revision: 'HEAD', subPath: '', depth: 1, periodSeconds: 60, credentials: undefined, environment: {} });
});

test('custom', () => {
  const auth = GitAuth.http({ username: own('user'), password: own('token') });
  const network = { caBundle: CERTIFICATE, proxy: 'http://proxy.example.com:3128', environment: { GITSYNC_STALE_WORKTREE_TIMEOUT: '10m' } };
  expect(settings({ repository, branch: 'live', subPath: 'airflow/dags', depth: 0, period: Duration.seconds(30), auth, ...network })).toEqual({
    repository,
    branch: 'live',
    revision: 'HEAD',
    subPath: 'airflow/dags',
    depth: 0,
    periodSeconds: 30,
    credentials: { kind: 'http', username: own('user'), password: own('token') },
    ...network,
  });
});

test('custom: a revision replaces the branch', () => {
  expect(settings({ repository, revision: 'v1' })).toMatchObject({ branch: '', revision: 'v1' });
});

test.each<[string, Partial<GitSyncOptions>, Record<string, string>]>([
  ['none', {}, {}],
  ['a proxy', { proxy: 'http://proxy:3128' }, { GITSYNC_GIT_CONFIG: 'http.proxy:"http://proxy:3128"' }],
  ['certificates', { caBundle: CERTIFICATE }, { GITSYNC_GIT_CONFIG: 'http.sslCAInfo:"/ca.crt"' }],
  ['both, and options of the user', { proxy: 'http://proxy:3128', caBundle: CERTIFICATE, environment: { GITSYNC_GIT_CONFIG: 'a.b:c', GITSYNC_TIMEOUT: '9' } },
    { GITSYNC_GIT_CONFIG: 'http.proxy:"http://proxy:3128",http.sslCAInfo:"/ca.crt",a.b:c', GITSYNC_TIMEOUT: '9' }],
])('the environment variables of git-sync: %s', (_name, options, variables) => {
  expect(gitSyncEnvironment(settings({ repository, ...options }), '/ca.crt')).toEqual(variables);
});

test('without git-sync the DAGs are in the image', () => {
  expect(valuesOf(synthCommunity().template).dags.gitSync).toEqual({ enabled: false });
  expect(valuesOf(synthAirflow().template).dags.gitSync).toEqual({ enabled: false });
});

test('settings reach both charts', () => {
  const gitSync = { repository, branch: 'live', subPath: 'airflow/dags', depth: 0, period: Duration.seconds(30) };
  expect(valuesOf(synthCommunity({ gitSync }).template).dags.gitSync).toMatchObject({
    enabled: true, repo: repository, branch: 'live', revision: 'HEAD', repoSubPath: 'airflow/dags', depth: 0, syncWait: 30,
  });
  expect(valuesOf(synthAirflow({ gitSync }).template).dags.gitSync).toMatchObject({
    enabled: true, repo: repository, branch: 'live', ref: 'live', subPath: 'airflow/dags', depth: 0, period: '30s',
  });
});

const SUB_PATH = "'gitSync.subPath' must be a path in the repository, without a leading or trailing /, got";
const NO_URL = "'gitSync.repository' must be a URL such as 'git@host:group/repository.git' or 'https://host/group/repository.git', got";

test.each<[string, GitSyncOptions, string]>([
  ['an SSH URL has no credentials', { repository: 'git@github.com:example/dags.git' },
    "'gitSync.auth' is not set, but 'gitSync.repository' is an SSH URL, got 'git@github.com:example/dags.git'; use GitAuth.ssh() or the HTTPS URL"],
  ['the repository is not a URL', { repository: 'dags' }, `${NO_URL} 'dags'`],
  ['the repository is empty', { repository: '' }, `${NO_URL} ''`],
  ['the URL has a password', { repository: 'https://user:token@git.example.com/dags.git' },
    "'gitSync.repository' must not contain a password; pass it to 'gitSync.auth' with GitAuth.http()"],
  ['there are a branch and a revision', { repository, branch: 'live', revision: 'v1' },
    "'gitSync.branch' and 'gitSync.revision' exclude each other, got 'live' and 'v1'; remove one of them"],
  ['depth is negative', { repository, depth: -1 }, "'gitSync.depth' must be a whole number of at least 0, got -1"],
  ['subPath leaves the repository', { repository, subPath: '../dags' }, `${SUB_PATH} '../dags'`],
  ['subPath is absolute', { repository, subPath: '/dags' }, `${SUB_PATH} '/dags'`],
  ['subPath ends in /', { repository, subPath: 'dags/' }, `${SUB_PATH} 'dags/'`],
  ['certificates are for an SSH URL', { repository: 'git@github.com:example/dags.git', auth: GitAuth.ssh({ privateKey: own('key') }), caBundle: CERTIFICATE },
    "'gitSync.caBundle' needs an HTTPS URL as 'gitSync.repository', got 'git@github.com:example/dags.git'; use the HTTPS URL, or remove 'caBundle'"],
  ['a proxy is for an SSH URL', { repository: 'git@github.com:example/dags.git', auth: GitAuth.ssh({ privateKey: own('key') }), proxy: 'http://proxy' },
    "'gitSync.proxy' needs an HTTPS URL as 'gitSync.repository', got 'git@github.com:example/dags.git'; use the HTTPS URL, or remove 'proxy'"],
  ['the certificates are a path', { repository, caBundle: '/etc/ca.crt' }, "'gitSync.caBundle' must be certificates in PEM format, got '/etc/ca.crt'"],
  ['the proxy is no URL', { repository, proxy: 'proxy:3128' }, "'gitSync.proxy' must be a URL such as 'http://proxy.example.com:3128', got 'proxy:3128'"],
  ...['GITSYNC_REPO', 'GITSYNC_SSH_KEY_FILE', 'GIT_SYNC_PERIOD', 'GIT_SSH_KEY_FILE'].map((name): [string, GitSyncOptions, string] =>
    [`environment sets ${name}`, { repository, environment: { [name]: 'x' } }, `'gitSync.environment' must not set ${name}, which another option of 'gitSync' or the chart sets`]),
])('fails when %s', (_name, options, message) => {
  expect(() => settings(options)).toThrow(new Error(`Data: ${message}`));
});

test('fails with the path of the deployment', () => {
  expect(() => synthAirflow((stack) => ({
    gitSync: { repository: 'dags', auth: GitAuth.ssh({ privateKey: AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'Key', 'key')) }) },
  }))).toThrow(new Error(`Data/Airflow: ${NO_URL} 'dags'`));
});

describe('a URL that is a token', () => {
  const synth = (auth?: GitAuth) => synthAirflow((stack) => ({
    gitSync: { repository: new codecommit.Repository(stack, 'Dags', { repositoryName: 'dags' }).repositoryCloneUrlHttp, auth },
  }));
  const secret = AirflowSecret.fromKubernetesSecret('mine', 'gitSshKey');

  test('is passed to git-sync', () => {
    expect(JSON.stringify(valuesOf(synth().template).dags.gitSync.repo)).toMatch(/Dags.*CloneUrlHttp/);
  });

  test('with SSH needs host keys', () => {
    expect(() => synth(GitAuth.ssh({ privateKey: secret, knownHosts: KnownHosts.of('host ssh-ed25519 AAAA') }))).not.toThrow();
    expect(() => synth(GitAuth.ssh({ privateKey: secret }))).toThrow(new Error(
      "Data/Airflow: 'gitSync.auth' must have 'knownHosts', because 'gitSync.repository' is a token, whose host is not known at synthesis"));
  });
});
