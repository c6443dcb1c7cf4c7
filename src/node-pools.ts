import { Aws, Size, Tags, Token } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { nodegroupCluster } from './cluster';
import { fail } from './errors';
import { sortKeys } from './sort-keys';

/**
 * A taint that a pod tolerates.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
export interface Toleration {
  /**
   * The key of the taint.
   */
  readonly key: string;

  /**
   * The value of the taint.
   *
   * @default - any value is tolerated
   */
  readonly value?: string;

  /**
   * The effect of the taint: `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
   *
   * @default - every effect is tolerated
   */
  readonly effect?: string;
}

/**
 * The nodes that a pod runs on.
 */
export interface NodePlacement {
  /**
   * The labels that a node must have, all of them.
   */
  readonly labels: { [key: string]: string };

  /**
   * The taints of these nodes, which the pods tolerate.
   *
   * @default - the nodes have no taints
   */
  readonly tolerations?: Toleration[];
}

/**
 * Where Airflow's three kinds of pods run.
 */
export interface AirflowPlacement {
  /**
   * The nodes of web server, scheduler, triggerer, flower and the jobs.
   */
  readonly stateless: NodePlacement;

  /**
   * The nodes of the Celery workers, and of the pods that the Kubernetes executor starts.
   */
  readonly workers: NodePlacement;

  /**
   * The nodes of the database, pgbouncer and redis.
   */
  readonly database: NodePlacement;
}

/**
 * One managed node group.
 */
export interface NodePoolOptions {
  /**
   * The instance types that EKS may choose from, of one CPU architecture.
   *
   * Give Spot pools several types of one size: each is one more place where capacity can be found.
   *
   * @default - `c5a.xlarge` and `c5a.large` (stateless), `c5a.2xlarge`, `c5.2xlarge` and `m5a.2xlarge` (workers),
   * `c5a.xlarge` (database)
   */
  readonly instanceTypes?: ec2.InstanceType[];

  /**
   * Spot or on-demand instances.
   *
   * @default - Spot (stateless, workers), on-demand (database)
   */
  readonly capacityType?: eks.CapacityType;

  /**
   * The lowest number of nodes.
   *
   * @default - 2 (stateless), 1 (workers, database)
   */
  readonly minSize?: number;

  /**
   * The highest number of nodes.
   *
   * @default - 2 (stateless), 3 (workers), 1 (database); the lowest number if that is higher
   */
  readonly maxSize?: number;

  /**
   * The size of the encrypted gp3 root volume of a node.
   *
   * @default Size.gibibytes(20)
   */
  readonly diskSize?: Size;

  /**
   * The operating system of the nodes.
   *
   * @default - Amazon Linux 2023, for the CPU architecture of the instance types
   * @see https://docs.aws.amazon.com/eks/latest/userguide/eks-optimized-amis.html
   */
  readonly amiType?: eks.NodegroupAmiType;

  /**
   * The subnets of the nodes.
   *
   * @default - the private subnets of the cluster's VPC
   */
  readonly subnets?: ec2.SubnetSelection;

  /**
   * Labels of the nodes besides `role`, `type` and `lifecycle`, which place Airflow's pods.
   *
   * @default - no further labels
   */
  readonly labels?: { [key: string]: string };

  /**
   * Tags of the node group.
   *
   * @default - only a `Name`
   */
  readonly tags?: { [key: string]: string };
}

/**
 * The nodes that are created for Airflow.
 */
export interface NodePoolsOptions {
  /**
   * The nodes of web server, scheduler, triggerer, flower and the jobs.
   *
   * @default - 2 Spot nodes, labelled `type=af-stateless`
   */
  readonly stateless?: NodePoolOptions;

  /**
   * The nodes of the workers.
   *
   * @default - 1 to 3 Spot nodes, labelled `type=af-stateful`
   */
  readonly workers?: NodePoolOptions;

  /**
   * The nodes of the database, pgbouncer and redis.
   *
   * @default - 1 on-demand node, labelled `type=af-db`
   */
  readonly database?: NodePoolOptions;

  /**
   * The key pair for SSH to the nodes. Session Manager works without one.
   *
   * @default - no SSH
   */
  readonly keyPair?: ec2.IKeyPair;

  /**
   * Managed policies of the node role besides those that a node needs.
   *
   * Give DAGs their permissions by granting to the `AirflowOnEks` itself: the node role is shared by all pods of a node.
   *
   * @default - worker node, CNI, image pull and Session Manager
   */
  readonly managedPolicies?: iam.IManagedPolicy[];

