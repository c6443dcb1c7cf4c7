import { AirflowRole } from '../metadata';
import { NodePlacement } from '../node-pools';
import { AirflowSecret, SecretBook, SecretKeyRef } from '../secrets';
import * as versions from '../versions';
import { WorkerAutoscalingOptions } from '../workers';
import {
  AirflowSettings, ChartDefinition, escapeDollars, fernetTemplate, GIT_SYNC_REQUESTS, hasCelery, hasKubernetes, nodeLabels, overZones,
  passwordKey, privateKeyTemplate, secretName, tolerationsOf, userEnvironment, Values,
} from './settings';

/**
 * The community chart: Airflow 2.
 *
 * @see https://github.com/airflow-helm/charts/tree/main/charts/airflow
 */
export function communityChart(chartVersion = versions.COMMUNITY_CHART.version, airflowVersion = versions.COMMUNITY_AIRFLOW): ChartDefinition {
  return {
    chart: { ...versions.COMMUNITY_CHART, version: chartVersion },
    airflowVersion,
    defaultImage: { repository: versions.AIRFLOW_REPOSITORY, tag: `${airflowVersion}-${versions.COMMUNITY_PYTHON}` },
    maxNameLength: 40,
    taskApi: false,
    webService: (name) => ({ name: `${name}-web`, port: 8080, healthCheckPath: '/health' }),
    flowerService: (name) => ({ name: `${name}-flower`, port: 5555, healthCheckPath: '/' }),
    values,
    webServiceType: 'web.service.type',
    ownedValues: {
      'airflow.executor': 'executor',
      'airflow.image.repository': 'image',
      'airflow.image.tag': 'image',
      'airflow.fernetKey': 'secrets.fernetKey',
      'airflow.webserverSecretKey': 'secrets.webserverSecretKey',
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
      'workers.affinity': 'nodePools',
      'workers.tolerations': 'nodePools',
      'workers.replicas': 'workers.replicas',
      'workers.autoscaling': 'workers.autoscaling',
      'dags.gitSync': 'gitSync',
      'dags.persistence.enabled': 'gitSync',
      'logs.persistence': 'persistence',
      'postgresql.existingSecret': 'secrets.databasePassword',
      'postgresql.postgresqlPassword': 'secrets.databasePassword',
      'redis.existingSecret': 'secrets.redisPassword',
      'redis.password': 'secrets.redisPassword',
      'flower.basicAuthSecret': 'secrets.flowerPassword',
      'externalDatabase.password': 'values.externalDatabase.passwordSecret',
      'externalRedis.password': 'values.externalRedis.passwordSecret',
      'serviceAccount.name': 'namespace',
      'serviceAccount.create': 'namespace',
      'ingress.enabled': 'ingress',
    },
    ownedConfig: {
      AIRFLOW__CORE__EXECUTOR: 'executor',
      AIRFLOW__CORE__DAGS_FOLDER: 'gitSync.subPath',
      AIRFLOW__CORE__FERNET_KEY: 'secrets.fernetKey',
      AIRFLOW__CORE__SQL_ALCHEMY_CONN: 'secrets.databasePassword',
      AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: 'secrets.databasePassword',
      AIRFLOW__CELERY__BROKER_URL: 'secrets.redisPassword',
      AIRFLOW__CELERY__RESULT_BACKEND: 'secrets.databasePassword',
      AIRFLOW__WEBSERVER__SECRET_KEY: 'secrets.webserverSecretKey',
    },
  };
}

