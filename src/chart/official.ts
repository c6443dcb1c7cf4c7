import { Tokenization } from 'aws-cdk-lib';
import { fail } from '../errors';
import { AirflowConnection, AirflowRole } from '../metadata';
import { NodePlacement } from '../node-pools';
import { AirflowSecret, SecretBook, SecretKeyRef } from '../secrets';
import * as versions from '../versions';
import {
  AirflowExecutor, AirflowSettings, ChartDefinition, EnvVar, escapeDollars, fernetTemplate, GIT_SYNC_REQUESTS, hasCelery, nodeLabels,
  overZones, passwordKey, privateKeyTemplate, secretName, tolerationsOf, userEnvironment, Values,
} from './settings';

/**
 * The official chart: Airflow 3, and 2.11.
 *
 * @see https://airflow.apache.org/docs/helm-chart/stable/index.html
 */
export function officialChart(chartVersion = versions.OFFICIAL_CHART.version, airflowVersion = versions.OFFICIAL_AIRFLOW): ChartDefinition {
  const airflow3 = !airflowVersion.startsWith('2.');
  return {
    chart: { ...versions.OFFICIAL_CHART, version: chartVersion },
    airflowVersion,
    defaultImage: { repository: versions.AIRFLOW_REPOSITORY, tag: airflowVersion },
    maxNameLength: 40,
    taskApi: airflow3,
    webService: (name) => airflow3
      ? { name: `${name}-api-server`, port: 8080, healthCheckPath: '/api/v2/monitor/health' }
      : { name: `${name}-webserver`, port: 8080, healthCheckPath: '/health' },
    flowerService: (name) => ({ name: `${name}-flower`, port: 5555, healthCheckPath: '/' }),
    values: (settings, book) => values(settings, book, airflowVersion),
    webServiceType: airflow3 ? 'apiServer.service.type' : 'webserver.service.type',
    ownedValues: {
      'executor': 'executor',
      'airflowVersion': "the option 'airflowVersion' of AirflowChart.official()",
      'defaultAirflowRepository': 'image',
      'defaultAirflowTag': 'image',
      'images.airflow': 'image',
      'fernetKey': 'secrets.fernetKey',
      'fernetKeySecretName': 'secrets.fernetKey',
      'apiSecretKey': 'secrets.webserverSecretKey',
      'apiSecretKeySecretName': 'secrets.webserverSecretKey',
      'webserverSecretKey': 'secrets.webserverSecretKey',
      'webserverSecretKeySecretName': 'secrets.webserverSecretKey',
      'jwtSecret': 'secrets.jwtSecret',
      'jwtSecretName': 'secrets.jwtSecret',
      'data.metadataConnection': 'a Kubernetes Secret in values.data.metadataSecretName',
      'data.brokerUrl': 'a Kubernetes Secret in values.data.brokerUrlSecretName',
      'env': 'environment',
      'extraEnv': 'environment',
      'secret': 'extraSecrets',
      'config.core.executor': 'executor',
      'createUserJob.enabled': 'users',
      'createUserJob.defaultUser': 'users',
      'webserver.defaultUser': 'users',
      'fullnameOverride': 'namespace',
      'nameOverride': 'namespace',
      'useStandardNaming': 'namespace',
      'nodeSelector': 'nodePools',
      'tolerations': 'nodePools',
      'workers.celery.nodeSelector': 'nodePools',
      'workers.celery.tolerations': 'nodePools',
      'workers.celery.replicas': 'workers.replicas',
      'workers.celery.hpa': 'workers.autoscaling',
      'workers.kubernetes.nodeSelector': 'nodePools',
      'workers.kubernetes.tolerations': 'nodePools',
      'dags.gitSync': 'gitSync',
      'dags.persistence.enabled': 'gitSync',
      'logs.persistence': 'persistence',
      'postgresql.auth': 'secrets.databasePassword',
      'postgresql.fullnameOverride': 'namespace',
      'redis.password': 'secrets.redisPassword',
      'redis.passwordSecretName': 'secrets.redisPassword',
      'flower.username': 'secrets.flowerPassword',
      'flower.password': 'secrets.flowerPassword',
      'flower.secretName': 'secrets.flowerPassword',
      'scheduler.serviceAccount.name': 'namespace',
      'ingress.enabled': 'ingress',
      'ingress.apiServer.enabled': 'ingress',
      'ingress.web.enabled': 'ingress',
    },
    ownedConfig: {
      AIRFLOW__CORE__EXECUTOR: 'executor',
      AIRFLOW__CORE__DAGS_FOLDER: 'gitSync.subPath',
      AIRFLOW__CORE__FERNET_KEY: 'secrets.fernetKey',
      AIRFLOW__CORE__SQL_ALCHEMY_CONN: 'secrets.databasePassword',
      AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: 'secrets.databasePassword',
      AIRFLOW__CELERY__BROKER_URL: 'secrets.redisPassword',
      AIRFLOW__CELERY__RESULT_BACKEND: 'secrets.databasePassword',
      AIRFLOW__API__SECRET_KEY: 'secrets.webserverSecretKey',
      AIRFLOW__API_AUTH__JWT_SECRET: 'secrets.jwtSecret',
      AIRFLOW__WEBSERVER__SECRET_KEY: 'secrets.webserverSecretKey',
    },
  };
}

