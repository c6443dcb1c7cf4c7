import { Annotations, Token } from 'aws-cdk-lib';
import s3 = require('aws-cdk-lib/aws-s3');
import { Construct } from 'constructs';
import { BoundDatabase, DatabaseContext } from './bound-database';
import { DatabaseBackup, DatabaseBackupOptions } from './database-backup';
import { clientPassword, DatabaseEndpoint, fieldKey } from './database-endpoint';
import { MAX_CONNECTIONS, postgresqlObjects } from './postgresql';
import { bytesOf, componentSettings } from '../component';
import { applyManifest, revisionOf, waitUntilReady } from '../kubernetes';
import { databaseClaimName } from '../persistence';
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
   * Scheduled backups with `pg_dump` to an Amazon S3 bucket.
   *
   * `{}` enables them with the default of each option.
   *
   * @default - no backups but those of the file system
   */
  readonly backup?: DatabaseBackupOptions;
}

interface InClusterDatabaseProps extends InClusterDatabaseOptions, DatabaseContext {}

/** PostgreSQL in a StatefulSet with one pod. */
export class InClusterDatabase extends Construct implements BoundDatabase {
  public readonly hostname: string;
  public readonly port = 5432;
  public readonly endpoint: DatabaseEndpoint;
  public readonly maxPoolSize = MAX_CONNECTIONS / 2 - 10;
  public readonly inCluster = true;
  public readonly available = [];
  public readonly keys: SecretKey[];
  public readonly workloads: Construct[];
  public readonly backupBucket?: s3.IBucket;

  constructor(scope: Construct, id: string, props: InClusterDatabaseProps) {
    super(scope, id);

    const { cluster, namespace, nodes, cpu = '500m', memory = '1Gi' } = props;
    const { resources } = componentSettings(scope, 'database', { cpu, memory, memoryLimit: memory });
    Annotations.of(this).addWarningV2('airflow-on-eks:inClusterDatabase',
      'The in-cluster database has one pod without a standby on a network file system, which suits development and small deployments:'
      + ' Airflow stops while the pod moves, and commits are slow; use AirflowDatabase.aurora() for production, or acknowledge this warning');

    const password = clientPassword(namespace, props.password);
    const passwordKey = fieldKey(scope, password);
    const name = `${namespace}-postgresql`;
    this.hostname = `${name}.${namespace}`;
    const endpoint = { host: this.hostname, port: this.port, name: 'airflow', user: 'postgres', password };
    this.endpoint = endpoint;
    this.keys = [passwordKey];

    const objects = postgresqlObjects({
      name,
      namespace,
      placement: nodes.placement.database,
      claim: databaseClaimName(namespace),
      passwordKey,
      resources,
      sharedBuffersMebibytes: Token.isUnresolved(memory) ? 256 : Math.floor(bytesOf(memory) / 2 ** 22),
    });
    const manifest = applyManifest(this, 'Manifest', cluster, objects, { overwrite: true });
    waitUntilReady(this, 'Ready', cluster, { kind: 'StatefulSet', name, namespace }, props.timeout, revisionOf(this, objects))
      .node.addDependency(manifest);
    const backup = props.backup && new DatabaseBackup(this, 'Backup', { ...props, ...props.backup, endpoint, passwordKey });
    this.backupBucket = backup?.bucket;
    this.workloads = [manifest, ...backup ? [backup.manifest] : []];
  }
}
