import { Size } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import iam = require('aws-cdk-lib/aws-iam');

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
   * @default - `c5a.xlarge` and `c5a.large` (stateless), `c5a.2xlarge`, `c5.2xlarge` and `m5a.2xlarge` (workers), `c5a.xlarge` (database), `m6a.xlarge`, `m5a.xlarge` and `m6i.xlarge` (single node group)
   * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html#managed-node-group-capacity-types
   */
  readonly instanceTypes?: ec2.InstanceType[];

  /**
   * Whether the instances are Spot or On-Demand instances.
   *
   * EC2 can interrupt a Spot instance with two minutes' notice. Use On-Demand instances for long-running tasks.
   *
   * @default - Spot (stateless, workers), On-Demand (database, single node group; stateless with `AirflowExecutor.LOCAL`)
   */
  readonly capacityType?: eks.CapacityType;

  /**
   * The minimum number of nodes, at least 0.
   *
   * The node group starts with this number of nodes, and returns to it when `minSize` or `maxSize` changes.
   *
   * @default - 2 (stateless, single node group), 1 (workers, database; single node group with `AirflowExecutor.LOCAL`)
   */
  readonly minSize?: number;

  /**
   * The maximum number of nodes, at least `minSize` and at least 1.
   *
   * A managed node group does not add nodes by itself: more than `minSize` nodes require a Cluster Autoscaler.
   *
   * @default - 2 (stateless), 3 (workers), 1 (database), 2 (single node group), or `minSize` if that is higher
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
 * The options that all managed node groups of a deployment share.
 */
export interface ManagedNodesOptions {
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

/**
 * Options of `AirflowNodePools.managedNodeGroups()`.
 */
export interface ManagedNodeGroupsOptions extends ManagedNodesOptions {
  /**
   * The nodes of the API server, scheduler, DAG processor, triggerer and Flower, and of all pods without nodes of their own.
   *
   * @default - 2 Spot nodes, or On-Demand nodes with `AirflowExecutor.LOCAL`, labelled `type=af-stateless`
   */
  readonly stateless?: NodePoolOptions;

  /**
   * The nodes of the Celery workers, and of the pods that the Kubernetes executor starts.
   *
   * `AirflowExecutor.LOCAL` has none, and refuses the option.
   *
   * @default - 1 to 3 Spot nodes, labelled `type=af-stateful`
   */
  readonly workers?: NodePoolOptions;

  /**
   * The nodes of the in-cluster database, PgBouncer and the broker.
   *
   * Refused if neither the database nor the broker runs in the cluster.
   *
   * @default - 1 On-Demand node, labelled `type=af-db`
   */
  readonly database?: NodePoolOptions;
}

/**
 * Options of `AirflowNodePools.singleNodeGroup()`.
 */
export interface SingleNodeGroupOptions extends NodePoolOptions, ManagedNodesOptions {}