const PGBOUNCER_PORT = 6543;

function values(settings: AirflowSettings, book: SecretBook, airflowVersion: string): Values {
  check(settings, book);
  const { name, executor, image, placement, replicas, workers, secrets, ingress } = settings;
  const airflow3 = !airflowVersion.startsWith('2.');
  const celery = hasCelery(executor);
  const keys = keyRefs(settings, book, airflow3);
  const database = databaseRefs(settings, book);
  const environment = environmentOf(settings, book, airflow3, Object.keys(keys));
  const serviceAccount = { create: false, name };
  const noGroomer = { logGroomerSidecar: { enabled: false } };
  const baseUrl = settings.config[baseUrlVariable(airflow3)] ?? ingress?.url;
  return {
    airflowVersion,
    defaultAirflowRepository: image.repository,
    defaultAirflowTag: image.tag,
    images: {
      migrationsWaitTimeout: 300, // on new nodes, with a database that is new too
      redis: imageOf(versions.REDIS_IMAGE),
      gitSync: imageOf(versions.GIT_SYNC_IMAGE),
    },
    executor: airflow3 && executor === AirflowExecutor.CELERY_KUBERNETES ? 'CeleryExecutor,KubernetesExecutor' : executor,
    // For all pods that say nothing else. Not by affinity: any would take away the chart's own, which keeps replicas apart.
    ...onNodes(placement.stateless),

    // The chart would make new keys at each upgrade, or once per installation: sessions, tasks and a kept database would be lost.
    fernetKeySecretName: keys.AIRFLOW__CORE__FERNET_KEY.name,
    ...airflow3
      ? { apiSecretKeySecretName: keys.AIRFLOW__API__SECRET_KEY.name, jwtSecretName: keys.AIRFLOW__API_AUTH__JWT_SECRET.name }
      : { webserverSecretKeySecretName: keys.AIRFLOW__WEBSERVER__SECRET_KEY.name },
    data: { metadataSecretName: database.connection.name, brokerUrlSecretName: `${name}-broker-url` },
    extraEnv: environment.map((variable) => `- ${verbatim(JSON.stringify(variable))}`).join('\n'),
    config: {
      ...workers.defaultTaskRetries === undefined ? {} : { core: { default_task_retries: workers.defaultTaskRetries } },
      ...baseUrl === undefined ? {} : { [airflow3 ? 'api' : 'webserver']: { base_url: baseUrl } }, // the chart looks for its path there
    },

    // A job cannot be changed: an upgrade soon after another would fail, and so would the way back from a bad image. The DAG
    // processor does their work instead: it runs once, and nobody waits for it.
    migrateDatabaseJob: { enabled: false, useHelmHooks: false, serviceAccount },
    createUserJob: { enabled: false, useHelmHooks: false, serviceAccount },
    dagProcessor: {
      enabled: true,
      serviceAccount,
      waitForMigrations: { env: [{ name: '_AIRFLOW_DB_MIGRATE', value: 'true' }] },
      extraContainers: usersAndPools(settings, book, environment, keys),
      logGroomerSidecar: { enabled: true }, // one for all, on the volume of all
    },
    scheduler: {
      ...twice(name, 'scheduler', replicas.scheduler),
      serviceAccount: { create: true, name, annotations: { 'eks.amazonaws.com/role-arn': settings.serviceAccountRoleArn } },
      ...noGroomer,
    },
    [airflow3 ? 'apiServer' : 'webserver']: {
      ...twice(name, airflow3 ? 'api-server' : 'webserver', replicas.webServer),
      serviceAccount,
      service: { type: ingress?.nodePort ? 'NodePort' : 'ClusterIP' },
      // Behind the load balancer: believe what it says of scheme and host. Airflow 2 does so by the chart's configuration.
      ...ingress && airflow3 ? {
        args: ['bash', '-c', 'exec airflow api-server --proxy-headers'],
        env: [{ name: 'FORWARDED_ALLOW_IPS', value: '*' }],
      } : {},
    },
    triggerer: { serviceAccount, persistence: { enabled: false }, ...noGroomer },
    workers: {
      serviceAccount, // of both, and in the only place that the chart's role bindings look at
      celery: { ...celeryWorkers(settings), ...noGroomer },
      kubernetes: onNodes(placement.workers),
    },
    flower: {
      serviceAccount,
      ...celery ? {
        enabled: true,
        secretName: book.fixed('secrets.flowerPassword', { name: `${name}-flower`, key: 'basicAuth' }, secrets.flowerPassword!,
          (password) => `airflow:{{ .${password} }}`).name,
      } : { enabled: false },
    },
    cleanup: { serviceAccount },
    databaseCleanup: { serviceAccount },
    statsd: { enabled: true },
    logs: { persistence: { enabled: true, existingClaim: settings.claims.logs } },
    dags: { persistence: { enabled: false }, gitSync: gitSync(settings, book) },
    pgbouncer: {
      enabled: true,
      ...onNodes(placement.database),
      configSecretName: database.pgbouncerConfig.name,
      metricsExporterSidecar: { statsSecretName: database.pgbouncerStats.name },
    },
    postgresql: {
      enabled: true,
      fullnameOverride: databaseHost(name),
      image: versions.OFFICIAL_POSTGRESQL_IMAGE,
      auth: {
        enablePostgresUser: true,
        postgresPassword: '',
        database: 'airflow',
        existingSecret: database.password.name,
        secretKeys: { adminPasswordKey: database.password.key },
      },
      primary: {
        ...onNodes(placement.database),
        persistence: { enabled: true, existingClaim: settings.claims.database },
        podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' },
      },
      volumePermissions: { enabled: false }, // an access point refuses to change owners, and already is the right one
    },
    redis: celery ? {
      enabled: true,
      ...onNodes(placement.database),
      passwordSecretName: redis(settings, book).name,
      persistence: { enabled: false }, // else it waits for a storage class, which new clusters do not have
      securityContexts: { pod: { runAsUser: 999, runAsGroup: 999, fsGroup: 999 } }, // the image's own user instead of root
    } : { enabled: false },
  };
}

