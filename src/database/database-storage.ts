import { Size } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { KubernetesObject } from '../kubernetes';
import { checkFormat, gibibytesOf } from '../validation';

/**
 * The Amazon EBS volume of the in-cluster database, instead of the EFS file system.
 *
 * It is in one Availability Zone, and only nodes in that zone can run the database.
 */
export interface DatabaseStorageOptions {
  /**
   * The size of the volume, in whole GiB.
   *
   * It can grow later, and not shrink.
   *
   * @default Size.gibibytes(20)
   */
  readonly size?: Size;

  /**
   * The name of an existing storage class.
   *
   * Its reclaim policy decides whether the volume is retained when the stack is deleted. To let the volume grow, it must allow volume expansion.
   *
   * @default - a new storage class for encrypted gp3 volumes, which are retained
   * @see https://kubernetes.io/docs/concepts/storage/storage-classes/
   */
  readonly storageClassName?: string;
}

interface DatabaseStorageProps extends DatabaseStorageOptions {
  readonly namespace: string;
  readonly autoMode: boolean;
}

interface DatabaseStorage {
  readonly claim: string;
  readonly objects: KubernetesObject[];
}

/** A claim, whose volume the EBS CSI driver creates in the zone of the first pod. */
export function databaseStorage(scope: Construct, props: DatabaseStorageProps): DatabaseStorage {
  const { namespace, autoMode, size = Size.gibibytes(20), storageClassName } = props;
  const gibibytes = gibibytesOf(scope, 'database.storage.size', size, 1);
  checkFormat(scope, 'database.storage.storageClassName', storageClassName ?? namespace, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'the name of a storage class');
  // Not the name of the claim on EFS, which is deleted with its last pod when a deployment changes from one to the other.
  const claim = `data-${namespace}-postgresql-0`;
  const ownClass = `${namespace}-database`;
  return {
    claim,
    objects: [
      ...storageClassName ? [] : [{
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: ownClass }, // contains the namespace, because storage classes are not namespaced
        provisioner: autoMode ? 'ebs.csi.eks.amazonaws.com' : 'ebs.csi.aws.com',
        parameters: { type: 'gp3', encrypted: 'true' },
        reclaimPolicy: 'Retain', // the claim is deleted with its namespace
        allowVolumeExpansion: true,
        volumeBindingMode: 'WaitForFirstConsumer',
      }],
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claim, namespace },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: storageClassName ?? ownClass,
          resources: { requests: { storage: `${gibibytes}Gi` } },
        },
      },
    ],
  };
}
