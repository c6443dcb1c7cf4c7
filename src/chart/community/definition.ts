import { communityValues } from './values';
import { AIRFLOW_REPOSITORY, COMMUNITY_AIRFLOW, COMMUNITY_CHART, COMMUNITY_PYTHON } from '../../versions';
import { ChartDefinition } from '../chart-definition';

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
    unsupportedProps: { dagProcessor: "use 'scheduler', which processes the DAGs with this chart" },
    webServiceType: 'web.service.type',
    ownedValues: OWNED_VALUES,
    ownedConfig: OWNED_CONFIG,
    webService: (name) => ({ name: `${name}-web`, port: 8080, healthCheckPath: '/health' }),
    flowerService: (name) => ({ name: `${name}-flower`, port: 5555, healthCheckPath: '/' }),
    render: communityValues,
  };
}

const OWNED_VALUES = {
  'airflow.executor': 'executor',
  'airflow.image.repository': 'image',
  'airflow.image.tag': 'image',
  'airflow.fernetKey': 'secrets.fernetKey',
  'airflow.webserverSecretKey': 'secrets.apiSecretKey',
  'airflow.extraEnv': 'environment',
  'airflow.users': 'users',
  'airflow.usersTemplates': 'users',
  'airflow.connections': 'connections',
  'airflow.connectionsTemplates': 'connections',
  'airflow.variables': 'variables',
  'airflow.variablesTemplates': 'variables',
  'airflow.fullnameOverride': 'namespace',
  'airflow.defaultAffinity': 'nodePools',
  'airflow.defaultTolerations': 'nodePools',
  'fullnameOverride': 'namespace',
  'nameOverride': 'namespace',
  'web.replicas': 'apiServer.replicas',
  'scheduler.replicas': 'scheduler.replicas',
  'triggerer.replicas': 'triggerer.replicas',
  'workers.affinity': 'nodePools',
  'workers.tolerations': 'nodePools',
  'workers.replicas': 'workers.replicas',
  'workers.autoscaling': 'workers.autoscaling',
  'dags.gitSync': 'gitSync',
  'dags.persistence.enabled': 'gitSync',
  'logs.persistence': 'persistence',
  'postgresql.existingSecret': 'secrets.databasePassword',
  'postgresql.postgresqlPassword': 'secrets.databasePassword',
  'redis.existingSecret': 'secrets.brokerPassword',
  'redis.password': 'secrets.brokerPassword',
  'flower.basicAuthSecret': 'secrets.flowerPassword',
  'externalDatabase.password': 'helmValues.externalDatabase.passwordSecret',
  'externalRedis.password': 'helmValues.externalRedis.passwordSecret',
  'serviceAccount.name': 'namespace',
  'serviceAccount.create': 'namespace',
  'ingress.enabled': 'ingress',
};

const OWNED_CONFIG = {
  AIRFLOW__CORE__EXECUTOR: 'executor',
  AIRFLOW__CORE__DAGS_FOLDER: 'gitSync.subPath',
  AIRFLOW__CORE__FERNET_KEY: 'secrets.fernetKey',
  AIRFLOW__CORE__SQL_ALCHEMY_CONN: 'secrets.databasePassword',
  AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: 'secrets.databasePassword',
  AIRFLOW__CELERY__BROKER_URL: 'secrets.brokerPassword',
  AIRFLOW__CELERY__RESULT_BACKEND: 'secrets.databasePassword',
  AIRFLOW__WEBSERVER__SECRET_KEY: 'secrets.apiSecretKey',
};
