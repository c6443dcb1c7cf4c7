import { ComponentSettings } from '../../component';
import { hasKubernetes } from '../../executor';
import { NodePlacement, nodeSelectorOf } from '../../nodes/placement';
import { PodRequests, podRequests } from '../../pod-requests';
import { AirflowSettings, Values } from '../chart-definition';
import { enabled } from '../helm-values';
import { SMALL_CONTAINERS } from '../resources';

/**
 * The pods that the templates of the chart make from its values.
 *
 * @see https://github.com/airflow-helm/charts/tree/main/charts/airflow/templates
 */
export function communityPods({ airflow, dags, web, scheduler, triggerer, workers, flower }: Values, settings: AirflowSettings): PodRequests[] {
  const { placement: { stateless, workers: workerNodes }, claims } = settings;
  const gitSync = enabled(dags.gitSync);
  const { installPipPackages, checkDb, waitForDbMigrations } = airflow.initContainers;
  const first: Values[] = [...airflow.extraPipPackages?.length > 0 ? [installPipPackages] : [], ...gitSync];
  const component = (prop: string, values: Values, { replicas, autoscaling }: Pick<ComponentSettings, 'replicas' | 'autoscaling'>, nodes = stateless) =>
    podRequests({ prop, nodeSelector: nodeSelectorOf(nodes), replicas, maxReplicas: autoscaling?.maxReplicas ?? replicas }, {
      initContainers: [...first, checkDb, waitForDbMigrations, ...airflow.extraInitContainers ?? [], ...values.extraInitContainers ?? []],
      containers: [values, ...gitSync, ...enabled(values.logCleanup), ...airflow.extraContainers ?? [], ...values.extraContainers ?? []],
    });
  const single = (prop: string, main: Values, sidecars: Values[] = [], initContainers: Values[] = []) =>
    podRequests({ prop, nodeSelector: nodeSelectorOf(stateless), replicas: 1 }, { initContainers, containers: [main, ...sidecars] });
  const lists = ['users', 'connections', 'variables', 'pools'].filter((list) => airflow[list]?.length > 0 && airflow[`${list}Update`]);
  return [
    component('apiServer', web, settings.apiServer),
    component('scheduler', scheduler, settings.scheduler),
    ...triggerer.enabled === false ? [] : [component('triggerer', triggerer, settings.triggerer)],
    ...enabled(workers).map((values) => component('workers', values, settings.workers, workerNodes)),
    ...hasKubernetes(settings.executor) ? [taskPod(airflow.kubernetesPodTemplate, settings, first, workerNodes)] : [],
    ...enabled(flower).map((values) => component('helmValues.flower', values, { replicas: values.replicas ?? 1 })),
    single('helmValues.airflow.dbMigrations', airflow.dbMigrations, gitSync, [...first, checkDb]),
    ...lists.map(() => single('helmValues.airflow.sync', airflow.sync, gitSync, [...first, checkDb, waitForDbMigrations])),
    ...claims.logs ? [single('logs', { resources: SMALL_CONTAINERS.logGroomer })] : [],
    single('databaseCleanup', { resources: SMALL_CONTAINERS.databaseCleanup }),
  ];
}

function taskPod(template: Values, { broker }: AirflowSettings, initContainers: Values[], nodes: NodePlacement): PodRequests {
  const prop = broker ? 'helmValues.airflow.kubernetesPodTemplate' : 'workers';
  return podRequests({ prop, nodeSelector: nodeSelectorOf(nodes), replicas: 0 }, {
    initContainers: [...initContainers, ...template.extraInitContainers ?? []],
    containers: [template, ...template.extraContainers ?? []],
  });
}