/** What this chart, or the Airflow that it runs, does not have. */
function check({ pipPackages, config, users }: AirflowSettings, { scope }: SecretBook): void {
  if (pipPackages.length > 0) {
    fail(scope, `'pipPackages' is nothing that the official chart can install, got '${pipPackages.join("', '")}';`
      + " use an 'image' that has them, such as AirflowImage.fromAsset()");
  }
  const authManager = config.AIRFLOW__CORE__AUTH_MANAGER;
  if (authManager !== undefined && !authManager.endsWith('FabAuthManager') && users.length > 0) {
    fail(scope, `'users' must be empty with an auth manager of your own, which has its users elsewhere, got '${authManager}'; use users: []`);
  }
  for (const { username, email } of users) {
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) {
      fail(scope, `'users.${username}.email' must be an address with a full domain name, or Airflow refuses it, got '${email}'`);
    }
  }
}

function imageOf({ registry, repository, tag }: versions.ImageVersion): Values {
  return { repository: `${registry}/${repository}`, tag };
}

function onNodes(placement: NodePlacement): Values {
  return {
    nodeSelector: nodeLabels(placement),
    tolerations: tolerationsOf(placement),
  };
}

/** A component of which one pod must survive the loss of a node, or of a zone. */
function twice(name: string, component: string, replicas: number): Values {
  return {
    replicas,
    podDisruptionBudget: { enabled: replicas > 1, config: { maxUnavailable: 1 } },
    topologySpreadConstraints: overZones({ tier: 'airflow', component, release: name }),
  };
}

