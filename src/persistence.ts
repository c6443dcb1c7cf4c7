import { RemovalPolicy, Size } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import efs = require('aws-cdk-lib/aws-efs');
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { KubernetesObject } from './cluster';
import { fail } from './errors';

/**
 * Where logs and the embedded database are kept.
 */
export interface PersistenceOptions {
  /**
   * The file system.
   *
   * The nodes are let into its security group, and granted to mount it, as far as it is not imported as immutable.
   *
   * @default - a new one in the cluster's VPC, encrypted, reachable from the nodes only
   */
  readonly fileSystem?: efs.IFileSystem;

  /**
   * The size that the claim for logs asks for. EFS does not enforce it.
   *
   * @default Size.gibibytes(1)
   */
  readonly logsSize?: Size;

  /**
   * The size that the claim for the database asks for. EFS does not enforce it.
   *
   * @default Size.gibibytes(8)
   */
  readonly databaseSize?: Size;

  /**
   * What happens to the file system when the stack goes.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * When files that are not read move to infrequent access.
   *
   * @default efs.LifecyclePolicy.AFTER_14_DAYS
   * @see https://docs.aws.amazon.com/efs/latest/ug/lifecycle-management-efs.html
   */
  readonly lifecyclePolicy?: efs.LifecyclePolicy;

  /**
   * How throughput is given and paid for.
   *
   * @default efs.ThroughputMode.ELASTIC
   * @see https://docs.aws.amazon.com/efs/latest/ug/performance.html#throughput-modes
   */
  readonly throughputMode?: efs.ThroughputMode;

  /**
   * Whether AWS Backup keeps daily copies of the file system for 35 days.
   *
   * @default true
   * @see https://docs.aws.amazon.com/efs/latest/ug/automatic-backups.html
   */
  readonly automaticBackups?: boolean;
}

/**
 * Properties of `Persistence`.
 */
export interface PersistenceProps extends PersistenceOptions {
  /**
   * The cluster, whose VPC the file system is in.
   */
  readonly cluster: eks.ICluster | eksv2.ICluster;

  /**
   * The namespace of the claims. Names and paths derive from it.
   */
  readonly namespace: string;

  /**
   * The nodes that may mount the file system.
   */
  readonly nodes: ec2.IConnectable;

  /**
   * The role of these nodes.
   */
  readonly nodeRole: iam.IRole;
}

/** The user that Airflow's containers run as, in group 0, and the one of the PostgreSQL image. */
const AIRFLOW_USER = { uid: '50000', gid: '0' };
const DATABASE_USER = { uid: '1001', gid: '1001' };

/**
 * The file system of one Airflow, with an access point, a volume and a claim for each purpose.
 *
 * An access point enforces its user and group on all that is done through it, so nothing has to change owners, and nothing can.
 */
export class Persistence extends Construct {
  /**
   * The file system.
   */
  public readonly fileSystem: efs.IFileSystem;

  /**
   * The root of the log files.
   */
  public readonly logsAccessPoint: efs.AccessPoint;

  /**
   * The root of the database's files.
   */
  public readonly databaseAccessPoint: efs.AccessPoint;

  /**
   * The name of the claim for logs.
   */
  public readonly logsClaimName: string;

  /**
   * The name of the claim for the database.
   */
  public readonly databaseClaimName: string;

  /**
   * The name of the storage class that makes an access point for each further claim.
   */
  public readonly storageClassName: string;

  /**
   * The Kubernetes objects, for the manifest that also holds their namespace.
   *
   * @internal
   */
  public readonly _objects: KubernetesObject[];

  /**
   * What lets the nodes mount.
   *
   * @internal
   */
  public readonly _mountGrant: iam.Grant;

  constructor(scope: Construct, id: string, private readonly props: PersistenceProps) {
    super(scope, id);

    const { namespace } = props;
    this.logsClaimName = `${namespace}-logs`;
    this.databaseClaimName = `data-${namespace}-postgresql`;
    this.storageClassName = `${namespace}-efs`;

    this.fileSystem = props.fileSystem ?? this.createFileSystem();
    this.fileSystem.connections.allowDefaultPortFrom(props.nodes, 'NFS from the nodes of Airflow');
    this._mountGrant = this.fileSystem.grant(props.nodeRole, 'elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite');

    this.logsAccessPoint = this.accessPoint('LogsAccessPoint', `/${namespace}/logs`, AIRFLOW_USER, '0775');
    this.databaseAccessPoint = this.accessPoint('DatabaseAccessPoint', `/${namespace}/data`, DATABASE_USER, '0700');

    this._objects = [
      this.storageClass(),
      ...this.volumeAndClaim(this.logsClaimName, this.logsAccessPoint, props.logsSize ?? Size.gibibytes(1)),
      ...this.volumeAndClaim(this.databaseClaimName, this.databaseAccessPoint, props.databaseSize ?? Size.gibibytes(8)),
    ];
  }

