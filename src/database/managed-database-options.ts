import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import kms = require('aws-cdk-lib/aws-kms');
import rds = require('aws-cdk-lib/aws-rds');

/**
 * Options that Amazon Aurora and Amazon RDS have in common.
 */
export interface ManagedDatabaseOptions {
  /**
   * Whether a standby in another Availability Zone takes over when the database fails.
   *
   * @default false
   */
  readonly multiAz?: boolean;

  /**
   * The subnets of the database, in at least two Availability Zones.
   *
   * @default - the private subnets of the cluster's VPC
   */
  readonly subnets?: ec2.SubnetSelection;

  /**
   * The KMS key that encrypts the database.
   *
   * @default - the AWS managed key `aws/rds`
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * How long automated backups are kept, from 1 to 35 days.
   *
   * @default Duration.days(7)
   */
  readonly backupRetention?: Duration;

  /**
   * Whether the database is protected from deletion.
   *
   * A stack with a protected database cannot be deleted.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;

  /**
   * What happens to the database when it is removed from the stack.
   *
   * @default RemovalPolicy.SNAPSHOT
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * How often a new password is generated, in whole days.
   *
   * PgBouncer follows within some minutes, without a restart of Airflow. The AWS Lambda function that rotates the password runs in the private
   * subnets of the cluster's VPC, and must reach AWS Secrets Manager from there.
   *
   * @default - the password is not rotated
   * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_turn-on-for-db.html
   */
  readonly passwordRotation?: Duration;

  /**
   * Additional parameters of PostgreSQL, which replace those of the library.
   *
   * @default - only `rds.force_ssl`
   */
  readonly parameters?: { [name: string]: string };

  /**
   * The certificates of the authorities that sign the certificate of the database, in PEM format.
   *
   * Read it from a file that contains the bundle of your Region.
   *
   * @default - those of Amazon RDS, for the commercial Regions that the library knows
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html#UsingWithRDS.SSL.CertificatesAllRegions
   */
  readonly certificateAuthorities?: string;
}

/**
 * Options of `AirflowDatabase.aurora()`.
 */
export interface AuroraDatabaseOptions extends ManagedDatabaseOptions {
  /**
   * The version of Aurora PostgreSQL.
   *
   * @default - 16.11
   */
  readonly engineVersion?: rds.AuroraPostgresEngineVersion;

  /**
   * The minimum capacity of each instance, in Aurora capacity units (ACUs) of 2 GiB of memory.
   *
   * Not together with `instanceType`.
   *
   * @default - 0.5
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
   */
  readonly minCapacity?: number;

  /**
   * The maximum capacity of each instance, in Aurora capacity units (ACUs) of 2 GiB of memory.
   *
   * Not together with `instanceType`.
   *
   * @default 4
   */
  readonly maxCapacity?: number;

  /**
   * The instance type of provisioned instances, which replace those of Aurora Serverless v2.
   *
   * Not together with `minCapacity` or `maxCapacity`.
   *
   * @default - Aurora Serverless v2
   */
  readonly instanceType?: ec2.InstanceType;
}

/**
 * Options of `AirflowDatabase.rds()`.
 */
export interface RdsDatabaseOptions extends ManagedDatabaseOptions {
  /**
   * The version of PostgreSQL.
   *
   * @default - 16.11
   */
  readonly engineVersion?: rds.PostgresEngineVersion;

  /**
   * The instance type.
   *
   * @default - `t4g.medium`
   */
  readonly instanceType?: ec2.InstanceType;

  /**
   * The initial size of the storage, at least 20 GiB.
   *
   * @default Size.gibibytes(20)
   */
  readonly allocatedStorage?: Size;

  /**
   * The size up to which the storage grows by itself.
   *
   * @default - 100 GiB, or twice the initial size if that is more
   */
  readonly maxAllocatedStorage?: Size;
}
