import { Construct } from 'constructs';
import { fail, shown } from '../validation';

/** @see https://man.openbsd.org/sshd.8#SSH_KNOWN_HOSTS_FILE_FORMAT */
const LINE = /^(@[\w-]+\s+)?(?<hosts>\S+)\s+[a-z][\w@.-]*\s+[A-Za-z0-9+/]+=*(\s.*)?$/;

/**
 * The SSH host keys of a Git server, with which it proves its identity.
 *
 * Host keys are public.
 *
 * @example
 * // Print the lines with `ssh-keyscan git.example.com`.
 * const knownHosts = KnownHosts.of('git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample');
 */
export class KnownHosts {
  /**
   * The host keys of github.com.
   *
   * @see https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints
   */
  public static readonly GITHUB = KnownHosts.of(
    'github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl',
    'github.com ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=',
  );

  /**
   * The host keys of gitlab.com.
   *
   * @see https://docs.gitlab.com/user/gitlab_com/#ssh-known_hosts-entries
   */
  public static readonly GITLAB = KnownHosts.of(
    'gitlab.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf',
    'gitlab.com ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFSMqzJeV9rUzU4kWitGjeR4PWSa29SPqJ1fVkhtj3Hw9xjLVXVYrU9QlYWrOLXBpQ6KWjbjTDTdDkoohFzgbEY=',
  );

  /**
   * The host keys of bitbucket.org.
   *
   * @see https://support.atlassian.com/bitbucket-cloud/docs/configure-ssh-and-two-step-verification/
   */
  public static readonly BITBUCKET = KnownHosts.of(
    'bitbucket.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO',
    'bitbucket.org ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBPIQmuzMBuKdWeF4+a2sjSSpBK0iqitSQ+5BM9KhpexuGt20JpTVM7u5BDZngncgrqDMbWdxMWWOGtZ9UgbqgZE=',
  );

  /**
   * The host keys of another Git server, as `ssh-keyscan` prints them.
   *
   * Compare them with the keys that the operator of the server publishes. They must contain the host of the repository URL, or a pattern for it.
   * With a port other than 22, write the host as `[host]:port`. Lines of certificate authorities (`@cert-authority *.example.com ...`) and of other
   * hosts may be among them.
   *
   * @param lines lines of a `known_hosts` file: host, key type, key
   * @throws if there is no line with a key, such as in the output of an `ssh-keyscan` that failed, or a line without one
   */
  public static of(...lines: string[]): KnownHosts {
    const keys = lines.flatMap((line) => line.split('\n')).map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
    if (keys.length === 0) {
      throw new Error("KnownHosts: 'lines' must contain at least one host key, got none; use KnownHosts.insecureAcceptAny() to trust any server");
    }
    for (const key of keys.filter((line) => !LINE.test(line))) {
      throw new Error(`KnownHosts: 'lines' must each have a host, a key type and a key, as ssh-keyscan prints them, got '${key}'`);
    }
    return new KnownHosts(keys);
  }

  /**
   * No host keys: any server that answers is trusted.
   *
   * Someone who intercepts the connection can run code in Airflow. Use it only for tests.
   */
  public static insecureAcceptAny(): KnownHosts {
    return new KnownHosts([]);
  }

  private constructor(
    /** @internal */
    public readonly _lines: string[],
  ) {}
}

const BUILT_IN: Record<string, KnownHosts> = {
  'github.com': KnownHosts.GITHUB,
  'gitlab.com': KnownHosts.GITLAB,
  'bitbucket.org': KnownHosts.BITBUCKET,
};

/** The content of a known_hosts file for a Git server. Fails unless it has a key of this server. */
export function knownHostsFile(
  scope: Construct, { host, port = '22' }: { readonly host?: string; readonly port?: string }, knownHosts: KnownHosts | undefined,
): string {
  if (host === undefined) {
    return (knownHosts ?? fail(scope, "'gitSync.auth' must have 'knownHosts', because 'gitSync.repository' is a token, whose host is not known at synthesis"))
      ._lines.join('\n');
  }
  const scan = `ssh-keyscan ${port === '22' ? '' : `-p ${port} `}${host}`;
  if (knownHosts !== undefined && !Array.isArray(knownHosts?._lines)) {
    fail(scope, `'knownHosts' of 'gitSync.auth' must be made by KnownHosts.of(), got ${shown(knownHosts)}`);
  }
  const lines = (knownHosts ?? BUILT_IN[host] ?? fail(scope, `'gitSync.auth' must have 'knownHosts' for '${host}', whose host keys are not built in;`
    + ` use KnownHosts.of() with the output of: ${scan}`))._lines;
  const hosts = lines.filter((line) => !line.startsWith('@revoked')).map((line) => LINE.exec(line)!.groups!.hosts);
  // SSH looks for a host with another port in both forms. A hashed name cannot be read.
  const names = [host, `[${host}]:${port}`];
  if (lines.length > 0 && !hosts.some((each) => each.startsWith('|') || each.split(',').some((pattern) => names.some((name) => matches(pattern, name))))) {
    fail(scope, `'knownHosts' of 'gitSync.auth' must have a line for '${port === '22' ? host : names[1]}',`
      + ` got lines for ${[...new Set(hosts.map((name) => `'${name}'`))].join(', ')}; use KnownHosts.of() with the output of: ${scan}`);
  }
  return lines.join('\n');
}

/** Whether a name has the form of a pattern with the wildcards `*` and `?`. */
function matches(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')}$`).test(name);
}
