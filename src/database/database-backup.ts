import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import s3 = require('aws-cdk-lib/aws-s3');
import { Construct } from 'constructs';
import { backupObjects } from './backup-objects';
import { DatabaseContext } from './bound-database';
import { DatabaseEndpoint } from './database-endpoint';
import { bucketFolder, folderStatements } from '../bucket';
import { applyManifest, serviceAccountRole } from '../kubernetes';
import { PodRequests, podRequestsOf } from '../pod-requests';
import { SecretKey } from '../secrets/secret-key';
import { checkFormat, gibibytesOf } from '../validation';

/**
 * The scheduled backup of the in-cluster database to an Amazon S3 bucket.
 */
export interface DatabaseBackupOptions {
  /**
   * An existing bucket.
   *
   * A role of its own gets the permission to write below the prefix, also with the KMS key of the bucket. The bucket of another account must admit
   * the role in its policy.
   *
   * @default - a new bucket, which is encrypted, private, and admits only connections with TLS
   */
  readonly bucket?: s3.IBucket;

  /**
   * The beginning of the keys of all backups, without a leading or trailing `/`.
   *
   * @default - the namespace of the deployment and `-database`
   */
  readonly prefix?: string;

  /**
   * When a backup is made, as a cron expression of Kubernetes in UTC.
   *
   * @default '0 3 * * *'
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
   */
  readonly schedule?: string;

  /**
   * The age at which the backups in the new bucket are deleted, in whole days.
   *
   * Not together with `bucket`, whose lifecycle rules are yours.
   *
   * @default Duration.days(30)
   */
  readonly retention?: Duration;

  /**
   * Whether the new bucket is retained, or emptied and deleted, when the stack is deleted.
   *
   * Not together with `bucket`.
   *
   * @default RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * The maximum size of a backup, which is compressed, in whole GiB.
   *
   * A backup is written to the disk of its node before it is uploaded, which must have as much space. A larger backup fails.
   *
   * @default Size.gibibytes(5)
   */
  readonly maxSize?: Size;
}

interface DatabaseBackupProps extends DatabaseBackupOptions, DatabaseContext {
  readonly endpoint: DatabaseEndpoint & { readonly user: string };
  readonly passwordKey: SecretKey;
}

const SCHEDULE = /^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+( +\S+){4})$/;

/** A CronJob that dumps the database and uploads the dump. */
export class DatabaseBackup extends Construct {
  public readonly bucket: s3.IBucket;
  public readonly manifest: Construct;
  public readonly pods: PodRequests[];

  constructor(scope: Construct, id: string, props: DatabaseBackupProps) {
    super(scope, id);

    const { cluster, namespace, nodes, schedule = '0 3 * * *', retention, maxSize = Size.gibibytes(5) } = props;
    const folder = bucketFolder(this, 'Bucket', 'database.backup', {
      ...props, prefix: props.prefix ?? `${namespace}-database`, retention: retention ?? (props.bucket ? undefined : Duration.days(30)),
    });
    checkFormat(this, 'database.backup.schedule', schedule, SCHEDULE, "a cron expression of five fields, such as '0 3 * * *'");
    const maxGibibytes = gibibytesOf(this, 'database.backup.maxSize', maxSize, 1);

    const name = `${namespace}-database-backup`;
    const role = serviceAccountRole(this, 'Role', {
      cluster,
      namespace,
      serviceAccount: name,
      description: `Backup of the database of the Airflow deployment '${namespace}'`,
      // Without reading: who takes over the pod gets no backup, which contains all that Airflow knows.
      statements: folderStatements(this, folder, 'Backups', ['s3:PutObject', 's3:AbortMultipartUpload']),
    });
    this.bucket = folder.bucket;
    const objects = backupObjects({
      name,
      namespace,
      placement: nodes.placement.database,
      schedule,
      roleArn: role.roleArn,
      target: `s3://${folder.bucket.bucketName}/${folder.prefix}/`,
      maxGibibytes,
      endpoint: props.endpoint,
      passwordKey: props.passwordKey,
    });
    this.manifest = applyManifest(this, 'Manifest', cluster, objects, { overwrite: true });
    this.pods = podRequestsOf('database.backup', objects);
  }
}
