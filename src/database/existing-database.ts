import { Annotations } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import rds = require('aws-cdk-lib/aws-rds');
import secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
import { Construct } from 'constructs';
import { BoundDatabase, DatabaseContext } from './bound-database';
import { authoritiesOf } from './certificate-authorities';
import { DatabaseTls, serverCredential } from './database-endpoint';
import { DatabaseSslMode, EndpointDatabaseOptions, ExistingDatabaseOptions } from './existing-database-options';
import { admit } from '../access';
import { AirflowSecret } from '../secrets/airflow-secret';
import { checkCount, checkEnvironment, checkFormat, fail, shown } from '../validation';

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
    const { host, port = 5432, securityGroup } = (options ?? {}) as EndpointDatabaseOptions; // which JavaScript may omit
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

    const { host, port, credentials, adminCredentials, connections, cluster, instance, database = 'airflow' } = server;
    checkFormat(scope, 'database.database', database, /^[\w-]{1,63}$/, 'a name of at most 63 letters, digits, and - _');
    checkCredentials(scope, 'credentials', credentials);
    if (adminCredentials !== undefined) {
      checkCredentials(scope, 'adminCredentials', adminCredentials);
    }
    const field = (name: string) => AirflowSecret.fromSecretsManager(credentials, name);
    const admin = adminCredentials && {
      user: serverCredential(namespace, 'admin-user', AirflowSecret.fromSecretsManager(adminCredentials, 'username')),
      password: serverCredential(namespace, 'admin-password', AirflowSecret.fromSecretsManager(adminCredentials, 'password')),
    };
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
        tls: tlsOf(scope, server),
      },
      creation: { admin },
      maxConnections: Infinity,
      inCluster: false,
      available: [...[cluster, instance].filter((created) => created !== undefined), ...rules],
      workloads: [],
      pods: [],
      keys: [],
    };
  }
}

function checkCredentials(scope: Construct, option: string, secret: secretsmanager.ISecret): void {
  if (secret?.secretArn === undefined) {
    fail(scope, `'database.${option}' must be a secret in AWS Secrets Manager with the fields 'username' and 'password',`
      + ` got ${shown(secret)}; import it with secretsmanager.Secret.fromSecretNameV2()`);
  }
}

function tlsOf(scope: Construct, { sslMode = DatabaseSslMode.VERIFY_FULL, certificateAuthorities }: Server): DatabaseTls {
  if (!Object.values(DatabaseSslMode).includes(sslMode)) {
    fail(scope, `'database.sslMode' must be one of DatabaseSslMode, got ${shown(sslMode)}`);
  }
  if (sslMode !== DatabaseSslMode.DISABLE) {
    return { mode: sslMode, authorities: authoritiesOf(scope, certificateAuthorities) };
  }
  if (certificateAuthorities !== undefined) {
    fail(scope, "'database.certificateAuthorities' has no effect together with DatabaseSslMode.DISABLE, which shows no certificate; remove one of them");
  }
  Annotations.of(scope).addWarningV2('airflow-on-eks:unencryptedDatabaseConnection',
    "'database.sslMode' is DISABLE: what Airflow reads from the database, and writes to it, can be read in the network; enable TLS on the server, or acknowledge this warning");
  return { mode: sslMode };
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
