import { Generation } from './generation';
import { MAIN } from './workers';
import { hasCelery, hasKubernetes, hasTaskPods } from '../../executor';
import { PodRequests, podRequests } from '../../pod-requests';
import { AirflowSettings, Values } from '../chart-definition';
import { enabled } from '../helm-values';

/**
 * The pods that the templates of the chart make from its values.
 *
 * @see https://github.com/apache/airflow/tree/main/chart/templates
 */
export function officialPods(values: Values, { executor }: AirflowSettings, { web }: Generation): PodRequests[] {
  const { dags, workers, triggerer, flower, statsd, cleanup, databaseCleanup } = values;
  const gitSync = enabled(dags.gitSync);
  const pods = (prop: string, component: Values, cloning: Values[] = [], pulling = cloning): PodRequests => {
    const autoscaler = enabled(component.keda)[0] ?? enabled(component.hpa)[0];
    const replicas = component.replicas ?? 1;
    return podRequests({
      prop,
      nodeSelector: component.nodeSelector ?? values.nodeSelector,
      replicas: autoscaler?.minReplicaCount ?? replicas,
      maxReplicas: autoscaler?.maxReplicaCount ?? replicas,
    }, {
      // The container that waits for the migrations requests the same as that of the component.
      initContainers: [...cloning, ...enabled(component.kerberosInitContainer), ...component.extraInitContainers ?? []],
      containers: [
        component, ...pulling, ...enabled(component.logGroomerSidecar), ...enabled(component.kerberosSidecar), ...component.extraContainers ?? [],
      ],
    });
  };
  return [
    pods('apiServer', values[web]),
    pods('scheduler', values.scheduler, hasTaskPods(executor) ? [] : gitSync),
    pods('dagProcessor', values.dagProcessor, gitSync),
    ...triggerer.enabled === false ? [] : [pods('triggerer', triggerer, gitSync)],
    ...workerSets(workers).map((set) => pods(['default', MAIN].includes(set.name) ? 'workers' : `workers.groups.${set.name}`, set, gitSync)),
    ...hasKubernetes(executor)
      ? [pods(hasCelery(executor) ? 'helmValues.workers.kubernetes' : 'workers', { ...workers, ...workers.kubernetes, replicas: 0 }, gitSync, [])]
      : [],
    ...enabled(flower).map((component) => pods('helmValues.flower', component)),
    ...enabled(statsd).map((component) => pods('helmValues.statsd', component)),
    ...enabled(databaseCleanup).map((component) => pods('helmValues.databaseCleanup', component)),
    ...hasKubernetes(executor) ? enabled(cleanup).map((component) => pods('helmValues.cleanup', component)) : [],
  ];
}

/** The values of each set of Celery workers, over those of all workers. */
function workerSets({ celery, kubernetes: _, ...workers }: Values): Values[] {
  const common = { ...workers, ...celery };
  const sets: Values[] = [...celery.enableDefault ? [{ name: 'default' }] : [], ...celery.sets ?? []];
  return sets.map((set) => ({ ...common, ...set, keda: { ...common.keda, ...set.keda }, hpa: { ...common.hpa, ...set.hpa } }));
}
