import { Size, Token } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { amiTypeFor, volumesOf } from './ami-type';
import { checkPoolInput } from './checks';
import { createNodeRole } from './node-role';
import { airflowNodes, AirflowPlacement, NodePlacement } from './placement';
import { Cluster, missingNetworkAddons, nodegroupCluster } from '../cluster';
import { checkCount, fail } from '../validation';

/**
 * One managed node group.
 *
 * EKS replaces the nodes, and drains the old ones, if you change `instanceTypes`, `capacityType`, `diskSize`, `amiType` or `subnets`.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
 */
export interface NodePoolOptions {
  /**
   * The instance types that EKS chooses from.
   *
   * All must have the same CPU architecture. Specify several types of one size for Spot capacity: each type is one more pool of capacity.
   *
   * @default - `c5a.xlarge` and `c5a.large` (stateless), `c5a.2xlarge`, `c5.2xlarge` and `m5a.2xlarge` (workers), `c5a.xlarge` (database)
   * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html#managed-node-group-capacity-types
   */
  readonly instanceTypes?: ec2.InstanceType[];

  /**
   * Whether the instances are Spot or On-Demand instances.
   *
   * EC2 can interrupt a Spot instance with two minutes' notice. Use On-Demand instances for long-running tasks.
   *
   * @default - Spot (stateless, workers), On-Demand (database)
   */
  readonly capacityType?: eks.CapacityType;

  /**
   * The minimum number of nodes, at least 0.
   *
   * The node group starts with this number of nodes, and returns to it when `minSize` or `maxSize` changes.
   *
   * @default - 2 (stateless), 1 (workers, database)
   */
  readonly minSize?: number;

  /**
   * The maximum number of nodes, at least `minSize` and at least 1.
   *
   * A managed node group does not add nodes by itself: more than `minSize` nodes require a Cluster Autoscaler.
   *
   * @default - 2 (stateless), 3 (workers), 1 (database), or `minSize` if that is higher
   */
  readonly maxSize?: number;

  /**
   * The size of the volume for images and containers, an encrypted gp3 volume of at least 20 GiB.
   *
   * With Amazon Linux 2023, this is the root volume; with Bottlerocket, the data volume `/dev/xvdb`.
   *
   * @default Size.gibibytes(20)
   */
  readonly diskSize?: Size;

  /**
   * The EKS optimized AMI of the nodes, which determines their operating system.
   *
   * It must be an AMI type of Amazon Linux 2023 or Bottlerocket, for the CPU architecture of the instance types.
   *
   * @default - Amazon Linux 2023, for the CPU architecture of the instance types
   * @see https://docs.aws.amazon.com/eks/latest/userguide/eks-optimized-amis.html
   */
  readonly amiType?: eks.NodegroupAmiType;

  /**
   * The subnets of the nodes.
   *
   * The nodes must reach the internet from there, for images and Git.
   *
   * @default - the private subnets of the cluster's VPC
   */
  readonly subnets?: ec2.SubnetSelection;

  /**
   * Additional labels of the nodes.
   *
   * The library sets the labels `role`, `airflow-deployment`, `type` and `lifecycle`, and refuses them here.
   *
   * @default - no additional labels
   */
  readonly labels?: { [key: string]: string };

  /**
   * Additional tags of the EC2 instances and their volumes, for example for cost allocation.
   *
   * Tags of the stack, and of constructs, are tags of the node group, and not of its instances: EKS replaces all nodes if the tags of instances
   * change, and refuses to change them together with those of the node group.
   *
   * @default - only the tag `Name`
   * @see https://github.com/aws/aws-cdk/issues/16644
   */
  readonly tags?: { [key: string]: string };
}

/**
 * Options of `AirflowNodePools.managedNodeGroups()`.
 */
export interface ManagedNodeGroupsOptions {
  /**
   * The nodes of the API server, scheduler, DAG processor, triggerer and Flower, and of all pods without nodes of their own.
   *
   * @default - 2 Spot nodes, labelled `type=af-stateless`
   */
  readonly stateless?: NodePoolOptions;

  /**
   * The nodes of the Celery workers, and of the pods that the Kubernetes executor starts.
   *
   * @default - 1 to 3 Spot nodes, labelled `type=af-stateful`
   */
  readonly workers?: NodePoolOptions;

  /**
   * The nodes of the in-cluster database, PgBouncer and the broker.
   *
   * @default - 1 On-Demand node, labelled `type=af-db`
   */
  readonly database?: NodePoolOptions;

