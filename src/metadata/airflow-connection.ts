import { Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { AirflowSecret } from '../secrets/airflow-secret';
import { checkCount, checkFormat, checkUnique, fail, shown } from '../validation';

/**
 * A connection to another system.
 *
 * Fields that are not of the type `AirflowSecret` are in plain text in the template, and are refused if they contain a password. With the official
 * chart, the secrets of a connection must be in AWS Secrets Manager.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html
 * @example
 * declare const cluster: eks.ICluster;
 * declare const warehouse: secretsmanager.ISecret; // {"password": "..."}
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   connections: [{
 *     id: 'warehouse',
 *     type: 'postgres',
 *     host: 'db.example.com',
 *     schema: 'dwh',
 *     login: 'etl',
 *     password: AirflowSecret.fromSecretsManager(warehouse, 'password'),
 *   }],
 * });
 */
export interface AirflowConnection {
  /**
   * The ID by which DAGs refer to the connection: letters, digits, `.`, `_` and `-`.
   *
   * With the official chart, IDs must not differ only in case.
   */
  readonly id: string;

  /**
   * The type of the connection, such as `http`, `postgres` or `aws`.
   *
   * The image must contain the provider package of the type.
   */
  readonly type: string;

  /**
   * The description.
   *
   * @default - no description
   */
  readonly description?: string;

  /**
   * The host name, IP address or URL of the other system.
   *
   * @default - no host
   */
  readonly host?: string;

  /**
   * The port number, from 1 to 65535.
   *
   * @default - no port: Airflow uses the default port of the type
   */
  readonly port?: number;

  /**
   * The schema, or the name of the database.
   *
   * @default - no schema
   */
  readonly schema?: string;

  /**
   * The user name.
   *
   * Mutually exclusive with `loginSecret`.
   *
   * @default - no user name, or that of `loginSecret`
   */
  readonly login?: string;

  /**
   * The user name, from a secret.
   *
   * Mutually exclusive with `login`.
   *
   * @default - that of `login`
   */
  readonly loginSecret?: AirflowSecret;

  /**
   * The password.
   *
   * @default - no password
   */
  readonly password?: AirflowSecret;

  /**
   * Additional settings, as a JSON object.
   *
   * Mutually exclusive with `extraSecret`. Fields such as `password` or `token` are refused: use `extraSecret`.
   *
   * @default - no additional settings, or those of `extraSecret`
   */
  readonly extra?: string;

  /**
   * Additional settings, as a JSON object, from a secret.
   *
   * Mutually exclusive with `extra`. The value of the secret is the whole JSON object.
   *
   * @default - those of `extra`
   */
  readonly extraSecret?: AirflowSecret;
}

/** Checks the fields of connections, and that none is set twice. */
export function checkConnections(scope: Construct, connections: AirflowConnection[]): void {
  checkUnique(scope, 'connections', connections.map(({ id }) => id));
  for (const connection of connections) {
    const prop = `connections.${connection.id}`;
    checkFormat(scope, 'connections.id', connection.id, /^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, and . _ -');
    checkFormat(scope, `${prop}.type`, connection.type, /^\w[\w-]*$/, "a connection type such as 'postgres'");
    checkCount(scope, `${prop}.port`, connection.port, 1, '', 65535);
    checkExtra(scope, `${prop}.extra`, connection.extra);
    for (const [plain, secret] of [['login', 'loginSecret'], ['extra', 'extraSecret']] as const) {
      if (connection[plain] !== undefined && connection[secret] !== undefined) {
        fail(scope, `'${prop}' must have either '${plain}' or '${secret}', got both`);
      }
    }
  }
}

/** Fails unless additional settings are a JSON object, which Airflow requires. A token passes. */
function checkExtra(scope: Construct, prop: string, extra = ''): void {
  if (extra === '' || Token.isUnresolved(extra)) {
    return;
  }
  let json: unknown;
  try {
    json = JSON.parse(extra);
  } catch {
    json = undefined;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    fail(scope, `'${prop}' must be a JSON object such as '{"region_name": "eu-central-1"}', got ${shown(extra)}`);
  }
}
