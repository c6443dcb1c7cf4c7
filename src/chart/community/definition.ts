import { communityValues } from './values';
import { AIRFLOW_REPOSITORY, COMMUNITY_AIRFLOW, COMMUNITY_CHART, COMMUNITY_PYTHON } from '../../versions';
import { ChartDefinition, OWNED_CONFIG } from '../chart-definition';

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
    appendedValues: ['extraManifests'],
    ownedConfig: OWNED_CONFIG,
    setsAutoscaledReplicas: true,
    workloads: [
      { id: 'Database', kind: 'StatefulSet', name: 'postgresql', enabledBy: 'postgresql.enabled' },
      { id: 'PgBouncer', kind: 'Deployment', name: 'pgbouncer', enabledBy: 'pgbouncer.enabled' },
      { id: 'Broker', kind: 'StatefulSet', name: 'redis-master', enabledBy: 'redis.enabled' },
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
  'airflow.dbMigrations.runAsJob': 'chart',
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
