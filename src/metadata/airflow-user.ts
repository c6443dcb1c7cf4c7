import { Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ConfigurationSettings } from '../config/configuration';
import { AirflowSecret } from '../secrets/airflow-secret';
import { checkFormat, checkUnique, fail, shown } from '../validation';

/**
 * A role of Airflow's access control.
 *
 * @see https://airflow.apache.org/docs/apache-airflow-providers-fab/stable/auth-manager/access-control.html
 */
export class AirflowRole {
  /** All permissions, including the administration of users and roles. */
  public static readonly ADMIN = AirflowRole.of('Admin');

  /** The permissions of User, and permission to change connections, variables and pools. */
  public static readonly OP = AirflowRole.of('Op');

  /** The permissions of Viewer, and permission to run, change and delete DAGs and their runs. */
  public static readonly USER = AirflowRole.of('User');

  /** Permission to view DAGs, their code, their runs and their logs. */
  public static readonly VIEWER = AirflowRole.of('Viewer');

  /** No permissions, not even to view DAGs. */
  public static readonly PUBLIC = AirflowRole.of('Public');

  /**
   * A role that was created in Airflow.
   *
   * The library does not create it: create it in the web UI before you deploy a user with this role.
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
 * A user who can log in to the web UI.
 *
 * @see https://airflow.apache.org/docs/apache-airflow-providers-fab/stable/auth-manager/access-control.html
 * @example
 * declare const cluster: eks.ICluster;
 *
 * const airflow = new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   users: [{ username: 'ada', email: 'ada@example.com', role: AirflowRole.ADMIN }],
 * });
 * new CfnOutput(this, 'AdaPassword', { value: airflow.secrets.userPasswords.ada.secretArn });
 */
export interface AirflowUser {
  /**
   * The login name: letters, digits, `.`, `_`, `-` and `@`.
   *
   * It must begin with a letter or a digit.
   */
  readonly username: string;

  /**
   * The email address, which must be different for each user.
   *
   * With the official chart, it must have a fully qualified domain name.
   */
  readonly email: string;

  /**
   * The role, which determines the user's permissions.
   *
   * @default AirflowRole.VIEWER
   */
  readonly role?: AirflowRole;

  /**
   * The first name.
   *
   * @default - the login name
   */
  readonly firstName?: string;

  /**
   * The last name.
   *
   * @default - the login name
   */
  readonly lastName?: string;

  /**
   * The password.
   *
   * A password that the user changes in the web UI is replaced by this one at the next synchronization.
   *
   * @default - generated in AWS Secrets Manager, see `IAirflowSecrets.userPasswords`
   */
  readonly password?: AirflowSecret;
}

/** A user with all defaults but the password, for the chart. */
export interface UserSettings {
  readonly username: string;
  readonly email: string;
  readonly role: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly password?: AirflowSecret;
}

/** Applies the defaults of users and checks their names. */
export function userSettings(
  scope: Construct, users: AirflowUser[] = [{ username: 'admin', email: 'admin@example.com', role: AirflowRole.ADMIN }],
): UserSettings[] {
  // Airflow takes user names that differ only in case for the same, and requires unique addresses.
  for (const { username, role } of users) {
    if (Token.isUnresolved(username)) {
      fail(scope, "'users.username' must be known at synthesis, because the ID of the password derives from it, got a token");
    }
    if (role !== undefined && !(typeof role?.name === 'string' && role.name)) {
      const given = role?.name === '' ? "AirflowRole.of('')" : shown(role);
      fail(scope, `'users.${username}.role' must be an AirflowRole with a name, got ${given}; use AirflowRole.ADMIN, or AirflowRole.of() with the name of a role`);
    }
  }
  checkUnique(scope, 'users', users.map(({ username }) => `${username}`.toLowerCase()));
  checkUnique(scope, 'users.email', users.map(({ email }) => email));
  return users.map(({ username, email, role, firstName, lastName, password }) => {
    checkFormat(scope, 'users.username', username, /^[A-Za-z0-9][A-Za-z0-9._@-]*$/, 'letters, digits, and . _ - @');
    checkFormat(scope, `users.${username}.email`, email, /^\S+@\S+$/, 'an email address');
    return { username, email, role: (role ?? AirflowRole.VIEWER).name, firstName: firstName ?? username, lastName: lastName ?? username, password };
  });
}

/** Fails if there are users, and the auth manager has its users elsewhere. */
export function checkAuthManager(scope: Construct, users: UserSettings[], { config, environment }: ConfigurationSettings): void {
  const authManager = config.AIRFLOW__CORE__AUTH_MANAGER ?? environment.AIRFLOW__CORE__AUTH_MANAGER;
  if (authManager !== undefined && !Token.isUnresolved(authManager) && !authManager.endsWith('FabAuthManager') && users.length > 0) {
    fail(scope, `'users' must be empty with the auth manager '${authManager}', which has its users elsewhere; use users: []`);
  }
}