  /**
   * Lets a Cluster Autoscaler that runs on these nodes, in their network, scale this cluster's node groups.
   *
   * In the pod network it does not reach the credentials of the node; there, give it a role of its own.
   *
   * @default false
   * @see https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
   */
  readonly clusterAutoscaler?: boolean;
}

/**
 * Properties of `NodePools`.
 */
export interface NodePoolsProps extends NodePoolsOptions {
  /**
   * The cluster that the nodes join.
   */
  readonly cluster: eks.ICluster | eksv2.ICluster;
}

/**
 * Nodes that exist already.
 */
export interface ExistingNodesOptions {
  /**
   * The nodes of web server, scheduler, triggerer, flower and the jobs.
   */
  readonly stateless: NodePlacement;

  /**
   * The nodes of the workers.
   *
   * @default - the nodes of `stateless`
   */
  readonly workers?: NodePlacement;

  /**
   * The nodes of the database, pgbouncer and redis.
   *
   * @default - the nodes of `stateless`
   */
  readonly database?: NodePlacement;

  /**
   * The role of the nodes, which is granted to mount the file system.
   */
  readonly nodeRole: iam.IRole;

  /**
   * The security group of the nodes, from which the file system can be reached.
   *
   * @default - the cluster security group
   */
  readonly securityGroup?: ec2.ISecurityGroup;
}

/**
 * What the other parts need to know of the nodes, whoever made them.
 *
 * @internal
 */
export interface AirflowNodes extends ec2.IConnectable {
  readonly placement: AirflowPlacement;
  readonly role: iam.IRole;
  readonly _workersOnSpot: boolean;
}

/** The label that all nodes of Airflow share, of all Airflows of a cluster. */
export const AIRFLOW_NODES: NodePlacement = {
  labels: { role: 'airflow' },
  tolerations: [{ key: 'dedicated', value: 'airflow', effect: 'NoSchedule' }],
};

type PoolDefaults = Required<Pick<NodePoolOptions, 'instanceTypes' | 'capacityType' | 'minSize' | 'maxSize'>> & { readonly type: string };

function poolDefaults(): Record<'stateless' | 'workers' | 'database', PoolDefaults> {
  const types = (...names: string[]) => names.map((name) => new ec2.InstanceType(name));
  return {
    stateless: { type: 'af-stateless', capacityType: eks.CapacityType.SPOT, minSize: 2, maxSize: 2, instanceTypes: types('c5a.xlarge', 'c5a.large') },
    workers: {
      type: 'af-stateful',
      capacityType: eks.CapacityType.SPOT,
      minSize: 1,
      maxSize: 3,
      instanceTypes: types('c5a.2xlarge', 'c5.2xlarge', 'm5a.2xlarge'),
    },
    database: { type: 'af-db', capacityType: eks.CapacityType.ON_DEMAND, minSize: 1, maxSize: 1, instanceTypes: types('c5a.xlarge') },
  };
}

/**
 * Three managed node groups that only Airflow's pods run on, with what nodes need: role, security group, launch template.
 *
 * All are tainted `dedicated=airflow:NoSchedule` and labelled `role=airflow`; `type` tells them apart.
 */
export class NodePools extends Construct implements ec2.IConnectable {
  /**
   * The node group of web server, scheduler, triggerer, flower and the jobs.
   */
  public readonly stateless: eks.Nodegroup;

  /**
   * The node group of the workers.
   */
  public readonly workers: eks.Nodegroup;

  /**
   * The node group of the database, pgbouncer and redis.
   */
  public readonly database: eks.Nodegroup;

  /**
   * The role of all nodes.
   */
  public readonly role: iam.Role;

  /**
   * The security group of all nodes. They are in the cluster security group too.
   */
  public readonly securityGroup: ec2.SecurityGroup;

  /**
   * The network connections of the nodes.
   */
  public readonly connections: ec2.Connections;

  /**
   * How pods land on each of the three.
   */
  public readonly placement: AirflowPlacement;

  /**
   * Whether the workers can be taken away with two minutes' notice.
   *
   * @internal
   */
  public readonly _workersOnSpot: boolean;

  private readonly launchTemplates = new Map<number, ec2.LaunchTemplate>();
  private readonly nodegroupCluster: eks.ICluster;

