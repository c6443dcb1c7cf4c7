import { createHash } from 'crypto';
import { AirflowSecret, GitAuth, KnownHosts } from '../../src';
import { gitSyncSettings } from '../../src/git-sync/git-sync';
import { newStack } from '../util';

/** The known_hosts file of a repository. */
function fileOf(repository: string, knownHosts?: KnownHosts): string {
  const privateKey = AirflowSecret.fromKubernetesSecret('git', 'key');
  const { credentials } = gitSyncSettings(newStack(), { repository, auth: GitAuth.ssh({ privateKey, knownHosts }) });
  return credentials?.kind === 'ssh' ? credentials.knownHosts : fail();
}

test.each([
  ['git@github.com:example/dags.git', 'github.com'],
  ['ssh://git@gitlab.com/example/dags.git', 'gitlab.com'],
  ['git@bitbucket.org:example/dags.git', 'bitbucket.org'],
])('the host keys of a public Git server are built in: %s', (repository, host) => {
  const lines = fileOf(repository).split('\n');
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
  expect(fileOf(repository, KnownHosts.of(line))).toMatch(/^\S+ ssh-ed25519 AAAA$/);
});

test.each([
  ['a pattern', ['*.example.com ssh-ed25519 AAAA']],
  ['a pattern of one character', ['gi?.example.com ssh-ed25519 AAAA']],
  ['a pattern, and another one that excludes other hosts', ['*.example.com,!svn.example.com ssh-ed25519 AAAA']],
  ['a certificate authority', ['@cert-authority *.example.com ssh-rsa BBBB']],
  ['other hosts', ['*.other.com ssh-ed25519 AAAA', '@revoked * ssh-rsa CCCC', 'git.example.com ssh-ed25519 AAAA', 'github.com ssh-rsa DDDD']],
])('host keys of %s', (_name, lines) => {
  expect(fileOf('git@git.example.com:dags.git', KnownHosts.of(...lines))).toBe(lines.join('\n'));
});

test('host keys in several lines', () => {
  const lines = ['git.example.com ssh-ed25519 AAAA', 'git.example.com ssh-rsa BBBB'];
  expect(fileOf('git@git.example.com:dags.git', KnownHosts.of(...lines))).toBe(lines.join('\n'));
  expect(fileOf('git@git.example.com:dags.git', KnownHosts.of(lines.join('\n')))).toBe(lines.join('\n'));
});

test('any host is trusted only if that is requested', () => {
  expect(fileOf('git@git.example.com:dags.git', KnownHosts.insecureAcceptAny())).toBe('');
});

test.each<[string, string[]]>([
  ['no lines', []], ['an empty line', ['']], ['comments, as in the output of an ssh-keyscan that failed', ['# git.example.com:22\n', '\n']],
])('fails when the host keys are made of %s', (_name, lines) => {
  expect(() => KnownHosts.of(...lines)).toThrow(new Error(
    "KnownHosts: 'lines' must contain at least one host key, got none; use KnownHosts.insecureAcceptAny() to trust any server"));
});

const LINE_FOR = "'knownHosts' of 'gitSync.auth' must have a line for 'git.example.com', got lines for";
const SCAN = '; use KnownHosts.of() with the output of: ssh-keyscan git.example.com';

test.each<[string, KnownHosts | undefined, string]>([
  ['the host keys are not built in', undefined, "'gitSync.auth' must have 'knownHosts' for 'git.example.com', whose host keys are not built in;"
    + ' use KnownHosts.of() with the output of: ssh-keyscan git.example.com'],
  ['the host keys are of another host', KnownHosts.GITHUB, `${LINE_FOR} 'github.com'${SCAN}`],
  ['the host keys are of several other hosts', KnownHosts.of('a.example.com ssh-rsa A', 'b.example.com ssh-rsa B'), `${LINE_FOR} 'a.example.com', 'b.example.com'${SCAN}`],
])('fails when %s', (_name, knownHosts, message) => {
  expect(() => fileOf('git@git.example.com:dags.git', knownHosts)).toThrow(new Error(`Data: ${message}`));
});
