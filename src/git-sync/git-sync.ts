import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { GitAuth, GitCredentials, RepositoryUrl } from './git-auth';
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
}

/** How often Airflow looks for new files in the DAG directory. Its default, 5 minutes, would delay what git-sync fetches each minute. */
export const DAG_REFRESH_SECONDS = 20;

/** git-sync's own requests: autoscaling by utilization needs requests on every container of a pod. */
export const GIT_SYNC_REQUESTS = { cpu: '50m', memory: '64Mi' };

/** Applies the defaults, and checks that URL, credentials and host keys match. */
export function gitSyncSettings(scope: Construct, options: GitSyncOptions): GitSyncSettings {
  const { branch, revision, subPath = '', depth = 1 } = options;
  const repository = repositoryUrl(scope, options.repository);
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
  checkFormat(scope, 'gitSync.subPath', subPath, /^(?!\/)(?!.*\.\.).*(?<!\/)$/, 'a path in the repository, without a leading or trailing /');
  return {
    repository: repository.url,
    branch: revision === undefined ? branch ?? 'main' : '',
    revision: revision ?? 'HEAD',
    subPath,
    depth,
    periodSeconds: secondsOf(scope, 'gitSync.period', options.period ?? Duration.minutes(1), [1, Infinity], 'a whole number of seconds, at least 1'),
    credentials: options.auth && credentialsOf(scope, options.auth, repository),
  };
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

function repositoryUrl(scope: Construct, url: string): RepositoryUrl {
  if (/^https?:\/\/[^/]*:[^/]*@/.test(url)) {
    fail(scope, "'gitSync.repository' must not contain a password; pass it to 'gitSync.auth' with GitAuth.http()");
  }
  const { user, host, port } = (URL.exec(url) ?? SCP_URL.exec(url))?.groups ?? {};
  if (!host) {
    fail(scope, `'gitSync.repository' must be a URL such as 'git@host:group/repository.git' or 'https://host/group/repository.git', got ${shown(url)}`);
  }
  const https = /^https?:/.test(url);
  if (!https && !user) {
    fail(scope, `'gitSync.repository' must name the user in an SSH URL, such as 'git@host:group/repository.git', got '${url}'`);
  }
  return { url, https, host, port };
}