function values(settings: AirflowSettings, book: SecretBook): Values {
  const { name, executor, image, placement, workers, secrets, ingress } = settings;
  const celery = hasCelery(executor);
  const secret = (key: string): SecretKeyRef => ({ name: secretName(name), key });
  const fromSecret = (variable: string, ref: SecretKeyRef) => ({ name: variable, valueFrom: { secretKeyRef: ref } });
  const metadata = metadataValues(settings, book);
  return {
    airflow: {
      legacyCommands: false,
      image: { ...image, pullPolicy: 'IfNotPresent', uid: 50000, gid: 0 },
      executor,
      // Empty: the chart's own keys are published, and it would write them into a Secret even though the environment wins.
      fernetKey: '',
      webserverSecretKey: '',
      config: {
        AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
        AIRFLOW__WEBSERVER__EXPOSE_CONFIG: 'False',
        ...workers.defaultTaskRetries === undefined ? {} : { AIRFLOW__CORE__DEFAULT_TASK_RETRIES: `${workers.defaultTaskRetries}` },
        ...ingress ? { AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX: 'True' } : {},
        ...ingress?.url ? { AIRFLOW__WEBSERVER__BASE_URL: ingress.url } : {},
        ...settings.config,
      },
      extraEnv: [
        fromSecret('AIRFLOW__CORE__FERNET_KEY',
          book.ref('secrets.fernetKey', secret('airflow-fernet'), secrets.fernetKey, fernetTemplate)),
        fromSecret('AIRFLOW__WEBSERVER__SECRET_KEY',
          book.ref('secrets.webserverSecretKey', secret('airflow-webserver-key'), secrets.webserverSecretKey)),
        ...userEnvironment(settings, book),
      ],
      extraPipPackages: settings.pipPackages,
      ...metadata,
      defaultTolerations: tolerationsOf(placement.stateless),
      defaultAffinity: affinity(placement.stateless),
      // The group of all Airflow containers: without it, the token of the service account is readable to root only.
      defaultSecurityContext: { fsGroup: 0 },
      ...hasKubernetes(executor) ? {
        kubernetesPodTemplate: { ...onNodes(placement.workers), extraPipPackages: settings.pipPackages },
      } : {},
    },
    scheduler: twice(name, 'scheduler', settings.replicas.scheduler),
    web: {
      ...twice(name, 'web', settings.replicas.webServer),
      service: { type: ingress?.nodePort ? 'NodePort' : 'ClusterIP' },
    },
    workers: celery ? celeryWorkers(settings) : { enabled: false },
    flower: celery ? {
      enabled: true,
      ...flowerAuth(book.ref('secrets.flowerPassword', secret('flower-basic-auth'), secrets.flowerPassword!, (password) => `airflow:{{ .${password} }}`)),
    } : { enabled: false },
    logs: {
      path: '/opt/airflow/efs/logs',
      persistence: { enabled: true, existingClaim: settings.claims.logs, accessMode: 'ReadWriteMany' },
    },
    dags: { path: '/opt/airflow/efs/dags', persistence: { enabled: false }, gitSync: gitSync(settings, book) },
    pgbouncer: { enabled: true, ...onNodes(placement.database), podDisruptionBudget: { enabled: false } },
    postgresql: {
      enabled: true,
      image: versions.COMMUNITY_POSTGRESQL_IMAGE,
      postgresqlDatabase: 'airflow',
      postgresqlUsername: 'postgres',
      postgresqlPassword: '',
      ...postgresqlAuth(book.fixed('secrets.databasePassword', secret('postgresql-password'), secrets.databasePassword)),
      persistence: { enabled: true, existingClaim: settings.claims.database },
      volumePermissions: { enabled: false }, // an access point refuses to change owners, and already is the right one
      master: { ...onNodes(placement.database), podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' } },
    },
    redis: celery ? {
      enabled: true,
      image: versions.REDIS_IMAGE,
      password: '',
      ...redisAuth(book.ref('secrets.redisPassword', secret('redis-password'), secrets.redisPassword!)),
      master: { ...onNodes(placement.database), command: '' }, // the chart's own command exists in Bitnami's images only
    } : { enabled: false },
    serviceAccount: { create: true, name, annotations: { 'eks.amazonaws.com/role-arn': settings.serviceAccountRoleArn } },
    ingress: { enabled: false },
    ...workers.autoscaling && celery ? { extraManifests: [autoscaler(settings, workers.autoscaling)] } : {},
  };
}

function affinity(placement: NodePlacement): Values {
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{
          matchExpressions: Object.entries(nodeLabels(placement)).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
        }],
      },
    },
  };
}

