import { Duration, RemovalPolicy, Size, Token } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import rds = require('aws-cdk-lib/aws-rds');
import { Construct } from 'constructs';
import { BoundDatabase, DatabaseContext } from './bound-database';
import { authoritiesOf } from './certificate-authorities';
import { DatabaseEndpoint, serverCredential } from './database-endpoint';
import { AuroraDatabaseOptions, ManagedDatabaseOptions, RdsDatabaseOptions } from './managed-database-options';
import { admit } from '../access';
import { AirflowSecret } from '../secrets/airflow-secret';
import { checkFormat, fail, gibibytesOf } from '../validation';
import { RDS_POSTGRESQL } from '../versions';

const NAME = 'airflow';
const USER = 'airflow';
/** The default of Amazon RDS. Only this one is trusted. */
const AUTHORITY = rds.CaCertificate.RDS_CA_RSA2048_G1;
const PRIVATE: ec2.SubnetSelection = { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS };

/** A database in Amazon Aurora or Amazon RDS, with a password in AWS Secrets Manager. */
abstract class ManagedDatabase extends Construct {
  protected readonly securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, private readonly context: DatabaseContext, private readonly options: ManagedDatabaseOptions) {
    super(scope, id);

    const { backupRetention = Duration.days(7), passwordRotation } = options;
    for (const [name, duration, maximum] of [['backupRetention', backupRetention, 35], ['passwordRotation', passwordRotation, 1000]] as const) {
      const days = duration?.toDays({ integral: false });
      if (days !== undefined && !duration!.isUnresolved() && !(Number.isInteger(days) && days >= 1 && days <= maximum)) {
        fail(scope, `'database.${name}' must be a whole number of days from 1 to ${maximum}, got ${days}`);
      }
    }
    checkSubnets(scope, options.subnets, context.cluster.vpc);
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: context.cluster.vpc,
      description: `Database of the Airflow deployment ${context.namespace}`,
      allowAllOutbound: false, // a database never opens a connection
    });
  }

  /** What clusters and instances have in common. */
  protected shared() {
    const { subnets, encryptionKey, backupRetention, deletionProtection, removalPolicy } = this.options;
    return {
      vpc: this.context.cluster.vpc,
      vpcSubnets: subnets ?? PRIVATE,
      securityGroups: [this.securityGroup],
      storageEncrypted: true,
      storageEncryptionKey: encryptionKey,
      credentials: rds.Credentials.fromGeneratedSecret(USER),
      backup: backupRetention ?? Duration.days(7),
      deletionProtection: deletionProtection ?? true,
      removalPolicy: removalPolicy ?? RemovalPolicy.SNAPSHOT,
      parameters: { 'rds.force_ssl': '1', ...this.options.parameters },
    };
  }

  protected bound(server: rds.DatabaseCluster | rds.DatabaseInstance, { hostname, port }: rds.Endpoint): BoundDatabase {
    const { namespace, nodes } = this.context;
    const { passwordRotation, certificateAuthorities } = this.options;
    const rules = admit(this, { from: nodes, to: server, description: 'PostgreSQL from the nodes of the Airflow deployment' });
    if (passwordRotation) {
      server.addRotationSingleUser({ automaticallyAfter: passwordRotation });
    }
    const endpoint: DatabaseEndpoint = {
      host: hostname,
      port,
      name: NAME,
      user: USER,
      password: serverCredential(namespace, 'password', AirflowSecret.fromSecretsManager(server.secret!, 'password')),
      tls: { mode: 'verify-full', authorities: authoritiesOf(this.node.scope!, certificateAuthorities, 'RSA2048') },
    };
    return {
      hostname,
      port,
      secret: server.secret,
      connections: server.connections,
      endpoint,
      maxConnections: Infinity,
      inCluster: false,
      available: [this, ...rules],
      workloads: [],
      pods: [],
      keys: [],
    };
  }
}

/** Fails where the CDK would with an error that names no prop, and where Amazon RDS would during deployment. */
function checkSubnets(scope: Construct, subnets: ec2.SubnetSelection | undefined, vpc: ec2.IVpc): void {
  if (subnets === undefined && vpc.privateSubnets.length === 0) {
    fail(scope, "'database.subnets' must be set, because the VPC of the cluster has no private subnets with a route to the internet, got none");
  }
  const { availabilityZones } = vpc.selectSubnets(subnets ?? PRIVATE);
  if (!availabilityZones.some(Token.isUnresolved) && new Set(availabilityZones).size < 2) {
    fail(scope, `'database.subnets' must be in at least two Availability Zones, got ${availabilityZones.join() || 'no subnets'}`);
  }
}

