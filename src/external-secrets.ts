import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import { Construct } from 'constructs';
import { Cluster } from './cluster';
import { resources } from './component';
import { definitionEstablished, installChart } from './kubernetes';
import { airflowNodes, tolerationsOf } from './nodes/placement';
import { EXTERNAL_SECRETS_CHART } from './versions';

/**
 * How the External Secrets operator is installed in a cluster.
 *
 * A cluster has one operator.
 *
 * @see https://external-secrets.io
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   externalSecrets: ExternalSecretsInstallation.existing(),
 * });
 */
export class ExternalSecretsInstallation {
  /**
   * Install the operator on any node, also on the nodes that are created for Airflow.
   *
   * It is not installed if all secrets of the deployment are Kubernetes Secrets of your own.
   */
  public static onAnyNode(): ExternalSecretsInstallation {
    return new ExternalSecretsInstallation((cluster) => [ExternalSecrets.getOrCreate(cluster)]);
  }

  /**
   * Use the operator that the cluster already has, version 0.16 or later.
   *
   * The operator must serve the API `external-secrets.io/v1`.
   */
  public static existing(): ExternalSecretsInstallation {
    return new ExternalSecretsInstallation(() => []);
  }

  private constructor(private readonly install: (cluster: Cluster) => ExternalSecrets[]) {}

  /** @internal */
  public _bind(cluster: Cluster): ExternalSecrets[] {
    return this.install(cluster);
  }
}

/**
 * The External Secrets operator, which copies secrets from AWS Secrets Manager into Kubernetes Secrets.
 *
 * A cluster has one operator, which `AirflowOnEks` installs. Use this class only to install the operator before a deployment. The operator has no
 * AWS permissions of its own: each SecretStore names the service account whose role it uses.
 *
 * When the operator is uninstalled, its namespace `external-secrets` and its custom resource definitions stay in the cluster, because Kubernetes
 * deletes all ExternalSecrets together with their definition.
 *
 * @see https://external-secrets.io
 * @example
 * declare const cluster: eks.ICluster;
 *
 * ExternalSecrets.getOrCreate(cluster);
 */
export class ExternalSecrets extends Construct {
  /**
   * Return the operator of a cluster, and install it if this app has not installed it yet.
   *
   * The operator is a child of the cluster construct and belongs to its stack, so that it outlives each Airflow deployment in another stack.
   *
   * @param cluster the cluster
   */
  public static getOrCreate(cluster: eks.ICluster | eksv2.ICluster): ExternalSecrets {
    const id = 'AirflowExternalSecrets';
    return cluster.node.tryFindChild(id) as ExternalSecrets | undefined ?? new ExternalSecrets(cluster, id, cluster);
  }

  /**
   * The operator without its definitions: what only outlives its objects is neither created nor deleted later for the definitions.
   *
   * @internal
   */
  public readonly _release: Construct;

  private constructor(scope: Construct, id: string, cluster: Cluster) {
    super(scope, id);
    this._release = installChart(this, 'Chart', cluster, {
      chart: EXTERNAL_SECRETS_CHART,
      release: 'external-secrets',
      namespace: 'external-secrets',
      createNamespace: true,
      values: {
        // The API server validates each ExternalSecret by its definition. The webhook would add little, and would refuse to create or
        // delete any while its pods do not run: before the first node joins, and after the last one has left.
        webhook: { create: false },
        certController: { create: false },
        // Without the definitions all ExternalSecrets are deleted, and with them the Secrets of running pods.
        crds: { annotations: { 'helm.sh/resource-policy': 'keep' } },
        resources: resources('20m', '64Mi', '512Mi'),
        global: { tolerations: tolerationsOf(airflowNodes()) }, // for clusters in which all nodes are created for Airflow
      },
    });
    for (const [kind, resource] of [['SecretStore', 'secretstores'], ['ExternalSecret', 'externalsecrets']]) {
      definitionEstablished(this, `${kind}Definition`, cluster, `${resource}.external-secrets.io`).node.addDependency(this._release);
    }
  }
}