  private createFileSystem(): efs.FileSystem {
    return new efs.FileSystem(this, 'FileSystem', {
      vpc: this.props.cluster.vpc,
      securityGroup: new ec2.SecurityGroup(this, 'SecurityGroup', {
        vpc: this.props.cluster.vpc,
        description: 'File system of Airflow',
        allowAllOutbound: false, // a mount target never opens a connection
      }),
      encrypted: true,
      enableAutomaticBackups: this.props.automaticBackups ?? true,
      lifecyclePolicy: this.props.lifecyclePolicy ?? efs.LifecyclePolicy.AFTER_14_DAYS,
      throughputMode: this.props.throughputMode ?? efs.ThroughputMode.ELASTIC,
      removalPolicy: this.props.removalPolicy ?? RemovalPolicy.RETAIN,
      // With a policy of its own a file system admits nobody by default, so the CDK need not add one that lets anonymous
      // clients write and be root, which is what it does unless it is told that anonymous access is fine.
      allowAnonymousAccess: true,
      fileSystemPolicy: new iam.PolicyDocument({
        statements: [new iam.PolicyStatement({
          sid: 'OnlyEncryptedInTransit',
          effect: iam.Effect.DENY,
          principals: [new iam.AnyPrincipal()],
          actions: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite', 'elasticfilesystem:ClientRootAccess'],
          conditions: { Bool: { 'aws:SecureTransport': 'false' } },
        })],
      }),
    });
  }

  private accessPoint(id: string, path: string, user: efs.PosixUser, permissions: string): efs.AccessPoint {
    return new efs.AccessPoint(this, id, {
      fileSystem: this.fileSystem,
      path,
      posixUser: user,
      createAcl: { ownerUid: user.uid, ownerGid: user.gid, permissions },
    });
  }

  /** For the claims that DAGs and users add; ours are bound by name, without a class. */
  private storageClass(): KubernetesObject {
    return {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: this.storageClassName },
      provisioner: 'efs.csi.aws.com',
      mountOptions: MOUNT_OPTIONS,
      reclaimPolicy: 'Retain',
      parameters: {
        provisioningMode: 'efs-ap',
        fileSystemId: this.fileSystem.fileSystemId,
        basePath: `/${this.props.namespace}/volumes`,
        directoryPerms: '0775',
        ...AIRFLOW_USER,
      },
    };
  }

  private volumeAndClaim(claimName: string, accessPoint: efs.AccessPoint, size: Size): KubernetesObject[] {
    const mebibytes = size.toMebibytes();
    if (mebibytes <= 0) {
      fail(this, `the size of claim '${claimName}' must be more than 0 MiB, got ${mebibytes}`);
    }
    const { namespace } = this.props;
    const volumeName = claimName; // it holds the namespace, as volumes have none
    const shared = {
      accessModes: ['ReadWriteMany'],
      storageClassName: '', // neither a class of ours nor the cluster's default may claim it
    };
    return [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: volumeName },
        spec: {
          ...shared,
          capacity: { storage: quantity(mebibytes) },
          volumeMode: 'Filesystem',
          persistentVolumeReclaimPolicy: 'Retain',
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claimName },
          mountOptions: MOUNT_OPTIONS,
          csi: { driver: 'efs.csi.aws.com', volumeHandle: `${this.fileSystem.fileSystemId}::${accessPoint.accessPointId}` },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claimName, namespace },
        spec: { ...shared, volumeName, resources: { requests: { storage: quantity(mebibytes) } } },
      },
    ];
  }
}

/** Encrypted in transit, and as the node's role: the file system admits nobody else. */
const MOUNT_OPTIONS = ['tls', 'iam'];

function quantity(mebibytes: number): string {
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`;
}
