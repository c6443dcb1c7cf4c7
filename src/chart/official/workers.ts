import { Tokenization } from 'aws-cdk-lib';
import { Generation } from './generation';
import { placed } from './placement';
import { AutoscalingSettings } from '../../autoscaling';
import { AirflowExecutor, hasCelery } from '../../executor';
import { acrossZones, NOT_DISRUPTED } from '../../nodes/placement';
import { WorkerGroupSettings } from '../../workers';
import { AirflowSettings, ReleaseWorkload, Values } from '../chart-definition';

/** The label of the pods of a set. The chart's default workers have none, and with sets, their selector would select the pods of all of them. */
const SET = 'worker-set';

/** The set of the workers outside the groups. */
export const MAIN = 'main';

export function celeryWorkers(settings: AirflowSettings, generation: Generation): Values {
  const { name, executor, placement, workers } = settings;
  const { groups, queues, replicas, resources } = workers;
  return {
    enableDefault: hasCelery(executor) && groups.length === 0,
    replicas,
    resources,
    ...placed(placement.workers),
    podDisruptionBudget: { enabled: hasCelery(executor), config: { maxUnavailable: '20%' } },
    topologySpreadConstraints: acrossZones({ tier: 'airflow', component: 'worker', release: name }, groups.length > 0 ? [SET] : undefined),
    safeToEvict: false,
    podAnnotations: NOT_DISRUPTED,
    terminationGracePeriodSeconds: workers.terminationGraceSeconds,
    // Without persistence the workers are a Deployment: new workers start while old ones finish their tasks. A StatefulSet would replace
    // one worker after the other, which takes longer than helm waits.
    persistence: { enabled: false },
    logGroomerSidecar: { enabled: false },
    ...autoscaler(workers.autoscaling),
    ...queues && consuming(queues),
    ...groups.length > 0 && { sets: [{ name: MAIN }, ...groups.map((group) => workerSet(settings, generation, group))] },
  };
}

/** The Deployments of the workers. */
export function workerWorkloads({ workers: { groups } }: AirflowSettings): ReleaseWorkload[] {
  const [main, ...others] = [{ name: MAIN }, ...groups].map(({ name }): ReleaseWorkload => ({ id: `Workers-${name}`, kind: 'Deployment', name: `worker-${name}` }));
  return groups.length > 0
    ? [{ ...main, id: 'Workers' }, ...others]
    : [{ id: 'Workers', kind: 'Deployment', name: 'worker', enabledBy: 'workers.celery.enableDefault' }];
}

/** A group of workers. The chart adds all that is not here from the other workers. */
function workerSet({ executor }: AirflowSettings, generation: Generation, group: WorkerGroupSettings): Values {
  const { name, replicas, resources, placement, queues, concurrency, autoscaling } = group;
  return {
    name,
    replicas,
    resources,
    ...placement && placed(placement),
    terminationGracePeriodSeconds: group.terminationGraceSeconds,
    keda: { enabled: false },
    ...autoscaler(autoscaling, concurrency === undefined ? undefined : workersForTasks(group.queues, concurrency, executor, generation)),
    ...consuming(queues, concurrency),
  };
}

/** The chart would not name a queue of the name `default`, which need not be the default queue. */
function consuming(queues: string[], concurrency?: number): Values {
  const options = [`--queues ${queues.join(',')}`, ...concurrency === undefined ? [] : [`--concurrency ${Tokenization.stringifyNumber(concurrency)}`]];
  return { queue: queues.join(','), args: ['bash', '-c', `exec airflow celery worker ${options.join(' ')}`] };
}

/** The chart leaves the number of pods to the autoscaler. */
export function autoscaler(autoscaling?: AutoscalingSettings, query?: string): Values {
  if (!autoscaling) {
    return { hpa: { enabled: false } };
  }
  const { minReplicas: minReplicaCount, maxReplicas: maxReplicaCount, behavior } = autoscaling;
  const common = { enabled: true, minReplicaCount, maxReplicaCount };
  return autoscaling.on === 'resource' ? { hpa: { ...common, metrics: autoscaling.metrics, behavior } } : {
    hpa: { enabled: false },
    keda: {
      ...common,
      pollingInterval: autoscaling.pollingSeconds,
      cooldownPeriod: behavior.scaleDown.stabilizationWindowSeconds, // the same for the last worker, which the HorizontalPodAutoscaler does not remove
      advanced: { horizontalPodAutoscalerConfig: { behavior } },
      ...query !== undefined && { query },
    },
  };
}

/** The number of workers that the tasks in the queues need. The chart's own query divides by the concurrency of all workers. */
function workersForTasks(queues: string[], concurrency: number, executor: AirflowExecutor, { celeryKubernetesExecutor }: Generation): string {
  // Airflow 2 has a queue for the tasks of the other executor, Airflow 3 a column.
  const celeryOnly = executor === AirflowExecutor.CELERY_KUBERNETES && celeryKubernetesExecutor.includes(',') ? " AND executor IS DISTINCT FROM 'KubernetesExecutor'" : '';
  return `SELECT ceil(COUNT(*)::decimal / ${Tokenization.stringifyNumber(concurrency)}) FROM task_instance`
    + ` WHERE state IN ('running', 'queued') AND queue IN (${queues.map((queue) => `'${queue}'`).join(', ')})${celeryOnly}`;
}
