import { Construct } from 'constructs';
import { KnownHosts, knownHostsFile } from './known-hosts';
import { AirflowSecret } from '../secrets/airflow-secret';
import { fail } from '../validation';

/**
 * Options of `GitAuth.ssh()`.
 */
export interface GitSshAuthOptions {
  /**
   * The private key in PEM or OpenSSH format, without a passphrase.
   *
   * A missing line break at its end, which some tools remove, is restored. In a Kubernetes Secret of your own, the key must be named `gitSshKey`
   * (official chart), and nothing is restored.
   */
  readonly privateKey: AirflowSecret;

  /**
   * The host keys that the Git server must present.
   *
   * @default - the host keys of github.com, gitlab.com or bitbucket.org; for another server they are required
   */
  readonly knownHosts?: KnownHosts;
}

/**
 * Options of `GitAuth.http()`.
 */
export interface GitHttpAuthOptions {
  /**
   * The user name.
   *
   * Many Git servers accept any name together with a token. With the official chart, it must be in AWS Secrets Manager.
   */
  readonly username: AirflowSecret;

  /**
   * The token or the password of the user.
   *
   * With the official chart, it must be in AWS Secrets Manager. With the community chart, a Kubernetes Secret of your own must contain both user
   * name and password.
   */
  readonly password: AirflowSecret;
}

/** The URL of a repository, by what matters to its credentials. */
export interface RepositoryUrl {
  readonly url: string;
  readonly https: boolean;
  /** Undefined if the URL is a token. */
  readonly host?: string;
  /** Undefined for the default port. */
  readonly port?: string;
}

/** The credentials in the charts' terms. */
export type GitCredentials =
  | { readonly kind: 'ssh'; readonly privateKey: AirflowSecret; readonly knownHosts: string }
  | { readonly kind: 'http'; readonly username: AirflowSecret; readonly password: AirflowSecret };

/**
 * The credentials for the Git server.
 *
 * @example
 * declare const git: secretsmanager.ISecret; // {"username": "deploy", "token": "..."}
 *
 * const auth = GitAuth.http({
 *   username: AirflowSecret.fromSecretsManager(git, 'username'),
 *   password: AirflowSecret.fromSecretsManager(git, 'token'),
 * });
 */
export class GitAuth {
  /**
   * Authenticate with an SSH key, such as a deploy key of the repository.
   *
   * The URL of the repository must be an SSH URL.
   *
   * @param options the private key, and the host keys that the server must present
   */
  public static ssh(options: GitSshAuthOptions): GitAuth {
    return new GitAuth('ssh', (scope, { url, https, host, port }) => {
      if (https) {
        fail(scope, `'gitSync.auth' is GitAuth.ssh(), but 'gitSync.repository' is an HTTP URL, got '${url}'; use GitAuth.http() or the SSH URL`);
      }
      return { kind: 'ssh', privateKey: options.privateKey, knownHosts: knownHostsFile(scope, { host, port }, options.knownHosts) };
    });
  }

  /**
   * Authenticate with a user name and a token over HTTPS.
   *
   * The URL of the repository must begin with `https://`.
   *
   * @param options the user name and the token
   */
  public static http(options: GitHttpAuthOptions): GitAuth {
    return new GitAuth('https', (scope, { url, https }) => {
      if (!https) {
        fail(scope, `'gitSync.auth' is GitAuth.http(), but 'gitSync.repository' is an SSH URL, got '${url}'; use GitAuth.ssh() or the HTTPS URL`);
      }
      if (url.startsWith('http:')) {
        fail(scope, `'gitSync.repository' must be an https:// URL, because 'gitSync.auth' sends a token, got '${url}'`);
      }
      return { kind: 'http', username: options.username, password: options.password };
    });
  }

  private constructor(
    /** @internal */
    public readonly _protocol: 'ssh' | 'https',
    private readonly check: (scope: Construct, repository: RepositoryUrl) => GitCredentials,
  ) {}

  /** @internal */
  public _bind(scope: Construct, repository: RepositoryUrl): GitCredentials {
    return this.check(scope, repository);
  }
}
