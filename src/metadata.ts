import { AirflowSecret } from './secrets';

/**
 * A role of Airflow's access control.
 *
 * @see https://airflow.apache.org/docs/apache-airflow-providers-fab/stable/auth-manager/access-control.html
 */
export class AirflowRole {
  /** All permissions, also over users. */
  public static readonly ADMIN = AirflowRole.of('Admin');

  /** All permissions on DAGs, connections, variables and pools. */
  public static readonly OP = AirflowRole.of('Op');

  /** To see and to run DAGs. */
  public static readonly USER = AirflowRole.of('User');

  /** To see DAGs. */
  public static readonly VIEWER = AirflowRole.of('Viewer');

  /** No permissions. */
  public static readonly PUBLIC = AirflowRole.of('Public');

  /**
   * A role that was made in Airflow.
   *
   * @param name the name of the role
   */
  public static of(name: string): AirflowRole {
    return new AirflowRole(name);
  }

  private constructor(
    /** The name of the role. */
    public readonly name: string,
  ) {}
}

/**
 * A user who can log in.
 */
export interface AirflowUser {
  /**
   * The name to log in with: letters, digits, `.`, `_`, `-` and `@`.
   */
  readonly username: string;

  /**
   * The e-mail address.
   */
  readonly email: string;

  /**
   * What the user may do.
   *
   * @default AirflowRole.VIEWER
   */
  readonly role?: AirflowRole;

  /**
   * The first name.
   *
   * @default - the user name
   */
  readonly firstName?: string;

  /**
   * The last name.
   *
   * @default - the user name
   */
  readonly lastName?: string;

  /**
   * The password.
   *
   * @default - generated in AWS Secrets Manager, see `AirflowSecrets.userPasswords`
   */
  readonly password?: AirflowSecret;
}

/**
 * How to reach another system.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html
 */
export interface AirflowConnection {
  /**
   * The id by which DAGs name the connection.
   */
  readonly id: string;

  /**
   * The type of connection, such as `http`, `postgres` or `aws`.
   */
  readonly type: string;

  /**
   * What it is for.
   *
   * @default - no description
   */
  readonly description?: string;

  /**
   * The host.
   *
   * @default - no host
   */
  readonly host?: string;

  /**
   * The port.
   *
   * @default - the default of the type
   */
  readonly port?: number;

  /**
   * The schema, or the name of the database.
   *
   * @default - no schema
   */
  readonly schema?: string;

  /**
   * The user to log in as.
   *
   * @default - no user, or the one of `loginSecret`
   */
  readonly login?: string;

  /**
   * The user to log in as, from a secret.
   *
   * @default - the one of `login`
   */
  readonly loginSecret?: AirflowSecret;

  /**
   * The password.
   *
   * @default - no password
   */
  readonly password?: AirflowSecret;

  /**
   * Further settings, as a JSON object.
   *
   * @default - none, or the ones of `extraSecret`
   */
  readonly extra?: string;

  /**
   * Further settings, as a JSON object, from a secret.
   *
   * @default - the ones of `extra`
   */
  readonly extraSecret?: AirflowSecret;
}

/**
 * A value that DAGs read by its key.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/howto/variable.html
 */
export interface AirflowVariable {
  /**
   * The key: letters, digits and `_`.
   */
  readonly key: string;

  /**
   * The value. Exactly one of `value` and `secret` is needed.
   *
   * @default - the one of `secret`
   */
  readonly value?: string;

  /**
   * The value, from a secret.
   *
   * @default - the one of `value`
   */
  readonly secret?: AirflowSecret;
}

/**
 * A limit on how many tasks of a kind run at once.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/pools.html
 */
export interface AirflowPool {
  /**
   * The name by which tasks ask for a slot.
   */
  readonly name: string;

  /**
   * How many slots there are.
   */
  readonly slots: number;

  /**
   * What the pool protects.
   *
   * @default - no description
   */
  readonly description?: string;
}
