const COMPONENTS = ['web', 'scheduler', 'triggerer', 'flower', 'workers', 'airflow.dbMigrations', 'airflow.sync', 'airflow.kubernetesPodTemplate'];

const SERVICE_ACCOUNT = 'all pods share the service account with the IAM role; grant permissions to the construct, for example bucket.grantRead(airflow)';
const PORTS = "load balancers use this port; use 'ingress.listenerPorts' for those of the load balancer";

/** Values that a prop sets, and the prop. */
export const OWNED_VALUES: Record<string, string> = {
  'airflow.executor': 'executor',
  'workers.enabled': 'executor',
  'airflow.legacyCommands': 'chart',
  'airflow.dbMigrations.runAsJob': 'chart',
  'airflow.image.repository': 'image',
  'airflow.image.tag': 'image',
  'airflow.fernetKey': 'secrets.fernetKey',
  'airflow.webserverSecretKey': 'secrets.apiSecretKey',
  'airflow.config': 'config',
  'airflow.extraEnv': 'environment',
  'airflow.extraPipPackages': 'pipPackages',
  'airflow.kubernetesPodTemplate.extraPipPackages': 'pipPackages',
  ...Object.fromEntries(['users', 'connections', 'variables'].flatMap((list) =>
    ['', 'Templates', 'Update'].map((suffix) => [`airflow.${list}${suffix}`, list]))),
  'airflow.pools': 'pools',
  'airflow.poolsUpdate': 'pools',
  'airflow.fullnameOverride': 'namespace',
  'fullnameOverride': 'namespace',
  'nameOverride': 'namespace',
  'airflow.defaultAffinity': 'nodePools',
  'airflow.defaultTolerations': 'nodePools',
  ...Object.fromEntries(COMPONENTS.flatMap((component) => [`${component}.affinity`, `${component}.tolerations`]).map((path) => [path, 'nodePools'])),
  'web.replicas': 'apiServer.replicas',
  'scheduler.replicas': 'scheduler.replicas',
  'triggerer.replicas': 'triggerer.replicas',
  'workers.replicas': 'workers.replicas',
  'workers.autoscaling': 'workers.autoscaling',
  'workers.celery.gracefullTermination': 'workers.terminationGracePeriod',
  'workers.celery.gracefullTerminationPeriod': 'workers.terminationGracePeriod',
  'workers.terminationPeriod': 'workers.terminationGracePeriod',
  ...Object.fromEntries([
    'enabled', 'repo', 'branch', 'revision', 'depth', 'repoSubPath', 'syncWait', 'maxFailures', 'httpSecret', 'httpSecretUsernameKey', 'httpSecretPasswordKey',
    'sshSecret', 'sshSecretKey', 'sshKnownHosts',
  ].map((option) => [`dags.gitSync.${option}`, 'gitSync'])),
  'dags.path': 'gitSync',
  'logs.path': 'logs',
  'logs.persistence': 'logs',
  'scheduler.logCleanup': 'logs',
  'workers.logCleanup': 'logs',
  'postgresql': 'database',
  'pgbouncer': 'pgBouncer',
  'externalDatabase': 'database',
  'redis': 'broker',
  'externalRedis': 'broker',
  'flower.basicAuthSecret': 'secrets.flowerPassword',
  'flower.basicAuthSecretKey': 'secrets.flowerPassword',
};

/** Values without which the release does not work, and the reason with a way out. */
export const REFUSED_VALUES: Record<string, string> = {
  'airflow.dbMigrations.enabled': 'no other part migrates the database',
  'serviceAccount': SERVICE_ACCOUNT,
  'web.service.externalPort': PORTS,
  'flower.service.externalPort': PORTS,
};

/** Lists to which those of the user are appended. */
export const APPENDED_VALUES = ['extraManifests'];