  /**
   * The key pair for SSH access to the nodes.
   *
   * No security group opens port 22: allow it with the `connections` of the deployment. AWS Systems Manager Session Manager works without a key
   * pair.
   *
   * @default - no SSH access
   */
  readonly keyPair?: ec2.IKeyPair;

  /**
   * Additional managed policies of the node role.
   *
   * Grant DAGs their permissions by granting them to the `AirflowOnEks` construct instead: all pods of a node share the node role.
   *
   * @default - only the policies for worker nodes, the VPC CNI plugin, image pulls and Session Manager
   * @see https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
   */
  readonly managedPolicies?: iam.IManagedPolicy[];

  /**
   * Whether the node role may scale the node groups of this cluster, for a Cluster Autoscaler that runs on these nodes in the host network.
   *
   * A Cluster Autoscaler in the pod network cannot reach the credentials of the node and needs a role of its own.
   *
   * @default false
   * @see https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
   */
  readonly clusterAutoscaler?: boolean;
}

interface ManagedNodeGroupsProps extends ManagedNodeGroupsOptions {
  readonly cluster: Cluster;
  /** The namespace of the deployment, which is in a label of its nodes. */
  readonly namespace: string;
}

type PoolName = 'stateless' | 'workers' | 'database';

interface PoolDefaults {
  readonly type: string;
  readonly instanceTypes: string[];
  readonly capacityType: 'SPOT' | 'ON_DEMAND';
  readonly minSize: number;
  readonly maxSize: number;
}

const DEFAULTS: Record<PoolName, PoolDefaults> = {
  stateless: { type: 'af-stateless', capacityType: 'SPOT', minSize: 2, maxSize: 2, instanceTypes: ['c5a.xlarge', 'c5a.large'] },
  workers: { type: 'af-stateful', capacityType: 'SPOT', minSize: 1, maxSize: 3, instanceTypes: ['c5a.2xlarge', 'c5.2xlarge', 'm5a.2xlarge'] },
  database: { type: 'af-db', capacityType: 'ON_DEMAND', minSize: 1, maxSize: 1, instanceTypes: ['c5a.xlarge'] },
};

/** Three managed node groups with their role, security group and launch templates. */
export class ManagedNodeGroups extends Construct {
  public readonly stateless: eks.Nodegroup;
  public readonly workers: eks.Nodegroup;
  public readonly database: eks.Nodegroup;
  public readonly role: iam.Role;
  public readonly securityGroup: ec2.SecurityGroup;
  public readonly connections: ec2.Connections;
  public readonly placement: AirflowPlacement;
  public readonly workersOnSpot: boolean;
  public readonly dependables = [this];
  public readonly labelled = true;
  public readonly autoMode = false;
  private readonly nodegroupCluster: eks.ICluster;

