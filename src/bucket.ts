import { Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import iam = require('aws-cdk-lib/aws-iam');
import s3 = require('aws-cdk-lib/aws-s3');
import { Construct } from 'constructs';
import { viaService } from './access';
import { retentionOf } from './database-cleanup';
import { checkFormat, fail } from './validation';

/** The options of a place in a bucket, by the names that all props have for them. */
interface BucketFolderOptions {
  readonly bucket?: s3.IBucket;
  readonly prefix: string;
  readonly retention?: Duration;
  readonly removalPolicy?: RemovalPolicy;
}

/** A bucket, and the beginning of all keys in it. */
export interface BucketFolder {
  readonly bucket: s3.IBucket;
  readonly prefix: string;
}

/** The bucket of the user, or a new one with an ID in `scope`. */
export function bucketFolder(scope: Construct, id: string, prop: string, options: BucketFolderOptions): BucketFolder {
  const { prefix, retention, removalPolicy } = options;
  checkFormat(scope, `${prop}.prefix`, prefix, /^[\w!'()*.-]+(\/[\w!'()*.-]+)*$/, 'a prefix of keys without a leading or trailing /');
  for (const [option, value] of Object.entries({ retention, removalPolicy })) {
    if (options.bucket && value !== undefined) {
      fail(scope, `'${prop}.${option}' has no effect together with '${prop}.bucket', which already exists; set it where you create the bucket`);
    }
  }
  if (options.bucket) {
    claim(scope, prop, options.bucket, prefix);
  }
  return { prefix, bucket: options.bucket ?? createBucket(scope, id, retentionOf(scope, `${prop}.retention`, retention), removalPolicy) };
}

/** Marks a folder of a bucket as used. It creates no resources. */
class FolderMarker extends Construct {
  constructor(scope: Construct, id: string, public readonly folder: string) {
    super(scope, id);
  }
}

/** Fails if another deployment of the app uses the folder: the two would replace each other's objects. */
function claim(scope: Construct, prop: string, bucket: s3.IBucket, prefix: string): void {
  const folder = `${Token.isUnresolved(bucket.bucketName) ? bucket.node.path : bucket.bucketName}/${prefix}`;
  const markers = scope.node.root.node.findAll().filter((construct): construct is FolderMarker => construct instanceof FolderMarker);
  const other = markers.find((marker) => marker.folder === folder);
  if (other) {
    fail(scope, `'${prop}.prefix' must be unique per bucket, got '${prefix}', which is already used by ${other.node.scope!.node.path}`);
  }
  new FolderMarker(scope, `Folder-${prop}`, folder);
}

function createBucket(scope: Construct, id: string, days: number, removalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE): s3.Bucket {
  return new s3.Bucket(scope, id, {
    encryption: s3.BucketEncryption.S3_MANAGED,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    lifecycleRules: [{ expiration: Duration.days(days), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    removalPolicy,
    autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY,
  });
}

/**
 * The permissions for the objects in a folder, also for the key of the bucket.
 *
 * On our side: the policies of a bucket and of a key in another stack are not changed.
 */
export function folderStatements(scope: Construct, { bucket, prefix }: BucketFolder, name: string, actions: string[]): iam.PolicyStatement[] {
  const { region } = bucket.env;
  return [
    new iam.PolicyStatement({ sid: name, actions, resources: [bucket.arnForObjects(`${prefix}/*`)] }),
    ...bucket.encryptionKey ? [new iam.PolicyStatement({
      sid: `Encrypt${name}`,
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [bucket.encryptionKey.keyArn],
      conditions: viaService('s3', Token.isUnresolved(region) ? Stack.of(scope).region : region),
    })] : [],
  ];
}
