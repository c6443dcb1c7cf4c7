import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { checkDatabasePool, checkPlacement, checkWorkersPool } from './checks';
import { KarpenterNodePools } from './karpenter-node-pools';
import { AutoModeOptions, KarpenterOptions } from './karpenter-options';
import { ManagedNodeGroups } from './managed-node-groups';
import { ManagedNodeGroupsOptions, SingleNodeGroupOptions } from './managed-node-groups-options';
import { autoMode, selfManagedKarpenter } from './node-class';
import { NodePool } from './node-pool-fit';
import { AirflowPlacement, NodeNeeds, NodePlacement } from './placement';
import { Cluster, inAutoMode } from '../cluster';
import { checkOptions } from '../prop-kinds';
import { sortKeys } from '../sort-keys';
import { fail, shown } from '../validation';

/**
 * The nodes of an Airflow deployment.
 */
export interface IAirflowNodePools extends ec2.IConnectable {
  /**
   * The labels and taints of the nodes of each kind of pod.
   */
  readonly placement: AirflowPlacement;

  /**
   * The IAM role of the nodes, with which they mount the file system.
   */
  readonly role: iam.IRole;

  /**
   * The node group of the API server, scheduler, DAG processor, triggerer and Flower.
   *
   * Undefined for nodes that already exist.
   */
  readonly stateless?: eks.INodegroup;

  /**
   * The node group of the workers, and of the pods that the Kubernetes executor starts.
   *
   * Undefined for nodes that already exist, and with `AirflowExecutor.LOCAL`.
   */
  readonly workers?: eks.INodegroup;

  /**
   * The node group of the in-cluster database, PgBouncer and the broker.
   *
   * Undefined for nodes that already exist, and if neither the database nor the broker runs in the cluster.
   */
  readonly database?: eks.INodegroup;
}

/**
 * Options of `AirflowNodePools.existing()`.
 */
export interface ExistingNodesOptions {
  /**
   * The nodes of the API server, scheduler, DAG processor, triggerer and Flower, and of all pods without nodes of their own.
   */
  readonly stateless: NodePlacement;

  /**
   * The nodes of the Celery workers, and of the pods that the Kubernetes executor starts.
   *
   * `AirflowExecutor.LOCAL` has none, and refuses the option.
   *
   * @default - the nodes of `stateless`
   */
  readonly workers?: NodePlacement;

  /**
   * The nodes of the in-cluster database, PgBouncer and the broker.
   *
   * Refused if neither the database nor the broker runs in the cluster.
   *
   * @default - the nodes of `stateless`
   */
  readonly database?: NodePlacement;

  /**
   * The IAM role of the nodes, which is granted to mount the file system.
   *
   * If it is imported as immutable, grant it `elasticfilesystem:ClientMount` and `elasticfilesystem:ClientWrite` yourself.
   */
  readonly nodeRole: iam.IRole;

  /**
   * The security group of the nodes, which is allowed to connect to the file system on port 2049.
   *
   * @default - the cluster security group
   */
  readonly securityGroup?: ec2.ISecurityGroup;
}

/** The nodes, as the other parts of a deployment see them. */
export interface BoundNodePools extends IAirflowNodePools {
  /** Whether tasks may be interrupted with two minutes' notice. */
  readonly tasksOnSpot: boolean;
  /** What must exist before pods can run; empty for nodes that already exist. */
  readonly dependables: Construct[];
  /** Whether EKS Auto Mode creates the nodes, and with them the load balancers. */
  readonly autoMode: boolean;
  /** Whether the nodes have the label and the taint of nodes that are created for Airflow. */
  readonly labelled: boolean;
  /** The nodes that the library creates. */
  readonly pools: NodePool[];
}

/**
 * The nodes on which an Airflow deployment runs.
 *
 * @example
 * declare const cluster: eks.ICluster;
 * declare const nodeRole: iam.IRole;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   nodePools: AirflowNodePools.existing({
 *     stateless: {
 *       labels: { team: 'data' },
 *       taints: [{ key: 'team', value: 'data', effect: eks.TaintEffect.NO_SCHEDULE }],
 *     },
 *     nodeRole,
 *   }),
 * });
 */
export class AirflowNodePools {
  /**
   * Create three managed node groups on which only Airflow runs: for stateless components, for workers, and for the in-cluster database and broker.
   * What does not exist has no node group: workers with `AirflowExecutor.LOCAL`, and database and broker that are both outside the cluster.
   *
   * By default, these are 4 to 6 EC2 instances, 3 to 5 of them Spot instances. All nodes have the label `role=airflow` and the taint
   * `dedicated=airflow:NoSchedule`. The label `airflow-deployment`, whose value is the namespace, distinguishes the nodes of several deployments;
   * the label `type` distinguishes the node groups of one.
   *
   * The cluster must have the add-ons VPC CNI, kube-proxy and CoreDNS, which a cluster in EKS Auto Mode does not have, and other nodes for pods
   * that do not tolerate the taint, such as CoreDNS.
   *
   * @param options instance types, sizes and permissions
   * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
   */
  public static managedNodeGroups(options: ManagedNodeGroupsOptions = {}): AirflowNodePools {
    return new AirflowNodePools(options, (scope, cluster, namespace, needs) =>
      new ManagedNodeGroups(scope, 'NodePools', { ...options, cluster, namespace, ...needs }));
  }