function celeryWorkers({ name, executor, placement, workers }: AirflowSettings): Values {
  const { autoscaling } = workers;
  return {
    replicas: workers.replicas,
    resources: { requests: workers.requests },
    ...onNodes(placement.workers),
    topologySpreadConstraints: overZones({ tier: 'airflow', component: 'worker', release: name }),
    podDisruptionBudget: { enabled: hasCelery(executor), config: { maxUnavailable: '20%' } },
    safeToEvict: false,
    terminationGracePeriodSeconds: workers.terminationGraceSeconds,
    // A Deployment: new workers start while old ones finish their tasks. A StatefulSet would wait for one after the other, longer than helm does.
    persistence: { enabled: false },
    hpa: autoscaling ? {
      enabled: true,
      minReplicaCount: workers.replicas,
      maxReplicaCount: autoscaling.maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: autoscaling.targetMemoryPercent } } }],
    } : { enabled: false },
  };
}

function gitSync({ name, gitSync: git }: AirflowSettings, book: SecretBook): Values {
  if (!git) {
    return { enabled: false };
  }
  const { ssh, http } = git;
  const credentialsSecret = `${name}-http-git-secret`;
  if (http) {
    // The variables of git-sync's third and fourth generation: the chart wants both.
    for (const prefix of ['GIT_SYNC', 'GITSYNC']) {
      compose(book, 'gitSync.auth.username', { name: credentialsSecret, key: `${prefix}_USERNAME` }, http.username, (user) => `{{ .${user} }}`);
      compose(book, 'gitSync.auth.password', { name: credentialsSecret, key: `${prefix}_PASSWORD` }, http.password, (token) => `{{ .${token} }}`);
    }
  }
  return {
    enabled: true,
    repo: git.repository,
    // The chart sets the variables of both generations, and the old ones win: with a branch, or without one for `ref`.
    branch: git.branch,
    rev: git.branch ? 'HEAD' : '',
    ref: git.branch || git.revision,
    depth: git.depth,
    subPath: git.subPath,
    period: `${git.periodSeconds}s`,
    maxFailures: -1, // else the first failure of the network stops the container, and the pod with it
    resources: { requests: GIT_SYNC_REQUESTS },
    startupProbe: { failureThreshold: 60 }, // five minutes for the clone of a large repository
    ...ssh ? {
      sshKeySecret: book.fixed('gitSync.auth.privateKey', { name: `${name}-ssh-git-secret`, key: 'gitSshKey' }, ssh.privateKey, privateKeyTemplate).name,
      knownHosts: ssh.knownHosts,
    } : {},
    ...http ? { credentialsSecret } : {},
  };
}

/** The keys, by the variable that Airflow reads each from. */
function keyRefs({ name, secrets }: AirflowSettings, book: SecretBook, airflow3: boolean): Record<string, SecretKeyRef> {
  const ref = (prop: string, key: string, secret: AirflowSecret, template?: (variable: string) => string) =>
    book.fixed(`secrets.${prop}`, { name: `${name}-${key}`, key }, secret, template);
  return {
    AIRFLOW__CORE__FERNET_KEY: ref('fernetKey', 'fernet-key', secrets.fernetKey, fernetTemplate),
    ...airflow3 ? {
      AIRFLOW__API__SECRET_KEY: ref('webserverSecretKey', 'api-secret-key', secrets.webserverSecretKey),
      AIRFLOW__API_AUTH__JWT_SECRET: ref('jwtSecret', 'jwt-secret', secrets.jwtSecret!),
    } : {
      AIRFLOW__WEBSERVER__SECRET_KEY: ref('webserverSecretKey', 'webserver-secret-key', secrets.webserverSecretKey),
    },
  };
}

/** One key made of one secret, in a place that only the operator can write. */
function compose(book: SecretBook, prop: string, target: SecretKeyRef, secret: AirflowSecret, template: (variable: string) => string): SecretKeyRef {
  return book.composed(target, { [prop]: secret }, (variables) => template(variables[prop]));
}

/** A variable of the operator's templates, as a part of a URL. */
function inUrl(variable: string): string {
  return `{{ .${variable} | urlquery | replace "+" "%20" }}`;
}

function databaseHost(name: string): string {
  return `${name}-postgresql`;
}

/**
 * The password of the database, and all that it is a part of.
 *
 * No `sslmode` in Airflow's connection: pgbouncer speaks plain text, which clients find out, and not all of them know the word.
 */
