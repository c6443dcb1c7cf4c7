import { Duration, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { GitAuth, GitCredentials, RepositoryUrl } from './git-auth';
import { sortKeys } from '../sort-keys';
import { checkCount, checkFormat, fail, secondsOf, shown } from '../validation';

/**
 * The Git repository of the DAGs.
 *
 * The DAG folder is `/opt/airflow/dags/repo` (official chart) or `/opt/airflow/efs/dags/repo` (community chart), followed by `subPath`. If the Git
 * server cannot be reached, git-sync tries again, and Airflow continues with the DAGs that it has.
 *
 * @see https://github.com/kubernetes/git-sync
 */
export interface GitSyncOptions {
  /**
   * The URL of the repository: `git@host:group/repository.git`, `ssh://...` or `https://...`.
   *
   * An SSH URL requires `auth`. The URL must not contain a password.
   */
  readonly repository: string;

  /**
   * The branch, whose latest commit is synchronized.
   *
   * Mutually exclusive with `revision`.
   *
   * @default 'main'
   */
  readonly branch?: string;

  /**
   * A tag or a commit that is synchronized instead of a branch.
   *
   * Mutually exclusive with `branch`.
   *
   * @default - the latest commit of the branch
   */
  readonly revision?: string;

  /**
   * The directory of the DAGs in the repository, without a leading or trailing `/`.
   *
   * @default - the whole repository
   */
  readonly subPath?: string;

  /**
   * The number of commits that are fetched, or 0 for all commits.
   *
   * @default 1
   */
  readonly depth?: number;

  /**
   * How often the repository is polled, in whole seconds, at least 1.
   *
   * @default Duration.minutes(1)
   */
  readonly period?: Duration;

  /**
   * The credentials for the Git server.
   *
   * @default - no credentials: the repository is public
   */
  readonly auth?: GitAuth;

  /**
   * The certificates of the authorities that sign the certificate of the Git server, in PEM format.
   *
   * The URL of the repository must begin with `https://`. Certificates are public.
   *
   * @default - the authorities that the image of git-sync trusts
   */
  readonly caBundle?: string;

  /**
   * The URL of the proxy through which git-sync reaches the Git server, such as `http://proxy.example.com:3128`.
   *
   * The URL of the repository must begin with `https://` or `http://`.
   *
   * @default - no proxy
   */
  readonly proxy?: string;

  /**
   * Further options of git-sync, by their environment variables, such as `GITSYNC_STALE_WORKTREE_TIMEOUT`.
   *
   * The values are in plain text in the template. With the community chart, which has no environment variables for git-sync alone, all containers
   * get them.
   *
   * @default - no further options
   * @see https://github.com/kubernetes/git-sync#manual
   */
  readonly environment?: { [name: string]: string };
}

/** The repository with its defaults, for the chart. */
export interface GitSyncSettings {
  readonly repository: string;
  /** Empty with a revision: git-sync expects one of the two. */
  readonly branch: string;
  readonly revision: string;
  readonly subPath: string;
  readonly depth: number;
  readonly periodSeconds: number;
  readonly credentials?: GitCredentials;
  readonly caBundle?: string;
  readonly proxy?: string;
  readonly environment: Record<string, string>;
}

/** Options of git-sync that the charts or other options set. In the charts' names, which begin with `GIT_SYNC_`, they take precedence over all others. */
const OWNED_VARIABLE = /^(GIT_SYNC_.*|GIT_(SSH|KNOWN_HOSTS).*|GITSYNC_(REPO|REF|ROOT|LINK|DEPTH|PERIOD|ADD_USER|MAX_FAILURES|SSH.*|USERNAME|PASSWORD.*|ONE_TIME|HTTP_BIND))$/;

/** How often Airflow looks for new files in the DAG directory. Its default, 5 minutes, would delay what git-sync fetches each minute. */
export const DAG_REFRESH_SECONDS = 20;

/** Applies the defaults, and checks that URL, credentials and host keys match. */
export function gitSyncSettings(scope: Construct, options: GitSyncOptions): GitSyncSettings {
  const { branch, revision, subPath = '', depth = 1 } = options;
  const repository = repositoryUrl(scope, options.repository, options.auth);
  if (!repository.https && !options.auth) {
    fail(scope, `'gitSync.auth' is not set, but 'gitSync.repository' is an SSH URL, got '${repository.url}'; use GitAuth.ssh() or the HTTPS URL`);
  }
  if (branch !== undefined && revision !== undefined) {
    fail(scope, `'gitSync.branch' and 'gitSync.revision' exclude each other, got '${branch}' and '${revision}'; remove one of them`);
  }
  for (const [prop, name] of Object.entries({ branch, revision })) {
    checkFormat(scope, `gitSync.${prop}`, name ?? 'main', REVISION, 'a name in the repository, without spaces');
  }
  checkCount(scope, 'gitSync.depth', depth, 0);
  checkTransport(scope, repository, options);
  checkFormat(scope, 'gitSync.subPath', subPath, /^(?!\/)(?!.*\.\.).*(?<!\/)$/, 'a path in the repository, without a leading or trailing /');
  return {
    repository: repository.url,
    branch: revision === undefined ? branch ?? 'main' : '',
    revision: revision ?? 'HEAD',
    subPath,
    depth,
    periodSeconds: secondsOf(scope, 'gitSync.period', options.period ?? Duration.minutes(1), [1, Infinity], 'a whole number of seconds, at least 1'),
    credentials: options.auth && credentialsOf(scope, options.auth, repository),
    caBundle: options.caBundle,
    proxy: options.proxy,
    environment: sortKeys(options.environment ?? {}),
  };
}

function checkTransport(scope: Construct, { url }: RepositoryUrl, { caBundle, proxy, environment = {} }: GitSyncOptions): void {
  for (const [prop, value, protocols] of [['caBundle', caBundle, /^https:/], ['proxy', proxy, /^https?:/]] as const) {
    if (value !== undefined && !Token.isUnresolved(url) && !protocols.test(url)) {
      fail(scope, `'gitSync.${prop}' needs an HTTPS URL as 'gitSync.repository', got '${url}'; use the HTTPS URL, or remove '${prop}'`);
    }
  }
  checkFormat(scope, 'gitSync.caBundle', caBundle ?? '-----BEGIN CERTIFICATE-----', /-----BEGIN CERTIFICATE-----/, 'certificates in PEM format');
  checkFormat(scope, 'gitSync.proxy', proxy ?? 'http://proxy', /^(https?|socks5h?):\/\/[^\s"]+$/, "a URL such as 'http://proxy.example.com:3128'");
  const owned = Object.keys(environment).find((name) => OWNED_VARIABLE.test(name));
  if (owned) {
    fail(scope, `'gitSync.environment' must not set ${owned}, which another option of 'gitSync' or the chart sets`);
  }
}

/** The environment variables of git-sync alone. Options of Git for proxy and certificates do not concern other programs in a pod. */
export function gitSyncEnvironment({ proxy, caBundle, environment }: GitSyncSettings, caFile: string): Record<string, string> {
  const options = [
    ...proxy ? [`http.proxy:"${proxy}"`] : [],
    ...caBundle ? [`http.sslCAInfo:"${caFile}"`] : [],
    ...environment.GITSYNC_GIT_CONFIG ? [environment.GITSYNC_GIT_CONFIG] : [],
  ];
  return { ...environment, ...options.length > 0 && { GITSYNC_GIT_CONFIG: options.join() } };
}

function credentialsOf(scope: Construct, auth: GitAuth, repository: RepositoryUrl): GitCredentials {
  if (typeof auth._bind !== 'function') {
    fail(scope, `'gitSync.auth' must be made by GitAuth.ssh() or GitAuth.http(), got ${shown(auth)}`);
  }
  return auth._bind(scope, repository);
}

/** @see https://git-scm.com/docs/git-check-ref-format */
const REVISION = /^(?![-/])[^\s~^:?*[\\]+$/;

const URL = /^(?:ssh|https?):\/\/(?:(?<user>[^@/]+)@)?(?<host>[^:/@\s]+)(?::(?<port>\d+))?\/\S+$/;
const SCP_URL = /^(?:(?<user>[^@/:\s]+)@)?(?<host>[^:/@\s]+):(?!\/\/)\S+$/;

/** Of a URL that is a token, such as that of a CodeCommit repository, the credentials tell the protocol, and nothing tells the host. */
function repositoryUrl(scope: Construct, url: string, auth?: GitAuth): RepositoryUrl {
  if (/^https?:\/\/[^/]*:[^/]*@/.test(url)) {
    fail(scope, "'gitSync.repository' must not contain a password; pass it to 'gitSync.auth' with GitAuth.http()");
  }
  const { user, host, port } = (URL.exec(url) ?? SCP_URL.exec(url))?.groups ?? {};
  if (!host && Token.isUnresolved(url)) {
    return { url, https: auth?._protocol !== 'ssh' };
  }
  if (!host) {
    fail(scope, `'gitSync.repository' must be a URL such as 'git@host:group/repository.git' or 'https://host/group/repository.git', got ${shown(url)}`);
  }
  const https = /^https?:/.test(url);
  if (!https && !user) {
    fail(scope, `'gitSync.repository' must name the user in an SSH URL, such as 'git@host:group/repository.git', got '${url}'`);
  }
  return { url, https, host, port };
}
