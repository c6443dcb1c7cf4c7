import ec2 = require('aws-cdk-lib/aws-ec2');
import secretsmanager = require('aws-cdk-lib/aws-secretsmanager');

/**
 * The encryption of the connection to a database.
 *
 * @see https://www.postgresql.org/docs/16/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 */
export enum DatabaseSslMode {
  /**
   * Encrypted, with a certificate for the host name that an authority has signed.
   */
  VERIFY_FULL = 'verify-full',

  /**
   * Encrypted, with a certificate for any name that an authority has signed, for a server behind another host name.
   */
  VERIFY_CA = 'verify-ca',

  /**
   * Not encrypted, for a server without TLS in a network that you trust, such as one in the same cluster.
   *
   * A warning at synthesis states this.
   */
  DISABLE = 'disable',
}

/**
 * Options of `AirflowDatabase.fromInstance()` and `AirflowDatabase.fromCluster()`.
 */
export interface ExistingDatabaseOptions {
  /**
   * The name of the database on the server.
   *
   * It is created if it is missing, and the user, or that of `adminCredentials`, may create databases.
   *
   * @default 'airflow'
   */
  readonly database?: string;

  /**
   * The secret of a user who may create users and databases, with the fields `username` and `password`.
   *
   * With it, a missing user is created with the name and the password in `credentials`, and becomes the owner of a missing database. It is used only
   * when PgBouncer starts and the user cannot connect. A user or a database that exists is not changed.
   *
   * @default - a missing user is an error, which the pods of PgBouncer show
   */
  readonly adminCredentials?: secretsmanager.ISecret;

  /**
   * The certificates of the authorities that sign the certificate of the server, in PEM format.
   *
   * Read it from a file that contains the bundle of your Region, or the certificate of your own authority.
   *
   * @default - those of Amazon RDS, for the commercial Regions that the library knows
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html#UsingWithRDS.SSL.CertificatesAllRegions
   */
  readonly certificateAuthorities?: string;
}

/**
 * Options of `AirflowDatabase.fromEndpoint()`.
 */
export interface EndpointDatabaseOptions extends ExistingDatabaseOptions {
  /**
   * The host name of the server, which must be in its certificate unless `sslMode` is another than the default.
   */
  readonly host: string;

  /**
   * The port of the server.
   *
   * @default 5432
   */
  readonly port?: number;

  /**
   * The secret with the fields `username` and `password`, as Amazon RDS creates it.
   */
  readonly credentials: secretsmanager.ISecret;

  /**
   * The security group of the server, which gets a rule that admits the nodes of Airflow.
   *
   * @default - no rule: the server must admit the nodes already
   */
  readonly securityGroup?: ec2.ISecurityGroup;

  /**
   * Whether the connection to the server is encrypted, and what is verified.
   *
   * @default DatabaseSslMode.VERIFY_FULL
   */
  readonly sslMode?: DatabaseSslMode;
}
