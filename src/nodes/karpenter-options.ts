import { Size } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import iam = require('aws-cdk-lib/aws-iam');

/**
 * One NodePool of Karpenter, which self-managed Karpenter and EKS Auto Mode both use.
 *
 * @see https://karpenter.sh/docs/concepts/nodepools/
 */
export interface KarpenterNodePoolOptions {
  /**
   * The instance families that Karpenter chooses from, such as `m7i`.
   *
   * @default - the families of the categories `c`, `m` and `r` from generation 5
   */
  readonly instanceFamilies?: string[];

  /**
   * The instance sizes that Karpenter chooses from, such as `xlarge`.
   *
   * @default - `large` to `2xlarge` (stateless, database), `xlarge` to `4xlarge` (workers)
   */
  readonly instanceSizes?: string[];

  /**
   * The CPU architecture of the nodes. The images of all pods must support it.
   *
   * @default ec2.InstanceArchitecture.X86_64
   */
  readonly architecture?: ec2.InstanceArchitecture;

  /**
   * Whether the instances are Spot or On-Demand instances. With both, Karpenter prefers Spot instances.
   *
   * EC2 can interrupt a Spot instance with two minutes' notice. Use On-Demand instances for long-running tasks.
   *
   * @default - Spot and On-Demand (stateless, workers), On-Demand (database; stateless with `AirflowExecutor.LOCAL`)
   */
  readonly capacityTypes?: eks.CapacityType[];

  /**
   * The maximum number of vCPUs of all nodes together, at least 1, which limits the cost.
   *
   * @default - 32 (stateless), 256 (workers), 16 (database)
   * @see https://karpenter.sh/docs/concepts/nodepools/#speclimits
   */
  readonly maxVcpus?: number;
}

/**
 * The options of the three NodePools of a deployment.
 */
export interface KarpenterPoolsOptions {
  /**
   * The nodes of the API server, scheduler, DAG processor, triggerer and Flower.
   *
   * @default - c, m and r instances, Spot or On-Demand (On-Demand with `AirflowExecutor.LOCAL`), with at most 32 vCPUs
   */
  readonly stateless?: KarpenterNodePoolOptions;

  /**
   * The nodes of the Celery workers, and of the pods that the Kubernetes executor starts.
   *
   * `AirflowExecutor.LOCAL` has none, and refuses the option.
   *
   * @default - c, m and r instances, Spot or On-Demand, with at most 256 vCPUs
   */
  readonly workers?: KarpenterNodePoolOptions;

  /**
   * The nodes of the in-cluster database, PgBouncer and the broker.
   *
   * Refused if neither the database nor the broker runs in the cluster.
   *
   * @default - c, m and r instances, On-Demand, with at most 16 vCPUs
   */
  readonly database?: KarpenterNodePoolOptions;
}

/**
 * A node class that already exists in the cluster.
 */
export interface ExistingNodeClassOptions {
  /**
   * The name of the `EC2NodeClass`, or of the `NodeClass` in EKS Auto Mode.
   */
  readonly name: string;

  /**
   * The IAM role of its nodes, which is granted to mount the file system.
   */
  readonly nodeRole: iam.IRole;

  /**
   * The security group of its nodes, which is allowed to connect to the file system.
   *
   * @default - the cluster security group
   */
  readonly securityGroup?: ec2.ISecurityGroup;
}

/**
 * The node class that is created for the nodes of a deployment.
 */
export interface NewNodeClassOptions {
  /**
   * The subnets of the nodes.
   *
   * @default - the private subnets of the cluster's VPC
   */
  readonly subnets?: ec2.SubnetSelection;

  /**
   * The size of the volume for images and containers, in whole GiB, at least 20.
   *
   * @default Size.gibibytes(20)
   */
  readonly diskSize?: Size;

  /**
   * Permissions of the nodes in addition to those that each node needs.
   *
   * @default - no more permissions
   */
  readonly managedPolicies?: iam.IManagedPolicy[];
}

/**
 * Options of `AirflowNodePools.karpenter()`.
 *
 * `subnets`, `diskSize`, `managedPolicies`, `amiAlias` and `controllerRole` apply to a new node class, and cannot be combined with `nodeClass`.
 */
export interface KarpenterOptions extends KarpenterPoolsOptions, NewNodeClassOptions {
  /**
   * An existing `EC2NodeClass`.
   *
   * @default - a new one with a role and a security group of its own
   */
  readonly nodeClass?: ExistingNodeClassOptions;

  /**
   * The Amazon Machine Image of the nodes, as family and version. With `@latest`, Karpenter replaces the nodes after each release of the image.
   *
   * @default 'al2023@latest'
   * @see https://karpenter.sh/docs/concepts/nodeclasses/#alias
   */
  readonly amiAlias?: string;

  /**
   * The IAM role of the Karpenter controller, which is granted to pass the role of the nodes to EC2.
   *
   * @default - grant the controller `iam:PassRole` on the role `airflow.nodePools.role` yourself
   */
  readonly controllerRole?: iam.IRole;
}

/**
 * Options of `AirflowNodePools.autoMode()`.
 *
 * `subnets`, `diskSize` and `managedPolicies` apply to a new node class, and cannot be combined with `nodeClass`.
 */
export interface AutoModeOptions extends KarpenterPoolsOptions, NewNodeClassOptions {
  /**
   * An existing `NodeClass`, such as `default`, which EKS creates with its built-in node pools.
   *
   * @default - a new one with a role and a security group of its own
   */
  readonly nodeClass?: ExistingNodeClassOptions;
}