function onNodes(placement: NodePlacement): Values {
  return { affinity: affinity(placement), tolerations: tolerationsOf(placement) };
}

/** A component of which one pod must survive the loss of a node, or of a zone. */
function twice(name: string, component: string, replicas: number): Values {
  return {
    replicas,
    ...component === 'scheduler' ? { logCleanup: { enabled: false } } : {}, // the chart refuses it where logs are on a volume
    podDisruptionBudget: { enabled: replicas > 1, maxUnavailable: 1, minAvailable: '' },
    topologySpreadConstraints: overZones({ app: 'airflow', component, release: name }),
  };
}

function celeryWorkers({ name, placement, workers }: AirflowSettings): Values {
  const cleanUpSeconds = 60;
  return {
    enabled: true,
    // A number that an autoscaler owns must not be ours too: server-side apply refuses it, and helm 3 would put it back at each upgrade.
    replicas: workers.autoscaling ? null : workers.replicas,
    resources: { requests: workers.requests },
    ...onNodes(placement.workers),
    topologySpreadConstraints: overZones({ app: 'airflow', component: 'worker', release: name }),
    podDisruptionBudget: { enabled: true, maxUnavailable: '20%', minAvailable: '' },
    safeToEvict: false,
    celery: { gracefullTermination: true, gracefullTerminationPeriod: workers.terminationGraceSeconds - cleanUpSeconds },
    terminationPeriod: cleanUpSeconds,
    logCleanup: { enabled: false },
    autoscaling: { enabled: false },
  };
}

/**
 * The chart would take its lowest number from the value that has to be empty here.
 */
function autoscaler({ name, workers }: AirflowSettings, { maxReplicas, targetMemoryPercent }: Required<WorkerAutoscalingOptions>): Values {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: `${name}-worker`, labels: { app: 'airflow', component: 'worker', release: name } },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: `${name}-worker` },
      minReplicas: workers.replicas,
      maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: targetMemoryPercent } } }],
    },
  };
}

function flowerAuth({ name, key }: SecretKeyRef): Values {
  return { basicAuthSecret: name, basicAuthSecretKey: key };
}

function postgresqlAuth({ name, key }: SecretKeyRef): Values {
  return { existingSecret: name, existingSecretKey: key };
}

function redisAuth({ name, key }: SecretKeyRef): Values {
  return { existingSecret: name, existingSecretPasswordKey: key };
}

function gitSync({ name, gitSync: git }: AirflowSettings, book: SecretBook): Values {
  if (!git) {
    return { enabled: false };
  }
  const { registry, repository, tag } = versions.GIT_SYNC_IMAGE;
  const httpSecret = `${name}-http-git-secret`;
  const ssh = git.ssh && book.ref('gitSync.auth.privateKey', { name: `${name}-ssh-git-secret`, key: 'id_rsa' }, git.ssh.privateKey, privateKeyTemplate);
  const username = git.http && book.ref('gitSync.auth.username', { name: httpSecret, key: 'username' }, git.http.username);
  const password = git.http && book.ref('gitSync.auth.password', { name: httpSecret, key: 'password' }, git.http.password);
  if (username && password) {
    book.checkTogether({ 'gitSync.auth.username': username, 'gitSync.auth.password': password });
  }
  return {
    enabled: true,
    image: { repository: `${registry}/${repository}`, tag },
    repo: git.repository,
    branch: git.branch,
    revision: git.revision,
    depth: git.depth,
    repoSubPath: git.subPath,
    syncWait: git.periodSeconds,
    maxFailures: -1, // else the first failure of the network stops the container, and the pod with it
    resources: { requests: GIT_SYNC_REQUESTS },
    ...ssh ? { sshSecret: ssh.name, sshSecretKey: ssh.key, sshKnownHosts: git.ssh!.knownHosts } : {},
    ...username ? { httpSecret: username.name, httpSecretUsernameKey: username.key, httpSecretPasswordKey: password!.key } : {},
  };
}

