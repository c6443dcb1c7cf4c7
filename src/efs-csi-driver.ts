import { Aws } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { Cluster } from './cluster';
import { resources } from './component';
import { installChart, serviceAccountRole } from './kubernetes';
import { airflowNodes, AirflowPlacement, nodeAffinityOf, NodePlacement, tolerationsOf } from './nodes/placement';
import { fail } from './validation';
import { EFS_CSI_DRIVER_CHART } from './versions';

/**
 * How the EFS CSI driver is installed in a cluster.
 *
 * A cluster has one driver. All Airflow deployments of an app that install it in the same cluster must install it on the same nodes.
 *
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   efsCsiDriver: EfsCsiDriverInstallation.existing(), // such as the EKS add-on aws-efs-csi-driver
 * });
 */
export class EfsCsiDriverInstallation {
  /**
   * Install the driver on the nodes that are created for Airflow.
   *
   * These nodes have the label `role=airflow`. Pods on other nodes of the cluster cannot mount EFS file systems.
   */
  public static onAirflowNodes(): EfsCsiDriverInstallation {
    return new EfsCsiDriverInstallation((cluster, scope, placement) => {
      Object.entries(placement).forEach(([pool, nodes]) => checkAirflowNodes(scope, pool, nodes));
      return [EfsCsiDriver.getOrCreate(cluster)];
    });
  }

  /**
   * Install the driver on all nodes of the cluster.
   */
  public static onAllNodes(): EfsCsiDriverInstallation {
    return new EfsCsiDriverInstallation((cluster) => [EfsCsiDriver.getOrCreate(cluster, { allNodes: true })]);
  }

  /**
   * Use the driver that the cluster already has: the EKS add-on, a Helm release, or the driver of an Airflow deployment in another app.
   *
   * The driver must run on the nodes of Airflow. On nodes that are created for Airflow, its pods must tolerate the taint
   * `dedicated=airflow:NoSchedule`.
   *
   * @see https://docs.aws.amazon.com/eks/latest/userguide/efs-csi.html
   */
  public static existing(): EfsCsiDriverInstallation {
    return new EfsCsiDriverInstallation(() => []);
  }

  /**
   * The default, for nodes that are created for Airflow or for nodes that already exist.
   *
   * @internal
   */
  public static _default(onAirflowNodes: boolean): EfsCsiDriverInstallation {
    return onAirflowNodes ? EfsCsiDriverInstallation.onAirflowNodes() : EfsCsiDriverInstallation.onAllNodes();
  }

  private constructor(private readonly install: (cluster: Cluster, scope: Construct, placement: AirflowPlacement) => EfsCsiDriver[]) {}

  /** @internal */
  public _bind(cluster: Cluster, scope: Construct, placement: AirflowPlacement): EfsCsiDriver[] {
    return this.install(cluster, scope, placement);
  }
}

/** Fails unless a driver for the nodes that are created for Airflow also runs on existing nodes. */
function checkAirflowNodes(scope: Construct, pool: string, { labels, taints = [] }: NodePlacement): void {
  if (labels.role !== 'airflow' || taints.some(({ key, value }) => key !== 'dedicated' || value !== 'airflow')) {
    fail(scope, "'efsCsiDriver' is onAirflowNodes(), but a driver with the selector role=airflow and a toleration for dedicated=airflow does not run on"
      + ` the nodes of 'nodePools.${pool}', got the labels ${JSON.stringify(labels)} and the taints ${JSON.stringify(taints)}; use onAllNodes()`);
  }
}

/**
 * Options of `EfsCsiDriver.getOrCreate()`.
 */
export interface EfsCsiDriverOptions {
  /**
   * Whether the driver runs on all nodes of the cluster, or only on nodes with the label `role=airflow`.
   *
   * @default false
   */
  readonly allNodes?: boolean;
}

const SERVICE_ACCOUNT = 'efs-csi-controller-sa';

/**
 * The EFS CSI driver, with which pods mount EFS file systems.
 *
 * A cluster has one driver, which `AirflowOnEks` installs. Use this class only to install the driver for other pods as well, or before a
 * deployment.
 *
 * @see https://github.com/kubernetes-sigs/aws-efs-csi-driver
 * @example
 * declare const cluster: eks.ICluster;
 *
 * EfsCsiDriver.getOrCreate(cluster, { allNodes: true });
 * new AirflowOnEks(this, 'Airflow', { cluster, efsCsiDriver: EfsCsiDriverInstallation.onAllNodes() });
 */
