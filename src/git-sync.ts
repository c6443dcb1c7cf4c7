import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { checkFormat, fail } from './errors';
import { AirflowSecret } from './secrets';

/**
 * The SSH host keys of a Git server, by which it proves who it is. Host keys are public.
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
   * The host keys of a Git server of your own, as `ssh-keyscan` prints them. Compare them with what the server's operator publishes.
   *
   * @param lines lines of a `known_hosts` file: host, type of key, key
   */
  public static of(...lines: string[]): KnownHosts {
    return new KnownHosts(lines.flatMap((line) => line.split('\n')).map((line) => line.trim()).filter((line) => line && !line.startsWith('#')));
  }

  /**
   * No host keys: whoever answers in the name of the Git server is trusted, and can put code into Airflow.
   */
  public static insecureAcceptAny(): KnownHosts {
    return new KnownHosts([]);
  }

  private constructor(
    /** @internal */
    public readonly _lines: string[],
  ) {}
}

/**
 * Options of `GitAuth.ssh()`.
 */
export interface GitSshAuthOptions {
  /**
   * The private key in PEM or OpenSSH format, without a passphrase. Line ends that a secret store has lost at the end are put back.
   */
  readonly privateKey: AirflowSecret;

  /**
   * The host keys that the server must show.
   *
   * @default - the ones of github.com, gitlab.com or bitbucket.org; another server must give its own
   */
  readonly knownHosts?: KnownHosts;
}

/**
 * Options of `GitAuth.http()`.
 */
export interface GitHttpAuthOptions {
  /**
   * The name of the user.
   *
   * Many servers take any name beside a token.
   */
  readonly username: AirflowSecret;

  /**
   * The token, or the password, of the user.
   */
  readonly password: AirflowSecret;
}

/**
 * Who we are to the Git server.
 */
export class GitAuth {
  /**
   * Authenticate with an SSH key, such as a deploy key of the repository.
   *
   * @param options the private key, and the host keys that the server must show
   */
  public static ssh(options: GitSshAuthOptions): GitAuth {
    return new GitAuth(options, undefined);
  }

  /**
   * Authenticate with a user and a token, over HTTPS.
   *
   * @param options the user and the token
   */
  public static http(options: GitHttpAuthOptions): GitAuth {
    return new GitAuth(undefined, options);
  }

  private constructor(
    /** @internal */
    public readonly _ssh: GitSshAuthOptions | undefined,
    /** @internal */
    public readonly _http: GitHttpAuthOptions | undefined,
  ) {}
}

/**
 * The Git repository that DAGs come from.
 */
export interface GitSyncOptions {
  /**
   * The URL of the repository: `git@host:group/repository.git`, `ssh://...` or `https://...`.
   */
  readonly repository: string;

  /**
   * The branch, whose tip is followed.
   *
   * @default 'main'
   */
  readonly branch?: string;

  /**
   * A tag or a commit to stay at, instead of a branch.
   *
   * @default - the tip of the branch
   */
  readonly revision?: string;

  /**
   * The folder of the repository that holds the DAGs.
   *
   * @default - the whole repository
   */
  readonly subPath?: string;

  /**
   * How many commits are fetched.
   *
   * 0 for all.
   *
   * @default 1
   */
  readonly depth?: number;

  /**
   * How often the repository is looked at, in whole seconds.
   *
   * @default Duration.minutes(1)
   */
  readonly period?: Duration;

  /**
   * Who we are to the Git server.
   *
   * @default - nobody: the repository is public
   */
  readonly auth?: GitAuth;
}

/** What a chart is told of the repository. */
export interface GitSyncSettings {
  readonly repository: string;
  /** Empty if there is a revision to stay at: git-sync wants one of the two. */
  readonly branch: string;
  readonly revision: string;
  readonly subPath: string;
  readonly depth: number;
  readonly periodSeconds: number;
  readonly ssh?: { readonly privateKey: AirflowSecret; readonly knownHosts: string };
  readonly http?: GitHttpAuthOptions;
}

/** Applies the defaults, and checks that URL, authentication and host keys go together. */
export function gitSyncSettings(scope: Construct, options: GitSyncOptions): GitSyncSettings {
  const { repository, auth } = options;
  const https = /^https?:\/\//.test(repository);
  const host = (/^(?:ssh:\/\/)?(?:[^@/]+@)?([^:/]+)[:/]/.exec(repository) ?? [])[1];
  if (!https && !host) {
    fail(scope, `'gitSync.repository' must be a URL such as 'git@host:group/repository.git' or 'https://host/group/repository.git', got '${repository}'`);
  }
  if (/^https?:\/\/[^/]*:[^/]*@/.test(repository)) {
    fail(scope, "'gitSync.repository' must not hold a password; give it to 'gitSync.auth' by GitAuth.http()");
  }
  if (https && auth?._ssh) {
    fail(scope, `'gitSync.auth' is GitAuth.ssh(), but 'gitSync.repository' is an HTTP URL, got '${repository}'; use GitAuth.http(), or the SSH URL`);
  }
  if (!https && !auth?._ssh) {
    const given = auth ? 'is GitAuth.http()' : 'is not set';
    fail(scope, `'gitSync.auth' ${given}, but 'gitSync.repository' is an SSH URL, got '${repository}'; use GitAuth.ssh(), or the HTTPS URL`);
  }
  if (/^http:/.test(repository) && auth) {
    fail(scope, `'gitSync.repository' must be an https:// URL to carry a token, got '${repository}'`);
  }
  if (options.branch !== undefined && options.revision !== undefined) {
    fail(scope, `'gitSync.branch' and 'gitSync.revision' exclude each other, got '${options.branch}' and '${options.revision}'; take one out`);
  }
  const depth = options.depth ?? 1;
  if (!Number.isInteger(depth) || depth < 0) {
    fail(scope, `'gitSync.depth' must be a whole number of commits, or 0 for all, got ${depth}`);
  }
  checkFormat(scope, 'gitSync.subPath', options.subPath ?? '', /^(?!\/)(?!.*\.\.).*(?<!\/)$/, 'a path inside the repository, without / at either end');
  return {
    repository,
    branch: options.revision === undefined ? options.branch ?? 'main' : '',
    revision: options.revision ?? 'HEAD',
    subPath: options.subPath ?? '',
    depth,
    periodSeconds: (options.period ?? Duration.minutes(1)).toSeconds(),
    ssh: auth?._ssh && { privateKey: auth._ssh.privateKey, knownHosts: knownHostsOf(scope, auth._ssh, host) },
    http: auth?._http,
  };
}

function knownHostsOf(scope: Construct, ssh: GitSshAuthOptions, host: string): string {
  const forges: Record<string, KnownHosts> = {
    'github.com': KnownHosts.GITHUB,
    'gitlab.com': KnownHosts.GITLAB,
    'bitbucket.org': KnownHosts.BITBUCKET,
  };
  const lines = (ssh.knownHosts ?? forges[host] ?? fail(scope, `'gitSync.auth' needs 'knownHosts' for '${host}', whose host keys are not built in;`
    + ` use KnownHosts.of() with the output of: ssh-keyscan ${host}`))._lines;
  const hashed = lines.some((line) => line.startsWith('|'));
  if (lines.length > 0 && !hashed && !lines.some((line) => line.split(/\s+/)[0].replace(/[[\]]/g, '').split(/[,:]/).includes(host))) {
    fail(scope, `'knownHosts' of 'gitSync.auth' must have a line for '${host}', got lines for ${[...new Set(lines.map((line) => `'${line.split(/\s+/)[0]}'`))].join(', ')}`);
  }
  return lines.join('\n');
}
