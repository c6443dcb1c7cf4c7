import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import efs = require('aws-cdk-lib/aws-efs');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct, IDependable } from 'constructs';
import { addPermissions, admit } from './access';
import { Cluster } from './cluster';
import { EfsCsiDriverInstallation } from './efs-csi-driver';
import { applyManifest, KubernetesObject, readObject } from './kubernetes';
import { BoundNodePools, IAirflowNodePools } from './nodes/airflow-node-pools';
import { checkEnvironment, fail, shown } from './validation';

/**
 * The file system for the logs and the in-cluster database.
 *
 * All options but `fileSystem` apply to a new file system, and are refused together with `fileSystem`.
 */
export interface PersistenceOptions {
  /**
   * An existing file system.
   *
   * It must have a mount target in each Availability Zone of the nodes. The library creates access points for the directories `/<namespace>/logs`
   * and `/<namespace>/data`, adds a rule for the nodes to its security group, and grants the node role to mount it. If the security group or the
   * node role is imported as immutable, add the rule or the permissions yourself.
   *
   * @default - a new encrypted file system in the cluster's VPC, whose security group admits only the nodes
   */
  readonly fileSystem?: efs.IFileSystem;

  /**
   * Whether the new file system is retained or deleted when the stack is deleted.
   *
   * `RemovalPolicy.DESTROY` deletes the database and the logs.
   *
   * @default RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * The time without access after which files of the new file system move to Infrequent Access.
   *
   * @default efs.LifecyclePolicy.AFTER_14_DAYS
   * @see https://docs.aws.amazon.com/efs/latest/ug/lifecycle-management-efs.html
   */
  readonly lifecyclePolicy?: efs.LifecyclePolicy;

  /**
   * How the throughput of the new file system is provided and billed.
   *
   * For `PROVISIONED`, create the file system yourself and specify `fileSystem`.
   *
   * @default efs.ThroughputMode.ELASTIC
   * @see https://docs.aws.amazon.com/efs/latest/ug/performance.html#throughput-modes
   */
  readonly throughputMode?: efs.ThroughputMode;

  /**
   * Whether AWS Backup backs up the new file system daily and keeps the backups for 35 days.
   *
   * @default true
   * @see https://docs.aws.amazon.com/efs/latest/ug/automatic-backups.html
   */
  readonly automaticBackups?: boolean;
}

/**
 * The file system of an Airflow deployment, and its PersistentVolumeClaims.
 */
export interface IAirflowPersistence {
  /**
   * The file system.
   */
  readonly fileSystem: efs.IFileSystem;

  /**
   * The access point for the logs, with the user 50000 and the group 0 of the Airflow image.
   *
   * Undefined if the logs are in a bucket.
   */
  readonly logsAccessPoint?: efs.IAccessPoint;

  /**
   * The access point for the in-cluster database, with the user and the group 1001.
   *
   * Undefined unless the database is on the file system.
   */
  readonly databaseAccessPoint?: efs.IAccessPoint;

  /**
   * The name of the PersistentVolumeClaim for the logs.
   *
   * Undefined if the logs are in a bucket.
   */
  readonly logsClaimName?: string;

  /**
   * The name of the PersistentVolumeClaim for the in-cluster database.
   *
   * Undefined unless the database is on the file system.
   */
  readonly databaseClaimName?: string;

  /**
   * The name of the storage class for PersistentVolumeClaims that you add.
   *
   * Each claim gets an access point of its own, with the user 50000 and the group 0 of the Airflow image. The volume is retained when its claim is
   * deleted.
   *
   * @see https://kubernetes.io/docs/concepts/storage/storage-classes/
   */
  readonly storageClassName: string;
}

interface PersistenceProps extends PersistenceOptions {
  readonly cluster: Cluster;
  /** The namespace of the claims, from which names and paths derive. */
  readonly namespace: string;
  /** What must exist before the claims, and be deleted after them. */
  readonly claimDependencies: IDependable[];
  readonly nodes: IAirflowNodePools;
  /** Whether the database and the logs are on the file system. */
  readonly database: boolean;
  readonly logs: boolean;
}

