import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import iam = require('aws-cdk-lib/aws-iam');
import s3 = require('aws-cdk-lib/aws-s3');
import { Construct } from 'constructs';
import { bucketFolder, folderStatements } from '../bucket';
import { retentionOf } from '../database-cleanup';
import { checkOptions } from '../prop-kinds';

/**
 * Options of `AirflowLogs.onFileSystem()`.
 */
export interface FileSystemLogsOptions {
  /**
   * The age at which log files are deleted, in whole days.
   *
   * @default Duration.days(90)
   */
  readonly retention?: Duration;
}

/**
 * Options of `AirflowLogs.inBucket()`.
 */
export interface BucketLogsOptions {
  /**
   * An existing bucket.
   *
   * The role of Airflow gets the permissions, also for the KMS key of the bucket. The bucket of another account must admit the role in its policy.
   * A bucket may contain the logs of several deployments, each with a `prefix` of its own.
   *
   * @default - a new bucket, which is encrypted, private, and admits only connections with TLS
   */
  readonly bucket?: s3.IBucket;

  /**
   * The beginning of the keys of all log files, without a leading or trailing `/`.
   *
   * It must be set if deployments with the same namespace, in two clusters, share a bucket: they would replace each other's log files.
   *
   * @default - the namespace of the deployment
   */
  readonly prefix?: string;

  /**
   * The age at which the logs in the new bucket are deleted, in whole days.
   *
   * Not together with `bucket`, whose lifecycle rules are yours.
   *
   * @default Duration.days(90)
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
}

/**
 * The place of the log files.
 */
export interface IAirflowLogs {
  /**
   * The bucket with the log files.
   *
   * Undefined if they are on the file system.
   */
  readonly bucket?: s3.IBucket;
}

/** What a chart must know about the logs. */
export interface LogSettings {
  /** The age in days at which files in the log folder are deleted. */
  readonly retentionDays: number;
}

/** The logs, as the other parts of a deployment see them. */
export interface BoundLogs extends LogSettings, IAirflowLogs {
  /** Whether all pods share one log folder on the file system. */
  readonly onFileSystem: boolean;
  /** Configuration options of Airflow. */
  readonly config: Record<string, string>;
  /** The permissions of Airflow's pods. */
  readonly statements: iam.PolicyStatement[];
}

/** Uploaded logs are deleted at once; the others, such as those of the DAG processor, are only needed to look for errors. */
const LOCAL_RETENTION_DAYS = 3;

/**
 * Where Airflow keeps the log files of tasks.
 *
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', { cluster, logs: AirflowLogs.inBucket({ retention: Duration.days(365) }) });
 */
export class AirflowLogs {
  /**
   * Keep the logs on the EFS file system, which all pods share.
   *
   * @param options the age at which log files are deleted
   */
  public static onFileSystem(options: FileSystemLogsOptions = {}): AirflowLogs {
    return new AirflowLogs(options, (scope) => ({
      onFileSystem: true, retentionDays: retentionOf(scope, 'logs.retention', options.retention), config: {}, statements: [],
    }));
  }

  /**
   * Keep the logs in an Amazon S3 bucket.
   *
   * A pod uploads the log of a task when the task ends, with the role of the deployment. Until then, the web UI reads it from the pod. Pods have no
   * log volume. The image must contain the Amazon provider, as `apache/airflow` does.
   *
   * @param options the bucket, the prefix and the age at which logs are deleted
   * @see https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/logging/s3-task-handler.html
   */
  public static inBucket(options: BucketLogsOptions = {}): AirflowLogs {
    return new AirflowLogs(options, (scope, namespace) => logsInBucket(scope, namespace, options));
  }

  private constructor(private readonly options: object, private readonly create: (scope: Construct, namespace: string) => BoundLogs) {}

  /** @internal */
  public _bind(scope: Construct, namespace: string): BoundLogs {
    checkOptions(scope, 'logs', this.options);
    return this.create(scope, namespace);
  }
}

function logsInBucket(scope: Construct, namespace: string, options: BucketLogsOptions): BoundLogs {
  const folder = bucketFolder(scope, 'LogsBucket', 'logs', { ...options, prefix: options.prefix ?? namespace });
  const { bucket, prefix } = folder;
  return {
    onFileSystem: false,
    retentionDays: LOCAL_RETENTION_DAYS,
    bucket,
    config: {
      'logging.remote_logging': 'True',
      'logging.remote_base_log_folder': `s3://${bucket.bucketName}/${prefix}`,
      'logging.remote_log_conn_id': '', // the role of the pod, without a connection
      'logging.delete_local_logs': 'True',
      // The web UI reads the log of a running task from its pod, whose host name only the pod itself can resolve.
      'core.hostname_callable': 'airflow.utils.net.get_host_ip_address',
    },
    statements: [
      ...folderStatements(scope, folder, 'Logs', ['s3:GetObject', 's3:PutObject']),
      // Without it, S3 answers that access is denied, instead of that there is no log yet.
      new iam.PolicyStatement({ sid: 'ListLogs', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
    ],
  };
}