/**
 * Users, connections, variables and pools, which the chart keeps in step with these lists.
 *
 * Text of secrets stands in them as `${NAME}`, and each NAME is a file that the chart's pods read.
 */
function metadataValues({ name, users, connections, variables, pools, secrets }: AirflowSettings, book: SecretBook): Values {
  const template = (ref: SecretKeyRef) => ({ kind: 'secret', ...ref });
  const identifier = (...parts: string[]) => parts.join('_').toUpperCase().replace(/[^A-Z0-9_]/g, '_');
  const usersTemplates: Values = {};
  const connectionsTemplates: Values = {};
  const variablesTemplates: Values = {};
  const reference = (templates: Values, wanted: string, ref: SecretKeyRef) => {
    const id = unused(wanted, templates);
    templates[id] = template(ref);
    return `\${${id}}`;
  };
  const secret = (prop: string, key: string, value: AirflowSecret) => book.ref(prop, { name: secretName(name), key }, value);

  const userValues = users.map((user) => ({
    username: user.username,
    password: reference(usersTemplates, identifier(user.username, 'PASSWORD'),
      secret(`users.${user.username}.password`, passwordKey(user.username), user.password ?? secrets.passwords[user.username])),
    role: (user.role ?? AirflowRole.VIEWER).name,
    email: user.email,
    firstName: user.firstName ?? user.username,
    lastName: user.lastName ?? user.username,
  }));
  const connectionValues = connections.map((connection) => {
    const part = (field: string, value?: AirflowSecret) => value && reference(connectionsTemplates, identifier(connection.id, field),
      secret(`connections.${connection.id}.${field}`, `connection-${connection.id}-${field}`, value));
    return {
      id: connection.id,
      type: connection.type,
      description: connection.description,
      host: connection.host,
      port: connection.port,
      schema: connection.schema,
      login: part('login', connection.loginSecret) ?? connection.login,
      password: part('password', connection.password),
      extra: part('extra', connection.extraSecret) ?? connection.extra,
    };
  });
  const variableValues = variables.map((variable) => ({
    key: variable.key,
    value: variable.secret
      ? reference(variablesTemplates, identifier(variable.key), secret(`variables.${variable.key}`, `variable-${variable.key}`, variable.secret))
      : variable.value,
  }));
  return {
    users: escape(userValues, usersTemplates, ['email', 'firstName', 'lastName']),
    usersTemplates,
    usersUpdate: true,
    connections: escape(connectionValues, connectionsTemplates, ['host', 'login', 'schema', 'extra']),
    connectionsTemplates,
    connectionsUpdate: true,
    variables: escape(variableValues, variablesTemplates, ['value']),
    variablesTemplates,
    variablesUpdate: true,
    pools: pools.map(({ name: pool, slots, description }) => ({ name: pool, slots, description: description ?? pool })),
    poolsUpdate: true,
  };
}

/** `my-db` and `my_db` are two connections, but one identifier. */
function unused(id: string, templates: Values): string {
  return id in templates ? unused(`${id}_`, templates) : id;
}

/** Where a list has templates, the chart reads `$` in plain text as the start of one, and `$$` as `$`. */
function escape(list: Values[], templates: Values, fields: string[]): Values[] {
  const references = new Set(Object.keys(templates).map((id) => `\${${id}}`));
  if (references.size === 0) {
    return list;
  }
  return list.map((item) => Object.fromEntries(Object.entries(item).map(([field, text]) =>
    [field, fields.includes(field) && typeof text === 'string' && !references.has(text) ? escapeDollars(text) : text])));
}