function databaseRefs({ name, secrets }: AirflowSettings, book: SecretBook): Record<'password' | 'connection' | 'pgbouncerConfig' | 'pgbouncerStats', SecretKeyRef> {
  const prop = 'secrets.databasePassword';
  const password = secrets.databasePassword;
  const composed = (secret: string, key: string, template: (variable: string) => string) =>
    compose(book, prop, { name: `${name}-${secret}`, key }, password, template);
  const url = (variable: string, address: string) => `postgresql://postgres:${inUrl(variable)}@${address}`;
  composed('pgbouncer-config', 'users.txt', (variable) => `"postgres" "{{ .${variable} | replace "\\"" "\\"\\"" }}"\n`);
  return {
    connection: composed('metadata', 'connection', (variable) => url(variable, `${name}-pgbouncer.${name}:${PGBOUNCER_PORT}/${name}-metadata`)),
    pgbouncerConfig: composed('pgbouncer-config', 'pgbouncer.ini', () => pgbouncerIni(name)),
    pgbouncerStats: composed('pgbouncer-stats', 'connection', (variable) => url(variable, `127.0.0.1:${PGBOUNCER_PORT}/pgbouncer?sslmode=disable`)),
    password: book.ref(prop, { name: databaseHost(name), key: 'postgres-password' }, password),
  };
}

/** The chart's own, for more clients than its 100: each task of Airflow 2 is one. */
function pgbouncerIni(name: string): string {
  return `[databases]
${name}-metadata = host=${databaseHost(name)}.${name} port=5432 dbname=airflow pool_size=20

[pgbouncer]
listen_addr = *
listen_port = ${PGBOUNCER_PORT}
pool_mode = transaction
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/users.txt
stats_users = postgres
ignore_startup_parameters = extra_float_digits
max_client_conn = 1000
max_prepared_statements = 200
server_tls_sslmode = prefer
server_tls_ciphers = normal
`;
}

function redis({ name, secrets }: AirflowSettings, book: SecretBook): SecretKeyRef {
  const prop = 'secrets.redisPassword';
  compose(book, prop, { name: `${name}-broker-url`, key: 'connection' }, secrets.redisPassword!,
    (variable) => `redis://:${inUrl(variable)}@${name}-redis:6379/0`);
  return book.fixed(prop, { name: `${name}-redis-password`, key: 'password' }, secrets.redisPassword!);
}

function baseUrlVariable(airflow3: boolean): string {
  return airflow3 ? 'AIRFLOW__API__BASE_URL' : 'AIRFLOW__WEBSERVER__BASE_URL';
}