  /**
   * Create one managed node group on which all pods of Airflow run, for a small deployment.
   *
   * By default, these are 2 On-Demand instances, or 1 to 2 with `AirflowExecutor.LOCAL`. All pods of a deployment with one node stop when it is replaced.
   *
   * @param options instance types, sizes and permissions
   * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
   */
  public static singleNodeGroup(options: SingleNodeGroupOptions = {}): AirflowNodePools {
    return new AirflowNodePools(options, (scope, cluster, namespace, needs) => {
      const { keyPair, managedPolicies, clusterAutoscaler } = options;
      return new ManagedNodeGroups(scope, 'NodePools', { keyPair, managedPolicies, clusterAutoscaler, single: options, cluster, namespace, ...needs });
    });
  }

  /**
   * Create a Karpenter NodePool for each of the pools of `managedNodeGroups()`, whose nodes start when pods need them and are deleted when they are empty.
   *
   * Karpenter must run in the cluster, with the API `karpenter.sh/v1`, on nodes that it does not create itself. If the app installs it, add a
   * dependency on it: `airflow.node.addDependency(karpenter)`. The cluster must accept access entries (`authenticationMode` is not `CONFIG_MAP`).
   *
   * @param options the instances of each NodePool, and the node class
   * @see https://karpenter.sh/docs/
   */
  public static karpenter(options: KarpenterOptions = {}): AirflowNodePools {
    return new AirflowNodePools(options, (scope, cluster, namespace, needs) =>
      new KarpenterNodePools(scope, 'NodePools', { ...options, cluster, namespace, ...needs, provisioner: selfManagedKarpenter(scope, options) }));
  }

  /**
   * Create a NodePool of EKS Auto Mode for each of the pools of `managedNodeGroups()`, whose nodes start when pods need them and are deleted when they are
   * empty.
   *
   * The cluster must be in EKS Auto Mode, which is the default of `Cluster` in `aws-cdk-lib/aws-eks-v2`.
   *
   * @param options the instances of each NodePool, and the node class
   * @see https://docs.aws.amazon.com/eks/latest/userguide/automode.html
   */
  public static autoMode(options: AutoModeOptions = {}): AirflowNodePools {
    return new AirflowNodePools(options, (scope, cluster, namespace, needs) =>
      new KarpenterNodePools(scope, 'NodePools', { ...options, cluster, namespace, ...needs, provisioner: autoMode(scope, options) }));
  }

  /**
   * Use nodes that already exist, or NodePools of your own.
   *
   * The library creates no nodes. It grants the role and the security group of the nodes access to the file system. Several deployments can share
   * nodes. If their nodes have different roles or security groups, give them different labels, because the file system of each deployment admits
   * only its own.
   *
   * @param options the labels and taints of the nodes, their role and their security group
   */
  public static existing(options: ExistingNodesOptions): AirflowNodePools {
    return new AirflowNodePools(options, (scope, cluster, _, { hasWorkers, hasDatabase }) => {
      checkExisting(scope, options);
      checkWorkersPool(scope, options.workers, hasWorkers);
      checkDatabasePool(scope, options.database, hasDatabase);
      return {
        placement: sortKeys({
          stateless: options.stateless,
          workers: options.workers ?? options.stateless,
          database: options.database ?? options.stateless,
        }),
        role: options.nodeRole,
        connections: new ec2.Connections({ securityGroups: [options.securityGroup ?? cluster.clusterSecurityGroup] }),
        tasksOnSpot: false,
        autoMode: false,
        dependables: [],
        labelled: false,
        pools: [],
      };
    });
  }

  /** @internal */
  public static _default(cluster: Cluster): AirflowNodePools {
    return inAutoMode(cluster) ? AirflowNodePools.autoMode() : AirflowNodePools.managedNodeGroups();
  }

  private constructor(
    private readonly options: object,
    private readonly create: (scope: Construct, cluster: Cluster, namespace: string, needs: NodeNeeds) => BoundNodePools,
  ) {}

  /** @internal */
  public _bind(scope: Construct, cluster: Cluster, namespace: string, needs: NodeNeeds): BoundNodePools {
    checkOptions(scope, 'nodePools', this.options);
    return this.create(scope, cluster, namespace, needs);
  }
}

function checkExisting(scope: Construct, { nodeRole, stateless, workers, database }: ExistingNodesOptions): void {
  if (typeof nodeRole?.addToPrincipalPolicy !== 'function') {
    fail(scope, `'nodePools.nodeRole' must be an IAM role, got ${shown(nodeRole)}; use iam.Role.fromRoleName()`);
  }
  for (const [name, placement] of Object.entries({ stateless, workers, database })) {
    checkPlacement(scope, `nodePools.${name}`, placement ?? stateless);
  }
}
