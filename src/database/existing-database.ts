import ec2 = require('aws-cdk-lib/aws-ec2');
import rds = require('aws-cdk-lib/aws-rds');
import secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
import { Construct } from 'constructs';
import { BoundDatabase, DatabaseContext } from './bound-database';
import { authoritiesOf } from './certificate-authorities';
import { serverCredential } from './database-endpoint';
import { admit } from '../access';
import { AirflowSecret } from '../secrets/airflow-secret';
import { checkCount, checkEnvironment, checkFormat, fail, shown } from '../validation';

/**
 * Options of `AirflowDatabase.fromInstance()` and `AirflowDatabase.fromCluster()`.
 */
export interface ExistingDatabaseOptions {
  /**
   * The name of the database on the server.
   *
   * It must exist. It is not created.
   *
   * @default 'airflow'
   */
  readonly database?: string;

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
   * The host name of the server, which must be in its certificate.
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
}

/** A server that exists, in any stack. */
interface Server extends EndpointDatabaseOptions {
  readonly port: number;
  readonly connections?: ec2.Connections;
  readonly cluster?: rds.IDatabaseCluster;
  readonly instance?: rds.IDatabaseInstance;
}

/** A database that the library does not create. */
export class ExistingDatabase extends Construct {
  /** A server that is known by its host name. */
  public static fromEndpoint(scope: Construct, context: DatabaseContext, options: EndpointDatabaseOptions): BoundDatabase {
    const { host, port = 5432, securityGroup } = options;
    checkFormat(scope, 'database.host', host, /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/, 'a host name without a protocol and a port');
    checkCount(scope, 'database.port', port, 1, '', 65535);
    if (securityGroup) {
      checkEnvironment(scope, 'database.securityGroup', securityGroup);
    }
    const connections = securityGroup && new ec2.Connections({ securityGroups: [securityGroup] });
    return new ExistingDatabase(scope, context, { ...options, port, connections }).database;
  }

  /** An instance of Amazon RDS. */
  public static fromInstance(
    scope: Construct, context: DatabaseContext, instance: rds.IDatabaseInstance,
    credentials: secretsmanager.ISecret, options: ExistingDatabaseOptions,
  ): BoundDatabase {
    checkServer(scope, instance, 'a PostgreSQL instance');
    const { hostname: host, port } = instance.instanceEndpoint;
    return new ExistingDatabase(scope, context, { ...options, host, port, credentials, connections: instance.connections, instance }).database;
  }

  /** A cluster of Amazon Aurora. */
  public static fromCluster(
    scope: Construct, context: DatabaseContext, cluster: rds.IDatabaseCluster,
    credentials: secretsmanager.ISecret, options: ExistingDatabaseOptions,
  ): BoundDatabase {
    checkServer(scope, cluster, 'a PostgreSQL cluster');
    const { hostname: host, port } = endpointOf(scope, cluster);
    return new ExistingDatabase(scope, context, { ...options, host, port, credentials, connections: cluster.connections, cluster }).database;
  }

  private readonly database: BoundDatabase;

  private constructor(scope: Construct, { namespace, nodes }: DatabaseContext, server: Server) {
    super(scope, 'Database');

    const { host, port, credentials, connections, cluster, instance, database = 'airflow' } = server;
    checkFormat(scope, 'database.database', database, /^[\w-]{1,63}$/, 'a name of at most 63 letters, digits, and - _');
    if (credentials?.secretArn === undefined) {
      fail(scope, "'database.credentials' must be a secret in AWS Secrets Manager with the fields 'username' and 'password',"
        + ` got ${shown(credentials)}; import it with secretsmanager.Secret.fromSecretNameV2()`);
    }
    const field = (name: string) => AirflowSecret.fromSecretsManager(credentials, name);
    const rules = connections
      ? admit(this, { from: nodes, to: { connections }, port: ec2.Port.tcp(port), description: 'PostgreSQL from the nodes of the Airflow deployment' })
      : [];
    this.database = {
      hostname: host,
      port,
      secret: credentials,
      connections,
      cluster,
      instance,
      endpoint: {
        host,
        port,
        name: database,
        user: serverCredential(namespace, 'user', field('username')),
        password: serverCredential(namespace, 'password', field('password')),
        authorities: authoritiesOf(scope, server.certificateAuthorities),
      },
      maxPoolSize: Number.MAX_SAFE_INTEGER,
      inCluster: false,
      available: [...[cluster, instance].filter((created) => created !== undefined), ...rules],
      workloads: [],
      keys: [],
    };
  }
}

function endpointOf(scope: Construct, cluster: rds.IDatabaseCluster): rds.Endpoint {
  try {
    return cluster.clusterEndpoint;
  } catch { // of an imported cluster
    fail(scope, `'database' must be a cluster with an endpoint, got '${cluster.node.path}'; import it with 'clusterEndpointAddress' and 'port'`);
  }
}

/** Fails unless a server is one of PostgreSQL, in the account and Region of the deployment if the app creates it. */
function checkServer(scope: Construct, server: rds.IDatabaseInstance | rds.IDatabaseCluster, kind: string): void {
  const type = server.engine?.engineType;
  if (type !== undefined && !type.includes('postgres')) {
    fail(scope, `'database' must be ${kind}, got the engine '${type}' of '${server.node.path}'`);
  }
  checkEnvironment(scope, 'database', server);
}
