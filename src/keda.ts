import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import { Construct } from 'constructs';
import { albControllerOf, Cluster } from './cluster';
import { definitionEstablished, installChart } from './kubernetes';
import { airflowNodes, tolerationsOf } from './nodes/placement';
import { fail } from './validation';
import { KEDA_CHART } from './versions';
import { WorkersSettings } from './workers';

/**
 * How KEDA, which `WorkerAutoscaling.onQueuedTasks()` needs, is installed in a cluster.
 *
 * A cluster has one KEDA.
 *
 * @see https://keda.sh
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   workers: { replicas: 0, autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 10 }) },
 *   keda: KedaInstallation.existing(),
 * });
 */
export class KedaInstallation {
  /** Install KEDA on any node, also on the nodes that are created for Airflow. */
  public static onAnyNode(): KedaInstallation {
    return new KedaInstallation((cluster) => [Keda.getOrCreate(cluster)]);
  }

  /**
   * Use the KEDA that the cluster already has, version 2.x.
   *
   * It must watch the namespace of the deployment and be allowed to read its Secrets, which are the defaults of its chart.
   */
  public static existing(): KedaInstallation {
    return new KedaInstallation(() => []);
  }

  private constructor(private readonly install: (cluster: Cluster) => Keda[]) {}

  /** @internal */
  public _bind(cluster: Cluster): Keda[] {
    return this.install(cluster);
  }
}

/**
 * KEDA, which sets the number of workers by the number of queued and running tasks.
 *
 * A cluster has one KEDA, which `AirflowOnEks` installs. Use this class only to install KEDA before a deployment.
 *
 * KEDA serves the Kubernetes API `external.metrics.k8s.io`. As long as it is installed but has no node to run on, Kubernetes deletes no namespace.
 * When KEDA is uninstalled, its namespace `keda` and its custom resource definitions stay in the cluster, because Kubernetes deletes all
 * ScaledObjects together with their definition.
 *
 * @see https://keda.sh
 * @example
 * declare const cluster: eks.ICluster;
 *
 * Keda.getOrCreate(cluster);
 */
export class Keda extends Construct {
  /**
   * Return the KEDA of a cluster, and install it if this app has not installed it yet.
   *
   * KEDA is a child of the cluster construct and belongs to its stack, so that it outlives each Airflow deployment in another stack.
   *
   * @param cluster the cluster
   */
  public static getOrCreate(cluster: eks.ICluster | eksv2.ICluster): Keda {
    const id = 'AirflowKeda';
    return cluster.node.tryFindChild(id) as Keda | undefined ?? new Keda(cluster, id, cluster);
  }

  /**
   * KEDA without its definitions: what only outlives its objects is neither created nor deleted later for the definitions.
   *
   * @internal
   */
  public readonly _release: Construct;

  private constructor(scope: Construct, id: string, cluster: Cluster) {
    super(scope, id);
    this._release = installChart(this, 'Chart', cluster, {
      chart: KEDA_CHART,
      release: 'keda',
      namespace: 'keda',
      createNamespace: true,
      values: {
        webhooks: { enabled: false }, // the API server validates each ScaledObject by its definition
        // Without the definitions all ScaledObjects are deleted, also those of others.
        crds: { additionalAnnotations: { 'helm.sh/resource-policy': 'keep' } },
        tolerations: tolerationsOf(airflowNodes()), // for clusters in which all nodes are created for Airflow
      },
    });
    this._release.node.addDependency(...albControllerOf(cluster)); // whose webhook refuses Services until it is ready
    definitionEstablished(this, 'ScaledObjectDefinition', cluster, 'scaledobjects.keda.sh').node.addDependency(this._release);
  }
}

/** The KEDA that the workers of a deployment need, unless it already exists. */
export function kedaOf(scope: Construct, cluster: Cluster, workers: WorkersSettings, installation?: KedaInstallation): Keda[] {
  const needed = [workers, ...workers.groups].some(({ autoscaling }) => autoscaling?.on === 'queuedTasks');
  if (installation && !needed) {
    fail(scope, "'keda' has no effect without 'workers.autoscaling: WorkerAutoscaling.onQueuedTasks()'; set that, or remove 'keda'");
  }
  return needed ? (installation ?? KedaInstallation.onAnyNode())._bind(cluster) : [];
}
