import { communityPods } from './pods';
import { APPENDED_VALUES, OWNED_VALUES, REFUSED_VALUES } from './user-values';
import { communityValues } from './values';
import { AirflowExecutor } from '../../executor';
import { AIRFLOW_REPOSITORY, COMMUNITY_AIRFLOW, COMMUNITY_CHART, COMMUNITY_PYTHON } from '../../versions';
import { ChartDefinition, OWNED_CONFIG } from '../chart-definition';

const OTHER_WORKERS = "use AirflowChart.official(), or AirflowExecutor.CELERY_KUBERNETES, which runs tasks with queue='kubernetes' in pods of their own";

/**
 * The community chart: Airflow 2.
 *
 * @see https://github.com/airflow-helm/charts/tree/main/charts/airflow
 */
export function communityChart(chartVersion = COMMUNITY_CHART.version, airflowVersion = COMMUNITY_AIRFLOW): ChartDefinition {
  return {
    name: 'community',
    chart: { ...COMMUNITY_CHART, version: chartVersion },
    airflowVersion,
    defaultImage: { repository: AIRFLOW_REPOSITORY, tag: `${airflowVersion}-${COMMUNITY_PYTHON}` },
    maxNameLength: 40,
    taskApi: false,
    unsupportedExecutors: [AirflowExecutor.LOCAL],
    unsupportedProps: {
      'dagProcessor': "use 'scheduler', which processes the DAGs with this chart",
      'workers.queues': `its workers take only the tasks of the default queue; ${OTHER_WORKERS}`,
      'workers.groups': `its workers are all alike; ${OTHER_WORKERS}`,
    },
    webServiceType: 'web.service.type',
    ownedValues: OWNED_VALUES,
    refusedValues: REFUSED_VALUES,
    appendedValues: APPENDED_VALUES,
    ownedConfig: OWNED_CONFIG,
    setsAutoscaledReplicas: true,
    workloads: () => [
      { id: 'Migrations', kind: 'Deployment', name: 'db-migrations', enabledBy: 'airflow.dbMigrations.enabled' },
      { id: 'ApiServer', kind: 'Deployment', name: 'web' },
      { id: 'Scheduler', kind: 'Deployment', name: 'scheduler' },
      { id: 'Triggerer', kind: 'Deployment', name: 'triggerer', enabledBy: 'triggerer.enabled' },
      { id: 'Workers', kind: 'StatefulSet', name: 'worker', enabledBy: 'workers.enabled', finishesTasks: true },
      { id: 'Flower', kind: 'Deployment', name: 'flower', enabledBy: 'flower.enabled' },
    ],
    webService: (name) => ({ name: `${name}-web`, port: 8080, healthCheckPath: '/health' }),
    flowerService: (name) => ({ name: `${name}-flower`, port: 5555, healthCheckPath: '/' }),
    render: communityValues,
    pods: communityPods,
  };
}
