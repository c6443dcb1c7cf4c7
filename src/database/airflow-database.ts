import rds = require('aws-cdk-lib/aws-rds');
import secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
import { Construct } from 'constructs';
import { BoundDatabase, DatabaseContext } from './bound-database';
import { ExistingDatabase } from './existing-database';
import { EndpointDatabaseOptions, ExistingDatabaseOptions } from './existing-database-options';
import { InClusterDatabase, InClusterDatabaseOptions } from './in-cluster-database';
import { AuroraDatabase, RdsDatabase } from './managed-database';
import { AuroraDatabaseOptions, RdsDatabaseOptions } from './managed-database-options';
import { checkOptions } from '../prop-kinds';

/**
 * The PostgreSQL database in which Airflow stores DAG runs, connections, variables and users.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/howto/set-up-database.html
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   database: AirflowDatabase.inCluster({ cpu: '1', memory: '2Gi' }),
 * });
 */
export class AirflowDatabase {
  /**
   * PostgreSQL 16 in one pod of the cluster, with its files on the EFS file system, or on an EBS volume.
   *
   * It costs nothing beyond its node and its files, and suits development and small deployments. It has no standby: Airflow stops while the pod
   * moves to another node. On EFS, each commit waits for the file system; with an EBS volume, the pod moves only within its Availability Zone. A
   * warning at synthesis states this.
   *
   * @param options the resources of the pod, its volume and its backups
   */
  public static inCluster(options: InClusterDatabaseOptions = {}): AirflowDatabase {
    return new AirflowDatabase(options, options?.storage ? 'volume' : 'file system', (scope, context) => new InClusterDatabase(scope, 'Database', { ...options, ...context }));
  }

  /**
   * A cluster of Amazon Aurora PostgreSQL, by default of Aurora Serverless v2.
   *
   * It is encrypted, in the private subnets of the cluster's VPC, protected from deletion, and admits only the nodes of Airflow. Its password is
   * generated in AWS Secrets Manager. PgBouncer verifies its certificate.
   *
   * @param options capacity, version, backups and password rotation
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.html
   */
  public static aurora(options: AuroraDatabaseOptions = {}): AirflowDatabase {
    return new AirflowDatabase(options, undefined, (scope, context) => new AuroraDatabase(scope, 'Database', context, options).database);
  }

  /**
   * An instance of Amazon RDS for PostgreSQL.
   *
   * It is encrypted, in the private subnets of the cluster's VPC, protected from deletion, and admits only the nodes of Airflow. Its password is
   * generated in AWS Secrets Manager. PgBouncer verifies its certificate.
   *
   * @param options instance type, storage, version, backups and password rotation
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_PostgreSQL.html
   */
  public static rds(options: RdsDatabaseOptions = {}): AirflowDatabase {
    return new AirflowDatabase(options, undefined, (scope, context) => new RdsDatabase(scope, 'Database', context, options).database);
  }

  /**
   * A PostgreSQL database that already exists, known by its host name.
   *
   * Database and user must exist, and the user must be allowed to create tables in the schema `public`. PgBouncer verifies the certificate of the
   * server, and follows a changed secret without a restart of Airflow.
   *
   * @param options host, credentials, security group and certificates
   * @throws at synthesis, if the host name, the port, the name of the database, the secret or the certificates are invalid
   * @see https://airflow.apache.org/docs/apache-airflow/stable/howto/set-up-database.html#setting-up-a-postgresql-database
   */
  public static fromEndpoint(options: EndpointDatabaseOptions): AirflowDatabase {
    return new AirflowDatabase(options, undefined, (scope, context) => ExistingDatabase.fromEndpoint(scope, context, options));
  }

  /**
   * An instance of Amazon RDS for PostgreSQL that already exists, or that the app creates, also in another stack.
   *
   * Its security groups get a rule that admits the nodes of Airflow. All else is as with `fromEndpoint()`.
   *
   * @param instance the instance
   * @param credentials the secret with the fields `username` and `password`, as Amazon RDS creates it
   * @param options the name of the database, and certificates
   * @throws at synthesis, if the instance has another engine, or the app creates it in another account or Region
   */
  public static fromInstance(
    instance: rds.IDatabaseInstance, credentials: secretsmanager.ISecret, options: ExistingDatabaseOptions = {},
  ): AirflowDatabase {
    return new AirflowDatabase(options, undefined, (scope, context) => ExistingDatabase.fromInstance(scope, context, instance, credentials, options));
  }

  /**
   * A cluster of Amazon Aurora PostgreSQL that already exists, or that the app creates, also in another stack.
   *
   * Airflow connects to the endpoint of the writer. The security groups get a rule that admits the nodes of Airflow. All else is as with
   * `fromEndpoint()`.
   *
   * @param cluster the cluster; an imported one must specify `clusterEndpointAddress` and `port`
   * @param credentials the secret with the fields `username` and `password`, as Amazon RDS creates it
   * @param options the name of the database, and certificates
   * @throws at synthesis, if the cluster has another engine, has no endpoint, or the app creates it in another account or Region
   */
  public static fromCluster(
    cluster: rds.IDatabaseCluster, credentials: secretsmanager.ISecret, options: ExistingDatabaseOptions = {},
  ): AirflowDatabase {
    return new AirflowDatabase(options, undefined, (scope, context) => ExistingDatabase.fromCluster(scope, context, cluster, credentials, options));
  }

  private constructor(
    private readonly options: object,
    /** @internal Where the files of a database in the cluster are. */
    public readonly _inCluster: 'file system' | 'volume' | undefined,
    private readonly bind: (scope: Construct, context: DatabaseContext) => BoundDatabase,
  ) {}

  /** @internal */
  public _bind(scope: Construct, context: DatabaseContext): BoundDatabase {
    checkOptions(scope, 'database', this.options);
    return this.bind(scope, context);
  }
}