export class EfsCsiDriver extends Construct {
  /**
   * Return the driver of a cluster, and install it if this app has not installed it yet.
   *
   * The driver is a child of the cluster construct and belongs to its stack, so that it outlives each Airflow deployment in another stack. If the
   * driver is already installed on other nodes, this method throws an error.
   *
   * @param cluster the cluster
   * @param options the nodes on which the driver runs
   * @throws if the driver is already installed on other nodes
   */
  public static getOrCreate(cluster: eks.ICluster | eksv2.ICluster, options: EfsCsiDriverOptions = {}): EfsCsiDriver {
    const id = 'AirflowEfsCsiDriver';
    const allNodes = options.allNodes ?? false;
    const driver = cluster.node.tryFindChild(id) as EfsCsiDriver | undefined ?? new EfsCsiDriver(cluster, id, cluster, allNodes);
    if (driver.allNodes !== allNodes) {
      const words = (all: boolean) => all ? 'onAllNodes()' : 'onAirflowNodes()';
      fail(driver, "'efsCsiDriver' must be the same for all Airflow deployments of a cluster;"
        + ` already installed with ${words(driver.allNodes)}, got ${words(allNodes)}`);
    }
    return driver;
  }

  /**
   * The IAM role of the controller, which creates and deletes the access points of dynamically provisioned volumes.
   *
   * It can delete only access points that the driver created.
   */
  public readonly role: iam.Role;

  /**
   * Whether the driver runs on all nodes of the cluster, or only on nodes with the label `role=airflow`.
   */
  public readonly allNodes: boolean;

  private constructor(scope: Construct, id: string, cluster: Cluster, allNodes: boolean) {
    super(scope, id);

    this.allNodes = allNodes;
    this.role = serviceAccountRole(this, 'Role', {
      cluster,
      namespace: 'kube-system',
      serviceAccount: SERVICE_ACCOUNT,
      description: `Controller of the EFS CSI driver of ${cluster.clusterName}`,
      statements: controllerStatements(),
    });

    const placement = airflowNodes();
    const sidecar = { resources: resources('10m', '32Mi', '128Mi') };
    const onAirflowNodes = { tolerations: tolerationsOf(placement), affinity: nodeAffinityOf(placement), nodeSelector: placement.labels };
    installChart(this, 'Chart', cluster, {
      chart: EFS_CSI_DRIVER_CHART,
      release: 'aws-efs-csi-driver',
      namespace: 'kube-system',
      // Does not wait for its pods, whose nodes may be created later. Pods that mount a volume wait for the driver by themselves.
      values: {
        sidecars: { livenessProbe: sidecar, nodeDriverRegistrar: sidecar, csiProvisioner: sidecar },
        controller: {
          resources: resources('20m', '64Mi', '512Mi'),
          ...allNodes ? { tolerations: [{ operator: 'Exists' }] } : onAirflowNodes,
          serviceAccount: { create: true, name: SERVICE_ACCOUNT, annotations: { 'eks.amazonaws.com/role-arn': this.role.roleArn } },
        },
        // The default toleration of the chart already admits these pods to every node.
        node: { resources: resources('50m', '128Mi', '1Gi'), ...allNodes ? {} : onAirflowNodes },
      },
    });
  }
}

/**
 * The permissions of the controller. It can change only access points that carry its tag.
 *
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEFSCSIDriverPolicy.html
 */
function controllerStatements(): iam.PolicyStatement[] {
  const arn = (resource: string) => `arn:${Aws.PARTITION}:elasticfilesystem:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}/*`;
  const tag = 'efs.csi.aws.com/cluster';
  return [
    new iam.PolicyStatement({
      sid: 'Describe',
      actions: ['DescribeAccessPoints', 'DescribeFileSystems', 'DescribeMountTargets'].map((action) => `elasticfilesystem:${action}`),
      resources: [arn('file-system'), arn('access-point')],
    }),
    new iam.PolicyStatement({
      sid: 'DescribeZones', // cannot be limited to a resource
      actions: ['ec2:DescribeAvailabilityZones'],
      resources: ['*'],
    }),
    new iam.PolicyStatement({
      sid: 'CreateTagged',
      actions: ['elasticfilesystem:CreateAccessPoint'],
      resources: [arn('file-system')],
      conditions: { 'StringEquals': { [`aws:RequestTag/${tag}`]: 'true' }, 'ForAllValues:StringEquals': { 'aws:TagKeys': [tag] } },
    }),
    new iam.PolicyStatement({
      sid: 'TagNew',
      actions: ['elasticfilesystem:TagResource'],
      resources: [arn('access-point')],
      conditions: { StringEquals: { 'elasticfilesystem:CreateAction': 'CreateAccessPoint', [`aws:RequestTag/${tag}`]: 'true' } },
    }),
    new iam.PolicyStatement({
      sid: 'DeleteTagged',
      actions: ['elasticfilesystem:DeleteAccessPoint'],
      resources: [arn('access-point')],
      conditions: { StringEquals: { [`aws:ResourceTag/${tag}`]: 'true' } },
    }),
  ];
}