/** Fails if an option would have no effect, or cannot be implemented. */
function checkOptions(scope: Construct, { fileSystem, lifecyclePolicy, throughputMode, removalPolicy, automaticBackups }: PersistenceOptions): void {
  const ofNewFileSystem = { lifecyclePolicy, throughputMode, removalPolicy, automaticBackups };
  const [option] = Object.entries(ofNewFileSystem).find(([, value]) => value !== undefined) ?? [];
  if (fileSystem && option) {
    fail(scope, `'persistence.${option}' has no effect together with 'persistence.fileSystem', which already exists; set it where you create the file system`);
  }
  if (fileSystem && typeof fileSystem.connections?.allowDefaultPortFrom !== 'function') {
    fail(scope, `'persistence.fileSystem' must be a file system of aws-efs, got ${shown(fileSystem)}; use efs.FileSystem.fromFileSystemAttributes()`);
  }
  if (throughputMode === efs.ThroughputMode.PROVISIONED) {
    fail(scope, "'persistence.throughputMode' must be ELASTIC or BURSTING, got PROVISIONED; create the file system yourself and specify 'persistence.fileSystem'");
  }
}

/** The claim of the in-cluster database on the file system. */
export function databaseClaimName(namespace: string): string {
  return `data-${namespace}-postgresql`;
}

/** The user of Airflow's containers, in group 0, and the user of the PostgreSQL image. */
const AIRFLOW_USER = { uid: '50000', gid: '0' };
const DATABASE_USER = { uid: '1001', gid: '1001' };

/** Encrypted in transit, and with the role of the node: the file system admits nobody else. */
const MOUNT_OPTIONS = ['tls', 'iam'];

/**
 * A file system with an access point, a volume and a claim for each purpose.
 *
 * An access point enforces its user and group on all files, so that nothing needs to change owners, and nothing can.
 */
export class Persistence extends Construct implements IAirflowPersistence {
  public readonly fileSystem: efs.IFileSystem;
  public readonly logsAccessPoint?: efs.AccessPoint;
  public readonly databaseAccessPoint?: efs.AccessPoint;
  public readonly logsClaimName?: string;
  public readonly databaseClaimName?: string;
  public readonly storageClassName: string;

  constructor(scope: Construct, id: string, private readonly props: PersistenceProps) {
    super(scope, id);

    checkOptions(scope, props);
    const { namespace } = props;
    this.storageClassName = `${namespace}-efs`;

    if (props.fileSystem) {
      checkEnvironment(this, 'persistence.fileSystem', props.fileSystem);
    }
    this.fileSystem = props.fileSystem ?? this.createFileSystem();
    const rules = admit(this, { from: props.nodes, to: this.fileSystem, description: 'NFS from the nodes of the Airflow deployment' });
    const policy = addPermissions(this, 'MountPolicy', props.nodes.role, new iam.PolicyStatement({
      actions: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
      resources: [this.fileSystem.fileSystemArn],
    }));

    const claims: { field: string; name: string; accessPoint: efs.AccessPoint; storage: string }[] = [];
    if (props.logs) {
      this.logsAccessPoint = this.accessPoint('LogsAccessPoint', `/${namespace}/logs`, AIRFLOW_USER, '0775');
      this.logsClaimName = `${namespace}-logs`;
      claims.push({ field: 'LogsClaimBound', name: this.logsClaimName, accessPoint: this.logsAccessPoint, storage: '1Gi' });
    }
    if (props.database) {
      this.databaseAccessPoint = this.accessPoint('DatabaseAccessPoint', `/${namespace}/data`, DATABASE_USER, '0700');
      this.databaseClaimName = databaseClaimName(namespace);
      claims.push({ field: 'DatabaseClaimBound', name: this.databaseClaimName, accessPoint: this.databaseAccessPoint, storage: '8Gi' });
    }
    // A manifest of its own: a claim is deleted only when no pod uses it any more, so that the namespace is deleted without running pods.
    // Otherwise the namespace would look again only after half of the pods' termination grace period.
    const manifest = applyManifest(this, 'Manifest', props.cluster, [
      this.storageClass(),
      ...claims.flatMap(({ name, accessPoint, storage }) => this.volumeAndClaim(name, accessPoint, storage)),
    ], { overwrite: true });
    manifest.node.addDependency(...props.claimDependencies, ...rules, policy); // pods that end still write to their volumes
    // The scheduler tries a pod whose claim is not bound yet again only after some minutes.
    for (const { field, name } of claims) {
      readObject(this, field, props.cluster, {
        objectType: 'persistentvolumeclaim',
        objectName: name,
        objectNamespace: namespace,
        jsonPath: '.status.capacity.storage', // absent until the claim is bound
        timeout: Duration.minutes(2),
      }).node.addDependency(manifest);
    }
  }

