import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import { Construct } from 'constructs';
import { installChart } from './cluster';
import { AIRFLOW_NODES } from './node-pools';
import { EXTERNAL_SECRETS_CHART } from './versions';

/**
 * Who brings the External Secrets operator. A cluster has one at most.
 */
export enum ExternalSecretsSetup {
  /**
   * Install it, unless every secret of this Airflow is a Kubernetes Secret that exists.
   */
  INSTALL = 'install',

  /**
   * The cluster has it, in a version that serves `external-secrets.io/v1` (0.16 and later).
   */
  EXISTING = 'existing',
}

/**
 * Properties of `ExternalSecrets`.
 */
export interface ExternalSecretsProps {
  /**
   * The cluster.
   */
  readonly cluster: eks.ICluster | eksv2.ICluster;
}

/**
 * The External Secrets operator, which makes Kubernetes Secrets of what is in AWS Secrets Manager. One per cluster.
 *
 * It has no AWS permissions of its own: each SecretStore names the service account that it reads with.
 *
 * @see https://external-secrets.io
 */
export class ExternalSecrets extends Construct {
  /**
   * The operator of a cluster: the one that it was given before, or a new one.
   *
   * It is a child of the cluster, so that it outlives each Airflow that uses it.
   *
   * @param props the cluster
   */
  public static forCluster(props: ExternalSecretsProps): ExternalSecrets {
    const id = 'AirflowExternalSecrets';
    return props.cluster.node.tryFindChild(id) as ExternalSecrets | undefined ?? new ExternalSecrets(props.cluster, id, props);
  }

  constructor(scope: Construct, id: string, props: ExternalSecretsProps) {
    super(scope, id);
    installChart(this, 'Chart', props.cluster, {
      chart: EXTERNAL_SECRETS_CHART,
      release: 'external-secrets',
      namespace: 'external-secrets',
      createNamespace: true,
      values: {
        // The API server checks each ExternalSecret against its definition. The webhook would add little, and refuse to create or
        // delete any while its pods are not there: before the first node comes, and after the last has gone.
        webhook: { create: false },
        certController: { create: false },
        // Without its definitions every ExternalSecret is deleted, and with these the Secrets of pods that run.
        crds: { annotations: { 'helm.sh/resource-policy': 'keep' } },
        // On whatever node there is: also where all nodes are Airflow's.
        global: { tolerations: AIRFLOW_NODES.tolerations!.map((toleration) => ({ operator: 'Equal', ...toleration })) },
      },
    });
  }
}