function checkInstanceType(scope: Construct, instanceType?: ec2.InstanceType): void {
  checkFormat(scope, 'database.instanceType', `${instanceType ?? ''}`, /^(?!db\.)/, "an instance type without the prefix 'db.', which is added");
}

/** Fails unless a capacity is in steps of half a unit. The CDK refuses tokens. */
function checkCapacity(scope: Construct, option: string, capacity: number, minimum: number): void {
  const known = !Token.isUnresolved(capacity);
  if (!(known && Number.isInteger(2 * capacity) && capacity >= minimum && capacity <= 256)) {
    fail(scope, `'database.${option}' must be from ${minimum} to 256 Aurora capacity units in steps of 0.5, got ${known ? capacity : 'a token'}`);
  }
}

/** A cluster of Amazon Aurora. */
export class AuroraDatabase extends ManagedDatabase {
  public readonly database: BoundDatabase;

  constructor(scope: Construct, id: string, context: DatabaseContext, options: AuroraDatabaseOptions) {
    super(scope, id, context, options);

    const { minCapacity = 0.5, maxCapacity = 4, instanceType, multiAz } = options;
    checkInstanceType(scope, instanceType);
    for (const option of ['minCapacity', 'maxCapacity'] as const) {
      if (instanceType && options[option] !== undefined) {
        fail(scope, `'database.${option}' has no effect together with 'database.instanceType', which has a fixed capacity; remove one of them`);
      }
    }
    checkCapacity(scope, 'minCapacity', minCapacity, 0);
    checkCapacity(scope, 'maxCapacity', maxCapacity, Math.max(1, minCapacity));
    const { backup, ...shared } = this.shared();
    const instance = (name: string) => instanceType
      ? rds.ClusterInstance.provisioned(name, { instanceType, caCertificate: AUTHORITY })
      : rds.ClusterInstance.serverlessV2(name, { caCertificate: AUTHORITY, scaleWithWriter: name === 'Reader' ? true : undefined });
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      ...shared,
      engine: rds.DatabaseClusterEngine.auroraPostgres({
        version: options.engineVersion ?? rds.AuroraPostgresEngineVersion.of(RDS_POSTGRESQL.full, RDS_POSTGRESQL.major),
      }),
      writer: instance('Writer'),
      readers: multiAz ? [instance('Reader')] : [],
      serverlessV2MinCapacity: minCapacity,
      serverlessV2MaxCapacity: maxCapacity,
      defaultDatabaseName: NAME,
      backup: { retention: backup },
    });
    this.database = { ...this.bound(cluster, cluster.clusterEndpoint), cluster };
  }
}

/** An instance of Amazon RDS. */
export class RdsDatabase extends ManagedDatabase {
  public readonly database: BoundDatabase;

  constructor(scope: Construct, id: string, context: DatabaseContext, options: RdsDatabaseOptions) {
    super(scope, id, context, options);

    const { allocatedStorage = Size.gibibytes(20), maxAllocatedStorage } = options;
    checkInstanceType(scope, options.instanceType);
    const initial = gibibytesOf(scope, 'database.allocatedStorage', allocatedStorage, 20);
    const maximum = gibibytesOf(scope, 'database.maxAllocatedStorage', maxAllocatedStorage ?? Size.gibibytes(Math.max(100, 2 * initial)), initial);
    const { backup, ...shared } = this.shared();
    const instance = new rds.DatabaseInstance(this, 'Instance', {
      ...shared,
      engine: rds.DatabaseInstanceEngine.postgres({
        version: options.engineVersion ?? rds.PostgresEngineVersion.of(RDS_POSTGRESQL.full, RDS_POSTGRESQL.major),
      }),
      instanceType: options.instanceType ?? new ec2.InstanceType('t4g.medium'),
      caCertificate: AUTHORITY,
      multiAz: options.multiAz ?? false,
      storageType: rds.StorageType.GP3,
      allocatedStorage: initial,
      maxAllocatedStorage: maximum,
      databaseName: NAME,
      backupRetention: backup,
    });
    this.database = { ...this.bound(instance, instance.instanceEndpoint), instance };
  }
}