  /** What pods need before they can mount. */
  public get mountable(): IDependable[] {
    return [this, this.fileSystem.mountTargetsAvailable];
  }

  private createFileSystem(): efs.FileSystem {
    const { cluster, namespace, automaticBackups, lifecyclePolicy, throughputMode, removalPolicy } = this.props;
    return new efs.FileSystem(this, 'FileSystem', {
      vpc: cluster.vpc,
      securityGroup: new ec2.SecurityGroup(this, 'SecurityGroup', {
        vpc: cluster.vpc,
        description: `File system of the Airflow deployment ${namespace}`,
        allowAllOutbound: false, // a mount target never opens a connection
      }),
      encrypted: true,
      enableAutomaticBackups: automaticBackups ?? true,
      lifecyclePolicy: lifecyclePolicy ?? efs.LifecyclePolicy.AFTER_14_DAYS,
      throughputMode: throughputMode ?? efs.ThroughputMode.ELASTIC,
      removalPolicy: removalPolicy ?? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      // A file system with a policy of its own admits nobody by default. The CDK would add a statement that lets anonymous clients
      // write as root, unless it is told that anonymous access is allowed.
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

  /** For the claims that DAGs and users add. The claims of the deployment are bound by name, without a class. */
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

  /** EFS ignores the size of a claim, and a static claim cannot be resized. */
  private volumeAndClaim(name: string, accessPoint: efs.AccessPoint, storage: string): KubernetesObject[] {
    const { namespace } = this.props;
    const shared = {
      accessModes: ['ReadWriteMany'],
      storageClassName: '', // neither the class above nor the default class of the cluster may bind it
    };
    return [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name }, // contains the namespace, because volumes are not namespaced
        spec: {
          ...shared,
          capacity: { storage },
          volumeMode: 'Filesystem',
          persistentVolumeReclaimPolicy: 'Retain',
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name },
          mountOptions: MOUNT_OPTIONS,
          csi: { driver: 'efs.csi.aws.com', volumeHandle: `${this.fileSystem.fileSystemId}::${accessPoint.accessPointId}` },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, namespace },
        spec: { ...shared, volumeName: name, resources: { requests: { storage } } },
      },
    ];
  }
}

interface FileSystemNeeds extends Omit<PersistenceProps, 'claimDependencies'> {
  readonly nodes: BoundNodePools;
  readonly namespaceManifest: IDependable;
}

/** The file system and its driver, if the logs or the database are on it, or if the user sets options of it. */
export function createPersistence(
  scope: Construct, options: { readonly persistence?: PersistenceOptions; readonly efsCsiDriver?: EfsCsiDriverInstallation }, props: FileSystemNeeds,
): Persistence | undefined {
  if (!(props.database || props.logs || options.persistence)) {
    if (options.efsCsiDriver) {
      fail(scope, "'efsCsiDriver' has no effect, because neither the logs nor the database are on a file system; remove it, or set 'persistence'");
    }
    return undefined;
  }
  const driver = (options.efsCsiDriver ?? EfsCsiDriverInstallation._default(props.nodes.labelled))._bind(props.cluster, scope, props.nodes.placement);
  return new Persistence(scope, 'Persistence', { ...options.persistence, ...props, claimDependencies: [props.namespaceManifest, ...driver] });
}