  constructor(scope: Construct, id: string, private readonly props: ManagedNodeGroupsProps) {
    super(scope, id);
    this.node.addValidation({ validate: () => this.missingAddons() });

    this.role = createNodeRole(this, props);
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: props.cluster.vpc,
      description: `Nodes of the Airflow deployment ${props.namespace}`,
    });
    this.securityGroup.addIngressRule(this.securityGroup, ec2.Port.allTraffic(), 'Between the nodes of the Airflow deployment');
    this.connections = this.securityGroup.connections;
    this.nodegroupCluster = nodegroupCluster(this, props.cluster);

    this.stateless = this.nodegroup('stateless', 'Stateless');
    this.workers = this.nodegroup('workers', 'Workers');
    this.database = this.nodegroup('database', 'Database');
    this.workersOnSpot = capacityTypeOf('workers', props.workers) === eks.CapacityType.SPOT;
    this.placement = {
      stateless: this.placementOf('stateless'),
      workers: this.placementOf('workers'),
      database: this.placementOf('database'),
    };
  }

  private placementOf(name: PoolName): NodePlacement {
    return airflowNodes({ deployment: this.props.namespace, type: DEFAULTS[name].type });
  }

  private nodegroup(name: PoolName, id: string): eks.Nodegroup {
    const pool = this.props[name] ?? {};
    const defaults = DEFAULTS[name];
    const minSize = pool.minSize ?? defaults.minSize;
    const maxSize = pool.maxSize ?? Math.max(minSize, defaults.maxSize);
    checkPoolInput(this, `nodePools.${name}`, pool, this.props.cluster.vpc);
    this.checkPool(name, pool, minSize, maxSize);
    const instanceTypes = pool.instanceTypes ?? defaults.instanceTypes.map((type) => new ec2.InstanceType(type));
    const capacityType = capacityTypeOf(name, pool);
    const { labels, taints } = this.placementOf(name);
    const amiType = amiTypeFor(this, { prop: `nodePools.${name}`, instanceTypes, amiType: pool.amiType });
    const nodegroup = new eks.Nodegroup(this, id, {
      cluster: this.nodegroupCluster,
      nodeRole: this.role,
      subnets: pool.subnets ?? { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      amiType,
      capacityType,
      minSize,
      maxSize,
      labels: { ...pool.labels, ...labels, lifecycle: capacityType === eks.CapacityType.SPOT ? 'spot' : 'on-demand' },
      taints,
      tags: { Name: `${this.props.cluster.clusterName}-airflow-${name}` },
      launchTemplateSpec: this.launchTemplateSpec(id, pool, volumesOf(this, `nodePools.${name}`, amiType, pool.diskSize)),
    });
    // Past the construct, which would compare each type with all GPU classes: half of the time of a synthesis, and minutes of
    // optimizing that function in an app with some ten deployments. The AMI type, which is the only reason for it, is set above.
    (nodegroup.node.defaultChild as eks.CfnNodegroup).instanceTypes = instanceTypes.map((type) => type.toString());
    return nodegroup;
  }

  private missingAddons(): string[] {
    const missing = missingNetworkAddons(this.props.cluster);
    return missing.length === 0 ? [] : ["the nodes that 'nodePools' creates need the add-ons vpc-cni, kube-proxy and coredns, which a cluster in EKS Auto Mode"
      + ` does not have, got a 'cluster' without ${missing.join(', ')}; use AirflowNodePools.autoMode(), or add an eks.Addon for each`];
  }

  private checkPool(name: PoolName, { labels }: NodePoolOptions, minSize: number, maxSize: number): void {
    checkCount(this, `nodePools.${name}.minSize`, minSize, 0);
    if (!Token.isUnresolved(minSize) && !Token.isUnresolved(maxSize) && maxSize < Math.max(minSize, 1)) {
      fail(this, `'nodePools.${name}.maxSize' must be at least ${minSize > 0 ? `'nodePools.${name}.minSize' (${minSize})` : 1}, got ${maxSize}`);
    }
    checkCount(this, `nodePools.${name}.maxSize`, maxSize, 1);
    for (const label of [...Object.keys(this.placementOf(name).labels), 'lifecycle']) {
      if (labels?.[label] !== undefined) {
        fail(this, `'nodePools.${name}.labels' must not contain '${label}' (got '${labels[label]}'), which places the pods of Airflow; use another key`);
      }
    }
  }

  /**
   * One template per node group, whose ID says nothing of what is in it: a node group cannot change to another template.
   *
   * The construct of the CDK would put the tags of the stack on instances. A changed tag would then change the node group and the version of
   * its template in one update, which EKS refuses.
   */
  private launchTemplateSpec(
    id: string, { tags }: NodePoolOptions, blockDeviceMappings: ec2.CfnLaunchTemplate.BlockDeviceMappingProperty[],
  ): eks.LaunchTemplateSpec {
    const { cluster, keyPair } = this.props;
    const tagList = Object.entries({ Name: `${cluster.clusterName}-airflow`, ...tags }).map(([key, value]) => ({ key, value }));
    const template = new ec2.CfnLaunchTemplate(this, `${id}LaunchTemplate`, {
      launchTemplateData: {
        keyName: keyPair?.keyPairName,
        securityGroupIds: [this.securityGroup.securityGroupId, cluster.clusterSecurityGroupId], // the second, because EKS attaches none to a template that has some
        blockDeviceMappings,
        metadataOptions: {
          httpTokens: 'required',
          httpPutResponseHopLimit: 1, // pods have AWS identities of their own and do not use that of the node
        },
        tagSpecifications: ['instance', 'volume'].map((resourceType) => ({ resourceType, tags: tagList })),
      },
    });
    return { id: template.ref, version: template.attrLatestVersionNumber };
  }
}

function capacityTypeOf(name: PoolName, pool: NodePoolOptions = {}): eks.CapacityType {
  return pool.capacityType ?? eks.CapacityType[DEFAULTS[name].capacityType];
}
