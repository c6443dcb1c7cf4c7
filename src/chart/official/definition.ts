import { generationOf } from './generation';
import { officialPods } from './pods';
import { appendedValues, OWNED_VALUES, REFUSED_VALUES } from './user-values';
import { officialValues } from './values';
import { workerWorkloads } from './workers';
import { AIRFLOW_REPOSITORY, OFFICIAL_AIRFLOW, OFFICIAL_CHART } from '../../versions';
import { ChartDefinition, OWNED_CONFIG } from '../chart-definition';

/**
 * The official chart: Airflow 3 and 2.11.
 *
 * @see https://airflow.apache.org/docs/helm-chart/stable/index.html
 */
export function officialChart(chartVersion = OFFICIAL_CHART.version, airflowVersion = OFFICIAL_AIRFLOW): ChartDefinition {
  const generation = generationOf(airflowVersion);
  return {
    name: 'official',
    chart: { ...OFFICIAL_CHART, version: chartVersion },
    airflowVersion,
    defaultImage: { repository: AIRFLOW_REPOSITORY, tag: airflowVersion },
    maxNameLength: 40,
    taskApi: generation.taskApi,
    unsupportedExecutors: [],
    unsupportedProps: { pipPackages: "use an 'image' that contains the packages, such as AirflowImage.fromAsset()" },
    webServiceType: `${generation.web}.service.type`,
    ownedValues: OWNED_VALUES,
    refusedValues: REFUSED_VALUES,
    appendedValues: appendedValues(generation),
    ownedConfig: { ...OWNED_CONFIG, AIRFLOW__API__SECRET_KEY: 'secrets.apiSecretKey', AIRFLOW__API_AUTH__JWT_SECRET: 'secrets.jwtSecret' },
    setsAutoscaledReplicas: false,
    workloads: (settings) => [
      { id: 'DagProcessor', kind: 'Deployment', name: 'dag-processor', enabledBy: 'dagProcessor.enabled' },
      { id: 'ApiServer', kind: 'Deployment', name: generation.webName, enabledBy: `${generation.web}.enabled` },
      { id: 'Scheduler', kind: 'Deployment', name: 'scheduler', enabledBy: 'scheduler.enabled' },
      { id: 'Triggerer', kind: 'Deployment', name: 'triggerer', enabledBy: 'triggerer.enabled' },
      ...workerWorkloads(settings),
      { id: 'Flower', kind: 'Deployment', name: 'flower', enabledBy: 'flower.enabled' },
    ],
    webService: (name) => ({ name: `${name}-${generation.webName}`, port: 8080, healthCheckPath: generation.healthCheckPath }),
    flowerService: (name) => ({ name: `${name}-flower`, port: 5555, healthCheckPath: '/' }),
    render: (scope, settings) => officialValues(scope, settings, airflowVersion, generation),
    pods: (values, settings) => officialPods(values, settings, generation),
  };
}
