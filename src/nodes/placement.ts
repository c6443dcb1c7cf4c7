import eks = require('aws-cdk-lib/aws-eks');

/**
 * The nodes that a pod runs on.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
 */
export interface NodePlacement {
  /**
   * The labels that a node must have, all of them.
   *
   * Without labels, the pods run on any Linux node whose taints they tolerate.
   */
  readonly labels: { [key: string]: string };

  /**
   * The taints of these nodes, which the pods tolerate.
   *
   * A taint without a value stands for every value, a taint without an effect for every effect.
   *
   * @default - the nodes have no taints
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
   */
  readonly taints?: eks.TaintSpec[];
}

/**
 * The nodes of the three kinds of Airflow pods.
 */
export interface AirflowPlacement {
  /**
   * The nodes of the API server, scheduler, DAG processor, triggerer and Flower, and of all pods without nodes of their own.
   */
  readonly stateless: NodePlacement;

  /**
   * The nodes of the Celery workers, and of the pods that the Kubernetes executor starts.
   */
  readonly workers: NodePlacement;

  /**
   * The nodes of the in-cluster database, PgBouncer and the broker.
   */
  readonly database: NodePlacement;
}

/**
 * The label and the taint of all nodes that are created for Airflow.
 *
 * A pool has two more labels. Its deployment is one of them: the file system of a deployment refuses the nodes of every other one. The taint is the
 * same for all, so that one CSI driver and one operator tolerate it, also those of clusters in which deployments come and go.
 */
export function airflowNodes(pool?: { readonly deployment: string; readonly type: string }): NodePlacement {
  return {
    labels: { role: 'airflow', ...pool && { 'airflow-deployment': pool.deployment, 'type': pool.type } },
    taints: [{ key: 'dedicated', value: 'airflow', effect: eks.TaintEffect.NO_SCHEDULE }],
  };
}

/** Which pods need nodes of their own. */
export interface NodeNeeds {
  /** Whether tasks run in pods other than the scheduler. */
  readonly hasWorkers: boolean;
  /** Whether the database or the broker runs in the cluster. */
  readonly hasDatabase: boolean;
}

/** The nodes of one deployment. Pods without nodes of their own run on those for stateless components. */
export function airflowPlacement(deployment: string, { hasWorkers, hasDatabase }: NodeNeeds): AirflowPlacement {
  const stateless = airflowNodes({ deployment, type: 'af-stateless' });
  return {
    stateless,
    workers: hasWorkers ? airflowNodes({ deployment, type: 'af-stateful' }) : stateless,
    database: hasDatabase ? airflowNodes({ deployment, type: 'af-db' }) : stateless,
  };
}

type Json = Record<string, any>;

/**
 * The node selector of a placement.
 *
 * A component without one gets that of all components from its chart, so that a placement without labels must name a label that every node has.
 */
export function nodeSelectorOf({ labels }: NodePlacement): Record<string, string> {
  return Object.keys(labels).length > 0 ? labels : { 'kubernetes.io/os': 'linux' };
}

/** The node selector of a placement, as required node affinity. */
export function nodeAffinityOf(placement: NodePlacement): Json {
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{
          matchExpressions: Object.entries(nodeSelectorOf(placement)).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
        }],
      },
    },
  };
}

/** The tolerations for the taints of a placement. */
export function tolerationsOf({ taints = [] }: NodePlacement): Json[] {
  return taints.map(({ key, value, effect }) => ({
    ...key === undefined ? {} : { key },
    operator: value === undefined ? 'Exists' : 'Equal',
    ...value === undefined ? {} : { value },
    ...effect === undefined ? {} : { effect: effectOf(effect) },
  }));
}

/** The taints of a placement, in the words of Kubernetes. */
export function taintsOf({ taints = [] }: NodePlacement): Json[] {
  return taints.map(({ key, value, effect }) => ({ key, value, effect: effect && effectOf(effect) }));
}

/** `NO_SCHEDULE` of the EKS API is `NoSchedule` in Kubernetes. */
function effectOf(effect: eks.TaintEffect): string {
  return effect.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Annotations of pods that must finish their tasks: Karpenter and Cluster Autoscaler do not remove nodes under them to save costs. */
export const NOT_DISRUPTED = { 'karpenter.sh/do-not-disrupt': 'true' };
export const NOT_EVICTED = { ...NOT_DISRUPTED, 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' };

/**
 * Spreads the pods with these labels across zones, as far as there are nodes.
 *
 * @param matchLabelKeys labels by whose values the pods are spread apart; a pod without such a label is spread with all
 */
export function acrossZones(matchLabels: Record<string, string>, matchLabelKeys?: string[]): Json[] {
  return [{
    maxSkew: 1,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels },
    ...matchLabelKeys && { matchLabelKeys },
  }];
}
