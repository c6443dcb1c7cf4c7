import { Generation } from './generation';

/** The components whose pods use the nodes of the release as a whole, unless a value of their own replaces these. */
const STATELESS = ['apiServer', 'webserver', 'scheduler', 'dagProcessor', 'triggerer', 'flower', 'statsd', 'cleanup', 'databaseCleanup'];

const SERVICE_ACCOUNT = 'all pods share the service account with the IAM role; grant permissions to the construct, for example bucket.grantRead(airflow)';
const ARGUMENTS = "the API server must trust the headers of the load balancer; use 'config'";
const PORTS = "probes and load balancers use these ports; use 'ingress.listenerPorts' for those of the load balancer";

/** Values that a prop sets, and the prop. */
export const OWNED_VALUES: Record<string, string> = {
  'executor': 'executor',
  'workers.celery.enableDefault': 'executor',
  'airflowVersion': 'chart',
  'defaultAirflowRepository': 'image',
  'defaultAirflowTag': 'image',
  'defaultAirflowDigest': 'image',
  'images.airflow.repository': 'image',
  'images.airflow.tag': 'image',
  'images.airflow.digest': 'image',
  'images.pod_template': 'image',
  'fernetKey': 'secrets.fernetKey',
  'fernetKeySecretName': 'secrets.fernetKey',
  'apiSecretKey': 'secrets.apiSecretKey',
  'apiSecretKeySecretName': 'secrets.apiSecretKey',
  'webserverSecretKey': 'secrets.apiSecretKey',
  'webserverSecretKeySecretName': 'secrets.apiSecretKey',
  'jwtSecret': 'secrets.jwtSecret',
  'jwtSecretName': 'secrets.jwtSecret',
  'enableBuiltInSecretEnvVars': 'secrets',
  'data.metadataConnection': 'database',
  'data.metadataSecretName': 'database',
  'data.resultBackendConnection': 'database',
  'data.resultBackendSecretName': 'database',
  'data.brokerUrl': 'broker',
  'data.brokerUrlSecretName': 'broker',
  'postgresql': 'database',
  'pgbouncer': 'pgBouncer',
  'redis': 'broker',
  'images.redis': 'broker',
  'env': 'environment',
  'extraEnv': 'environment',
  'secret': 'environmentSecrets',
  'config': 'config',
  'createUserJob': 'users',
  'webserver.defaultUser': 'users',
  'fullnameOverride': 'namespace',
  'nameOverride': 'namespace',
  'useStandardNaming': 'namespace',
  'nodeSelector': 'nodePools',
  'tolerations': 'nodePools',
  ...Object.fromEntries([...STATELESS, 'workers', 'workers.celery', 'workers.kubernetes']
    .flatMap((component) => [`${component}.nodeSelector`, `${component}.tolerations`]).map((path) => [path, 'nodePools'])),
  'apiServer.replicas': 'apiServer.replicas',
  'webserver.replicas': 'apiServer.replicas',
  ...Object.fromEntries(['apiServer', 'webserver'].flatMap((component) => [
    [`${component}.hpa.minReplicaCount`, 'apiServer.replicas'],
    ...['enabled', 'maxReplicaCount', 'metrics'].map((option) => [`${component}.hpa.${option}`, 'apiServer.autoscaling']),
  ])),
  'scheduler.replicas': 'scheduler.replicas',
  'dagProcessor.replicas': 'dagProcessor.replicas',
  'triggerer.replicas': 'triggerer.replicas',
  'workers.replicas': 'workers.replicas',
  'workers.celery.replicas': 'workers.replicas',
  'workers.queue': 'workers.queues',
  'workers.celery.queue': 'workers.queues',
  'workers.celery.sets': 'workers.groups',
  'workers.hpa': 'workers.autoscaling',
  'workers.celery.hpa.enabled': 'workers.autoscaling',
  'workers.celery.hpa.minReplicaCount': 'workers.replicas',
  'workers.celery.hpa.maxReplicaCount': 'workers.autoscaling',
  'workers.celery.hpa.metrics': 'workers.autoscaling',
  'workers.keda': 'workers.autoscaling',
  'workers.celery.keda.enabled': 'workers.autoscaling',
  'workers.celery.keda.minReplicaCount': 'workers.replicas',
  'workers.celery.keda.maxReplicaCount': 'workers.autoscaling',
  'workers.celery.keda.pollingInterval': 'workers.autoscaling',
  'workers.celery.keda.cooldownPeriod': 'workers.autoscaling',
  'workers.terminationGracePeriodSeconds': 'workers.terminationGracePeriod',
  'workers.celery.terminationGracePeriodSeconds': 'workers.terminationGracePeriod',
  'workers.persistence': 'logs',
  'workers.celery.persistence': 'logs',
  'triggerer.persistence': 'logs',
  'logs.persistence': 'logs',
  'dagProcessor.logGroomerSidecar.retentionDays': 'logs',
  ...Object.fromEntries([
    'enabled', 'repo', 'branch', 'rev', 'ref', 'depth', 'subPath', 'period', 'wait', 'maxFailures', 'credentialsSecret', 'sshKey', 'sshKeySecret', 'knownHosts',
  ].map((option) => [`dags.gitSync.${option}`, 'gitSync'])),
  'databaseCleanup.retentionDays': 'databaseCleanup.retention',
  'flower.username': 'secrets.flowerPassword',
  'flower.password': 'secrets.flowerPassword',
  'flower.secretName': 'secrets.flowerPassword',
};

/** Values without which the release does not work, and the reason with a way out. */
export const REFUSED_VALUES: Record<string, string> = {
  'airflowHome': "the logs and the configuration are in /opt/airflow; use 'dags.mountPath' for another DAG folder",
  'apiServer.enabled': 'tasks and users need the API server',
  'webserver.enabled': 'users need the web server',
  'scheduler.enabled': 'nothing runs without the scheduler, with which the chart creates the service account',
  'dagProcessor.enabled': "the DAG processor migrates the database, and synchronizes 'users' and 'pools'",
  'dagProcessor.waitForMigrations.enabled': 'the DAG processor migrates the database in this container',
  'migrateDatabaseJob': 'the DAG processor migrates the database',
  'triggerer.keda': "KEDA is installed only for workers; use 'triggerer.replicas'",
  ...Object.fromEntries([...STATELESS.filter((component) => component !== 'statsd'), 'workers', 'workers.celery', 'workers.kubernetes']
    .map((component) => [`${component}.serviceAccount`, SERVICE_ACCOUNT])),
  'apiServer.args': ARGUMENTS,
  'apiServer.command': ARGUMENTS,
  'ports': PORTS,
  'apiServer.service.ports': PORTS,
  'webserver.service.ports': PORTS,
  'flower.service.ports': PORTS,
  ...Object.fromEntries(['resources', 'podDisruptionBudget', 'safeToEvict', 'podAnnotations', 'topologySpreadConstraints', 'logGroomerSidecar'].map((option) =>
    [`workers.${option}`, `the library sets 'workers.celery.${option}', which takes precedence; use 'helmValues.workers.celery.${option}', or 'workers.kubernetes' for task pods`])),
};

/** Lists to which those of the user are appended. */
export function appendedValues({ web }: Generation): string[] {
  return [
    'scheduler.env', 'dagProcessor.extraContainers', 'dagProcessor.waitForMigrations.env', 'dagProcessor.logGroomerSidecar.env', `${web}.env`, `${web}.networkPolicy.ingress.from`, 'flower.networkPolicy.ingress.from',
    'dags.gitSync.env', 'dags.gitSync.extraVolumeMounts', 'volumes',
  ];
}
