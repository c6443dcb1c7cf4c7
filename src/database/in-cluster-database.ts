import { Annotations, Token } from 'aws-cdk-lib';
import s3 = require('aws-cdk-lib/aws-s3');
import { Construct } from 'constructs';
import { BoundDatabase, DatabaseContext } from './bound-database';
import { DatabaseBackup, DatabaseBackupOptions } from './database-backup';
import { clientPassword, DatabaseEndpoint, fieldKey } from './database-endpoint';
import { databaseStorage, DatabaseStorageOptions } from './database-storage';
import { MAX_CONNECTIONS, postgresqlObjects } from './postgresql';
import { bytesOf, componentSettings } from '../component';
import { applyManifest, revisionOf, waitUntilReady } from '../kubernetes';
import { databaseClaimName } from '../persistence';
import { PodRequests, podRequestsOf } from '../pod-requests';
import { SecretKey } from '../secrets/secret-key';

/**
 * Options of `AirflowDatabase.inCluster()`.
 */
export interface InClusterDatabaseOptions {
  /**
   * The CPU that PostgreSQL requests, as a Kubernetes quantity such as `500m` or `2`.
   *
   * It has no CPU limit.
   *
   * @default '500m'
   */
  readonly cpu?: string;

  /**
   * The memory that PostgreSQL requests, which is also its limit, as a Kubernetes quantity such as `2Gi`.
   *
   * A quarter of it is PostgreSQL's buffer cache.
   *
   * @default '1Gi'
   */
  readonly memory?: string;

  /**
   * An Amazon EBS volume for the files of the database.
   *
   * The cluster must have the EBS CSI driver, as EKS Auto Mode has it. `{}` creates a volume with the default of each option.
   *
   * @default - the files are on the EFS file system
   */
  readonly storage?: DatabaseStorageOptions;

  /**
   * Scheduled backups with `pg_dump` to an Amazon S3 bucket.
   *
   * `{}` enables them with the default of each option.
   *
   * @default - no backups but those of the EFS file system
   */
  readonly backup?: DatabaseBackupOptions;
}

interface InClusterDatabaseProps extends InClusterDatabaseOptions, DatabaseContext {}

/** PostgreSQL in a StatefulSet with one pod. */
export class InClusterDatabase extends Construct implements BoundDatabase {
  public readonly hostname: string;
  public readonly port = 5432;
  public readonly endpoint: DatabaseEndpoint;
  public readonly maxConnections = MAX_CONNECTIONS - 20; // some are for administrators, backups and KEDA
  public readonly inCluster = true;
  public readonly available = [];
  public readonly keys: SecretKey[];
  public readonly workloads: Construct[];
  public readonly pods: PodRequests[];
  public readonly backupBucket?: s3.IBucket;

  constructor(scope: Construct, id: string, props: InClusterDatabaseProps) {
    super(scope, id);

    const { cluster, namespace, nodes, cpu = '500m', memory = '1Gi' } = props;
    const { resources } = componentSettings(scope, 'database', { cpu, memory, memoryLimit: memory });
    Annotations.of(this).addWarningV2('airflow-on-eks:inClusterDatabase',
      'The in-cluster database has one pod without a standby, which suits development and small deployments: Airflow stops while the pod moves, and '
      + (props.storage ? 'it moves only to nodes in the Availability Zone of its volume' : 'commits wait for a network file system')
      + '; use AirflowDatabase.aurora() for production, or acknowledge this warning');

    const password = clientPassword(namespace, props.password);
    const passwordKey = fieldKey(scope, password);
    const name = `${namespace}-postgresql`;
    this.hostname = `${name}.${namespace}`;
    const endpoint = { host: this.hostname, port: this.port, name: 'airflow', user: 'postgres', password };
    this.endpoint = endpoint;
    this.keys = [passwordKey];

    const storage = props.storage && databaseStorage(scope, { ...props.storage, namespace, autoMode: nodes.autoMode });
    const objects = [...storage?.objects ?? [], ...postgresqlObjects({
      name,
      namespace,
      placement: nodes.placement.database,
      claim: storage?.claim ?? databaseClaimName(namespace),
      onFileSystem: !storage,
      passwordKey,
      resources,
      sharedBuffersMebibytes: Token.isUnresolved(memory) ? 256 : Math.floor(bytesOf(memory) / 2 ** 22),
    })];
    const manifest = applyManifest(this, 'Manifest', cluster, objects, { overwrite: true });
    waitUntilReady(this, 'Ready', cluster, { kind: 'StatefulSet', name, namespace }, props.timeout, revisionOf(this, objects))
      .node.addDependency(manifest);
    const backup = props.backup && new DatabaseBackup(this, 'Backup', { ...props, ...props.backup, endpoint, passwordKey });
    this.backupBucket = backup?.bucket;
    this.workloads = [manifest, ...backup ? [backup.manifest] : []];
    this.pods = [...podRequestsOf('database', objects), ...backup?.pods ?? []];
  }
}