  constructor(scope: Construct, id: string, private readonly props: NodePoolsProps) {
    super(scope, id);

    this.role = this.nodeRole();
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: props.cluster.vpc,
      description: 'Nodes of Airflow',
    });
    this.securityGroup.addIngressRule(this.securityGroup, ec2.Port.allTraffic(), 'Nodes of Airflow to each other');
    this.connections = this.securityGroup.connections;
    this.nodegroupCluster = nodegroupCluster(this, props.cluster);

    const defaults = poolDefaults();
    this.stateless = this.nodegroup('stateless', 'Stateless', { ...defaults.stateless, ...props.stateless });
    this.workers = this.nodegroup('workers', 'Workers', { ...defaults.workers, ...props.workers });
    this.database = this.nodegroup('database', 'Database', { ...defaults.database, ...props.database });
    this._workersOnSpot = (props.workers?.capacityType ?? defaults.workers.capacityType) === eks.CapacityType.SPOT;

    const placement = ({ type }: PoolDefaults) => ({ ...AIRFLOW_NODES, labels: { ...AIRFLOW_NODES.labels, type } });
    this.placement = {
      stateless: placement(defaults.stateless),
      workers: placement(defaults.workers),
      database: placement(defaults.database),
    };
  }

  private nodegroup(name: string, id: string, pool: NodePoolOptions & PoolDefaults): eks.Nodegroup {
    const given = this.props[name as keyof NodePoolsOptions] as NodePoolOptions | undefined;
    const minSize = pool.minSize;
    const maxSize = given?.maxSize ?? Math.max(minSize, pool.maxSize);
    if (!Token.isUnresolved(minSize) && (!Number.isInteger(minSize) || minSize < 0)) {
      fail(this, `'${name}.minSize' must be a whole number of nodes, got ${minSize}`);
    }
    if (!Token.isUnresolved(minSize) && !Token.isUnresolved(maxSize) && maxSize < Math.max(minSize, 1)) {
      fail(this, `'${name}.maxSize' must be at least ${minSize > 0 ? `'${name}.minSize' (${minSize})` : 1}, got ${maxSize}`);
    }
    for (const label of ['role', 'type', 'lifecycle']) {
      if (given?.labels?.[label] !== undefined) {
        fail(this, `'${name}.labels' must not have '${label}' (got '${given.labels[label]}'): it places Airflow's pods; use another key`);
      }
    }
    const nodegroup = new eks.Nodegroup(this, id, {
      cluster: this.nodegroupCluster,
      nodeRole: this.role,
      subnets: pool.subnets ?? { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      amiType: pool.amiType ?? this.amiType(name, pool.instanceTypes),
      capacityType: pool.capacityType,
      minSize,
      maxSize,
      labels: {
        ...pool.labels,
        ...AIRFLOW_NODES.labels,
        type: pool.type,
        lifecycle: pool.capacityType === eks.CapacityType.SPOT ? 'spot' : 'on-demand',
      },
      taints: [{ key: 'dedicated', value: 'airflow', effect: eks.TaintEffect.NO_SCHEDULE }],
      tags: { Name: `${this.props.cluster.clusterName}-airflow-${name}`, ...pool.tags },
      launchTemplateSpec: this.launchTemplateSpec(pool.diskSize ?? Size.gibibytes(20)),
    });
    // Past the construct, which would compare each type with all GPU classes: half of the time of a synthesis, and minutes of
    // optimizing that function in an app with some ten Airflows. The AMI type, all that it is for, is set above.
    (nodegroup.node.defaultChild as eks.CfnNodegroup).instanceTypes = pool.instanceTypes.map((type) => type.toString());
    return nodegroup;
  }

  /** The CDK would still take Amazon Linux 2, which is out of support. */
  private amiType(name: string, instanceTypes: ec2.InstanceType[]): eks.NodegroupAmiType {
    const architectures = new Set(instanceTypes.map((type) => type.architecture));
    if (architectures.size !== 1) {
      fail(this, `'${name}.instanceTypes' must be of one CPU architecture, got ${instanceTypes.map((type) => `${type} (${type.architecture})`).join(', ') || 'none'}`);
    }
    return architectures.has(ec2.InstanceArchitecture.ARM_64)
      ? eks.NodegroupAmiType.AL2023_ARM_64_STANDARD
      : eks.NodegroupAmiType.AL2023_X86_64_STANDARD;
  }

  /** Pools whose disks are of one size share a template. */
  private launchTemplateSpec(diskSize: Size): eks.LaunchTemplateSpec {
    const size = diskSize.toGibibytes();
    let template = this.launchTemplates.get(size);
    if (!template) {
      template = new ec2.LaunchTemplate(this, `LaunchTemplate${size}Gib`, {
        keyPair: this.props.keyPair,
        securityGroup: this.securityGroup,
        blockDevices: [{
          deviceName: '/dev/xvda',
          volume: ec2.BlockDeviceVolume.ebs(size, { encrypted: true, volumeType: ec2.EbsDeviceVolumeType.GP3 }),
        }],
        requireImdsv2: true,
        httpPutResponseHopLimit: 1, // pods get their own AWS identities, not the node's
      });
      // A template with security groups replaces the one that EKS attaches by itself.
      template.addSecurityGroup(this.props.cluster.clusterSecurityGroup);
      Tags.of(template).add('Name', `${this.props.cluster.clusterName}-airflow`);
      this.launchTemplates.set(size, template);
    }
    return { id: template.launchTemplateId!, version: template.latestVersionNumber };
  }

  private nodeRole(): iam.Role {
    const role = new iam.Role(this, 'Role', {
      description: 'Nodes of Airflow',
      assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
      managedPolicies: [
        ...['AmazonEKSWorkerNodePolicy', 'AmazonEKS_CNI_Policy', 'AmazonEC2ContainerRegistryPullOnly', 'AmazonSSMManagedInstanceCore']
          .map((name) => iam.ManagedPolicy.fromAwsManagedPolicyName(name)),
        ...this.props.managedPolicies ?? [],
      ],
    });
    if (this.props.cluster.ipFamily === eks.IpFamily.IP_V6) {
      role.addToPolicy(new iam.PolicyStatement({
        sid: 'PodAddresses',
        actions: ['ec2:AssignIpv6Addresses', 'ec2:UnassignIpv6Addresses'],
        resources: [`arn:${Aws.PARTITION}:ec2:*:*:network-interface/*`],
      }));
    }
    if (this.props.clusterAutoscaler) {
      role.addToPolicy(new iam.PolicyStatement({
        sid: 'ScaleNodeGroups',
        actions: ['autoscaling:SetDesiredCapacity', 'autoscaling:TerminateInstanceInAutoScalingGroup'],
        resources: [`arn:${Aws.PARTITION}:autoscaling:${Aws.REGION}:${Aws.ACCOUNT_ID}:autoScalingGroup:*:autoScalingGroupName/*`],
        conditions: { StringEquals: { 'aws:ResourceTag/eks:cluster-name': this.props.cluster.clusterName } },
      }));
      role.addToPolicy(new iam.PolicyStatement({
        sid: 'DescribeNodeGroup',
        actions: ['eks:DescribeNodegroup'],
        resources: [`arn:${Aws.PARTITION}:eks:${Aws.REGION}:${Aws.ACCOUNT_ID}:nodegroup/${this.props.cluster.clusterName}/*`],
      }));
      role.addToPolicy(new iam.PolicyStatement({
        sid: 'DescribeCapacity', // none of these can be limited to a resource
        actions: [
          'autoscaling:DescribeAutoScalingGroups', 'autoscaling:DescribeAutoScalingInstances', 'autoscaling:DescribeLaunchConfigurations',
          'autoscaling:DescribeScalingActivities', 'autoscaling:DescribeTags', 'ec2:DescribeImages', 'ec2:DescribeInstanceTypes',
          'ec2:DescribeLaunchTemplateVersions', 'ec2:GetInstanceTypesFromInstanceRequirements',
        ],
        resources: ['*'],
      }));
    }
    return role;
  }
}

/**
 * Nodes that someone else made.
 *
 * @internal
 */
export class ExistingNodes implements AirflowNodes {
  public readonly placement: AirflowPlacement;
  public readonly role: iam.IRole;
  public readonly connections: ec2.Connections;
  public readonly _workersOnSpot = false;

  constructor(options: ExistingNodesOptions, clusterSecurityGroup: ec2.ISecurityGroup) {
    this.role = options.nodeRole;
    this.connections = new ec2.Connections({ securityGroups: [options.securityGroup ?? clusterSecurityGroup] });
    this.placement = sortKeys({
      stateless: options.stateless,
      workers: options.workers ?? options.stateless,
      database: options.database ?? options.stateless,
    });
  }
}