/** The chart expands templates in most of its values; this text is not one. */
function verbatim(text: string): string {
  return text.replace(/\{\{/g, '{{`{{`}}');
}

/** Kubernetes expands `$(NAME)` in variables and arguments; this text is to arrive as it is. */
function envVar(name: string, text: string): EnvVar {
  return { name, value: escapeDollars(text) };
}

function fromSecret(name: string, secretKeyRef: SecretKeyRef): EnvVar {
  return { name, valueFrom: { secretKeyRef } };
}

/** One word of a shell's command. */
function quoted(text: string): string {
  return escapeDollars(`'${text.replace(/'/g, "'\\''")}'`);
}

/** Variables of all Airflow containers: the user's, options, and what this chart does not write into the database. */
function environmentOf(settings: AirflowSettings, book: SecretBook, airflow3: boolean, builtIn: string[]): EnvVar[] {
  const environment = [
    ...userEnvironment(settings, book),
    ...Object.entries(settings.config).filter(([name]) => name !== baseUrlVariable(airflow3)).map(([name, value]) => envVar(name, value)),
    ...settings.connections.map((connection) => connectionVariable(settings.name, connection, book)),
    ...settings.variables.map(({ key, value, secret }) => {
      const name = `AIRFLOW_VAR_${key.toUpperCase()}`;
      return secret
        ? fromSecret(name, book.ref(`variables.${key}`, { name: secretName(settings.name), key: `variable-${key}` }, secret))
        : envVar(name, value!);
    }),
  ];
  const names = ['AIRFLOW_HOME', 'AIRFLOW_CONN_AIRFLOW_DB', ...builtIn, ...environment.map(({ name }) => name)];
  const twofold = names.find((name, index) => names.indexOf(name) !== index);
  if (twofold) {
    fail(book.scope, `'connections', 'variables', 'extraSecrets', 'environment' and 'config' must make each environment variable once, got '${twofold}' twice;`
      + ' upper and lower case are the same there');
  }
  return environment;
}

/** A connection as JSON, which the operator puts secrets into: none of them has to be safe in a URL. */
function connectionVariable(release: string, connection: AirflowConnection, book: SecretBook): EnvVar {
  const { id, type, description, host, port, schema, login, extra, loginSecret, password, extraSecret } = connection;
  const given = <T>(fields: Record<string, T | undefined>) => Object.entries(fields).filter((field): field is [string, T] => field[1] !== undefined);
  const plain = [
    ...given({ conn_type: type, description, host, schema, login, extra }).map(([field, text]) => `"${field}":${JSON.stringify(text)}`),
    ...port === undefined ? [] : [`"port":${Tokenization.stringifyNumber(port)}`],
  ];
  const secrets = given({ login: loginSecret, password, extra: extraSecret });
  const name = `AIRFLOW_CONN_${id.toUpperCase()}`;
  if (secrets.length === 0) {
    return envVar(name, `{${plain.join()}}`);
  }
  const prop = (field: string) => `connections.${id}.${field}`;
  return fromSecret(name, book.composed(
    { name: secretName(release), key: `connection-${id}` },
    Object.fromEntries(secrets.map(([field, secret]) => [prop(field), secret])),
    (variables) => `{${[...plain.map(verbatim), ...secrets.map(([field]) => `"${field}":{{ .${variables[prop(field)]} | toJson }}`)].join()}}`,
  ));
}

/**
 * The container that keeps users and pools in step with these lists, beside the DAG processor, which runs on where that fails.
 *
 * It is ready when all is done, and helm waits for it. Users who exist get the roles, names and passwords of the list.
 */
function usersAndPools(settings: AirflowSettings, book: SecretBook, environment: EnvVar[], keys: Record<string, SecretKeyRef>): Values[] {
  const { name, image, pools, secrets } = settings;
  const users = settings.users.map(({ username, email, role, firstName, lastName, password }, index) => ({
    account: { username, email, firstname: firstName ?? username, lastname: lastName ?? username, roles: [(role ?? AirflowRole.VIEWER).name] },
    passwordVariable: `SYNC_PASSWORD_${index}`,
    passwordRef: book.ref(`users.${username}.password`, { name: secretName(name), key: passwordKey(username) }, password ?? secrets.passwords[username]),
  }));
  if (users.length === 0 && pools.length === 0) {
    return [];
  }
  const limits = Object.fromEntries(pools.map(({ name: pool, slots, description }) => [pool, { slots, description: description ?? '', include_deferred: false }]));
  const script = [
    'set -euo pipefail',
    // Leaves those who exist as they are. The import would make new users too, but with an empty password.
    ...users.map(({ account: { username, email, firstname, lastname, roles }, passwordVariable }) =>
      `airflow users create --username=${quoted(username)} --email=${quoted(email)} --firstname=${quoted(firstname)} --lastname=${quoted(lastname)}`
      + ` --role=${quoted(roles[0])} --password="$${passwordVariable}"`),
    ...users.length > 0 ? ['echo "$SYNC_USERS" > /tmp/users.json', 'airflow users import /tmp/users.json'] : [],
    ...users.map(({ account, passwordVariable }) => `airflow users reset-password --username=${quoted(account.username)} --password="$${passwordVariable}"`),
    ...pools.length > 0 ? ['echo "$SYNC_POOLS" > /tmp/pools.json', 'airflow pools import /tmp/pools.json'] : [],
    'touch /tmp/done',
    'exec sleep infinity',
  ].join('\n');
  const variables = [
    ...environment,
    ...Object.entries(keys).map(([key, ref]) => fromSecret(key, ref)),
    envVar('SYNC_USERS', JSON.stringify(users.map(({ account }) => account))),
    envVar('SYNC_POOLS', JSON.stringify(limits)),
    ...users.map(({ passwordVariable, passwordRef }) => fromSecret(passwordVariable, passwordRef)),
  ];
  return [{
    name: 'users-and-pools',
    image: `${image.repository}:${image.tag}`,
    args: ['bash', '-c', verbatim(script)],
    env: [
      ...variables.map(({ value, ...rest }) => value === undefined ? rest : { ...rest, value: verbatim(value) }),
      fromSecret('AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', { name: '{{ include "airflow_metadata_secret" . }}', key: 'connection' }),
    ],
    readinessProbe: { exec: { command: ['test', '-f', '/tmp/done'] }, periodSeconds: 5 },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: 'config', mountPath: '/opt/airflow/airflow.cfg', subPath: 'airflow.cfg', readOnly: true }],
  }];
}
