import { generationOf } from './generation';
import { officialValues } from './values';
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
    unsupportedProps: { pipPackages: "use an 'image' that contains the packages, such as AirflowImage.fromAsset()" },
    webServiceType: `${generation.web}.service.type`,
    ownedValues: OWNED_VALUES,
    appendedValues: ['dagProcessor.extraContainers'],
    ownedConfig: { ...OWNED_CONFIG, AIRFLOW__API__SECRET_KEY: 'secrets.apiSecretKey', AIRFLOW__API_AUTH__JWT_SECRET: 'secrets.jwtSecret' },
    setsAutoscaledReplicas: false,
    workloads: [
      { id: 'Database', kind: 'StatefulSet', name: 'postgresql', enabledBy: 'postgresql.enabled' },
      { id: 'PgBouncer', kind: 'Deployment', name: 'pgbouncer', enabledBy: 'pgbouncer.enabled' },
      { id: 'Broker', kind: 'StatefulSet', name: 'redis', enabledBy: 'redis.enabled' },
      { id: 'DagProcessor', kind: 'Deployment', name: 'dag-processor', enabledBy: 'dagProcessor.enabled' },
      { id: 'ApiServer', kind: 'Deployment', name: generation.webName, enabledBy: `${generation.web}.enabled` },
      { id: 'Scheduler', kind: 'Deployment', name: 'scheduler', enabledBy: 'scheduler.enabled' },
      { id: 'Triggerer', kind: 'Deployment', name: 'triggerer', enabledBy: 'triggerer.enabled' },
      { id: 'Workers', kind: 'Deployment', name: 'worker', enabledBy: 'workers.celery.enableDefault' },
      { id: 'Flower', kind: 'Deployment', name: 'flower', enabledBy: 'flower.enabled' },
    ],
    webService: (name) => ({ name: `${name}-${generation.webName}`, port: 8080, healthCheckPath: generation.healthCheckPath }),
    flowerService: (name) => ({ name: `${name}-flower`, port: 5555, healthCheckPath: '/' }),
    render: (scope, settings) => officialValues(scope, settings, airflowVersion, generation),
  };
}

const OWNED_VALUES = {
  'executor': 'executor',
  'airflowVersion': 'chart',
  'defaultAirflowRepository': 'image',
  'defaultAirflowTag': 'image',
  'images.airflow': 'image',
  'fernetKey': 'secrets.fernetKey',
  'fernetKeySecretName': 'secrets.fernetKey',
  'apiSecretKey': 'secrets.apiSecretKey',
  'apiSecretKeySecretName': 'secrets.apiSecretKey',
  'webserverSecretKey': 'secrets.apiSecretKey',
  'webserverSecretKeySecretName': 'secrets.apiSecretKey',
  'jwtSecret': 'secrets.jwtSecret',
  'jwtSecretName': 'secrets.jwtSecret',
  'data.metadataConnection': 'helmValues.data.metadataSecretName',
  'data.brokerUrl': 'helmValues.data.brokerUrlSecretName',
  'env': 'environment',
  'extraEnv': 'environment',
  'secret': 'environmentSecrets',
  'config.core.executor': 'executor',
  'createUserJob.enabled': 'users',
  'createUserJob.defaultUser': 'users',
  'webserver.defaultUser': 'users',
  'fullnameOverride': 'namespace',
  'nameOverride': 'namespace',
  'useStandardNaming': 'namespace',
  'nodeSelector': 'nodePools',
  'tolerations': 'nodePools',
  'apiServer.replicas': 'apiServer.replicas',
  'webserver.replicas': 'apiServer.replicas',
  'scheduler.replicas': 'scheduler.replicas',
  'dagProcessor.replicas': 'dagProcessor.replicas',
  'triggerer.replicas': 'triggerer.replicas',
  'workers.celery.nodeSelector': 'nodePools',
  'workers.celery.tolerations': 'nodePools',
  'workers.celery.replicas': 'workers.replicas',
  'workers.celery.hpa': 'workers.autoscaling',
  'workers.celery.persistence': 'persistence',
  'triggerer.persistence': 'persistence',
  'workers.kubernetes.nodeSelector': 'nodePools',
  'workers.kubernetes.tolerations': 'nodePools',
  'dags.gitSync': 'gitSync',
  'dags.persistence.enabled': 'gitSync',
  'databaseCleanup.retentionDays': 'databaseCleanup.retention',
  'logs.persistence': 'persistence',
  'postgresql.auth': 'secrets.databasePassword',
  'postgresql.fullnameOverride': 'namespace',
  'redis.password': 'secrets.brokerPassword',
  'redis.passwordSecretName': 'secrets.brokerPassword',
  'flower.username': 'secrets.flowerPassword',
  'flower.password': 'secrets.flowerPassword',
  'flower.secretName': 'secrets.flowerPassword',
  'scheduler.serviceAccount.name': 'namespace',
  'ingress.enabled': 'ingress',
  'ingress.apiServer.enabled': 'ingress',
  'ingress.web.enabled': 'ingress',
};
