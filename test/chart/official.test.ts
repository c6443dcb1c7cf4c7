import { execFileSync } from 'child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import Ajv from 'ajv';
import { Fn, Stack, Token } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as YAML from 'yaml';
import { expand, inContainer, writtenSecrets } from './templates';
import {
  AirflowChart, AirflowExecutor, AirflowImage, AirflowOnEksProps, AirflowRole, AirflowSecret, AlbIngressTargetType, GitAuth, KnownHosts,
} from '../../src';
import { CHARTS, Json, objectsOf, synthAirflow, valuesOf } from '../util';

type Props = Partial<AirflowOnEksProps>;

function official(props: Props | ((stack: Stack) => Props) = {}, airflowVersion?: string) {
  return synthAirflow((stack) => ({ chart: AirflowChart.official({ airflowVersion }), ...typeof props === 'function' ? props(stack) : props }));
}

function valuesWith(props: Props | ((stack: Stack) => Props) = {}, airflowVersion?: string): Json {
  return valuesOf(official(props, airflowVersion).template);
}

const remote = (stack: Stack, name: string, field?: string) =>
  AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, `${name}${field ?? ''}`, name), field);

const ssh = (stack: Stack) => ({
  repository: 'git@git.example.com:data/dags.git',
  subPath: 'dags',
  auth: GitAuth.ssh({ privateKey: remote(stack, 'key'), knownHosts: KnownHosts.of('git.example.com ssh-ed25519 AAAA') }),
});

/** The variables of all containers, as the chart reads them. */
function environmentOf(values: Json): Json {
  const variables: Json[] = YAML.parse(expand({ text: values.extraEnv }).text) ?? [];
  return Object.fromEntries(variables.map(({ name, value, valueFrom }) => [name, valueFrom?.secretKeyRef ?? inContainer(value)]));
}

/** Text that a template, a shell, YAML, JSON or Kubernetes could take for theirs. */
const ODD = 'it\'s "{{ .Values }}" $(HOME) $$PATH `id` \\n: # é';

const POOL = (type: string) => ({
  nodeSelector: { role: 'airflow', type },
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }],
});

describe('defaults', () => {
  const { template } = official();
  const values = valuesOf(template);

  test('place all pods', () => {
    expect(values).toMatchObject(POOL('af-stateless'));
    expect(values.workers.celery).toMatchObject(POOL('af-stateful'));
    expect(values.workers.kubernetes).toMatchObject(POOL('af-stateful'));
    expect(values.pgbouncer).toMatchObject(POOL('af-db'));
    expect(values.redis).toMatchObject(POOL('af-db'));
    expect(values.postgresql.primary).toMatchObject(POOL('af-db'));
    expect(JSON.stringify(values)).not.toContain('ffinity'); // any would take the chart's own away
  });

  test('run one version of Airflow', () => {
    expect(values).toMatchObject({ airflowVersion: '3.2.2', defaultAirflowRepository: 'apache/airflow', defaultAirflowTag: '3.2.2', executor: 'CeleryExecutor' });
    expect(values.images).toMatchObject({
      redis: { repository: 'docker.io/library/redis', tag: '7.2-bookworm' },
      gitSync: { repository: 'registry.k8s.io/git-sync/git-sync', tag: 'v4.4.2' },
    });
    expect(values.postgresql.image).toEqual({ registry: 'docker.io', repository: 'bitnamilegacy/postgresql', tag: '16.1.0-debian-11-r15' });
  });

  test('have no job and no hook, which helm could not upgrade or would wait for', () => {
    expect(values.migrateDatabaseJob).toMatchObject({ enabled: false, useHelmHooks: false });
    expect(values.createUserJob).toMatchObject({ enabled: false, useHelmHooks: false });
    expect(values.dagProcessor.waitForMigrations.env).toEqual([{ name: '_AIRFLOW_DB_MIGRATE', value: 'true' }]);
    expect(values.dagProcessor.replicas).toBeUndefined(); // one: two would migrate the database at the same time
  });

  test('keep each key in a Secret that the operator writes', () => {
    expect(values).toMatchObject({
      fernetKeySecretName: 'airflow-fernet-key',
      apiSecretKeySecretName: 'airflow-api-secret-key',
      jwtSecretName: 'airflow-jwt-secret',
      data: { metadataSecretName: 'airflow-metadata', brokerUrlSecretName: 'airflow-broker-url' },
      flower: { enabled: true, secretName: 'airflow-flower' },
      redis: { passwordSecretName: 'airflow-redis-password' },
      pgbouncer: { configSecretName: 'airflow-pgbouncer-config', metricsExporterSidecar: { statsSecretName: 'airflow-pgbouncer-stats' } },
      postgresql: { auth: { postgresPassword: '', existingSecret: 'airflow-postgresql', secretKeys: { adminPasswordKey: 'postgres-password' } } },
    });
    expect(objectsOf(template, 'ExternalSecret').map(({ metadata, spec }) => [metadata.name, Object.keys(spec.target.template.data).sort()]).sort()).toEqual([
      ['airflow-api-secret-key', ['api-secret-key']],
      ['airflow-broker-url', ['connection']],
      ['airflow-fernet-key', ['fernet-key']],
      ['airflow-flower', ['basicAuth']],
      ['airflow-jwt-secret', ['jwt-secret']],
      ['airflow-metadata', ['connection']],
      ['airflow-pgbouncer-config', ['pgbouncer.ini', 'users.txt']],
      ['airflow-pgbouncer-stats', ['connection']],
      ['airflow-postgresql', ['postgres-password']],
      ['airflow-redis-password', ['password']],
      ['airflow-secret', ['airflow-admin-password']],
    ]);
  });

  test('keep logs and database on our claims, and wait for no storage class', () => {
    expect(values.logs.persistence).toEqual({ enabled: true, existingClaim: 'airflow-logs' });
    expect(values.postgresql.primary.persistence).toEqual({ enabled: true, existingClaim: 'data-airflow-postgresql' });
    for (const component of [values.redis, values.triggerer, values.workers.celery, values.dags]) {
      expect(component.persistence).toEqual({ enabled: false });
    }
  });

  test('groom the logs once', () => {
    const components: Json = { ...values, workers: values.workers.celery };
    expect(['scheduler', 'triggerer', 'workers', 'dagProcessor'].filter((component) => components[component].logGroomerSidecar.enabled)).toEqual(['dagProcessor']);
  });

  test('give each pod of Airflow the same identity', () => {
    const { annotations, ...serviceAccount } = values.scheduler.serviceAccount;
    expect(serviceAccount).toEqual({ create: true, name: 'airflow' });
    expect(Object.keys(annotations)).toEqual(['eks.amazonaws.com/role-arn']);
    for (const component of ['apiServer', 'dagProcessor', 'triggerer', 'workers', 'flower', 'cleanup', 'databaseCleanup', 'createUserJob', 'migrateDatabaseJob']) {
      expect([component, values[component].serviceAccount]).toEqual([component, { create: false, name: 'airflow' }]);
    }
  });

  test('survive the loss of a node or a zone', () => {
    for (const [component, label] of [['apiServer', 'api-server'], ['scheduler', 'scheduler']]) {
      expect(values[component]).toMatchObject({
        replicas: 2,
        podDisruptionBudget: { enabled: true, config: { maxUnavailable: 1 } },
        topologySpreadConstraints: [{ topologyKey: 'topology.kubernetes.io/zone', labelSelector: { matchLabels: { component: label, release: 'airflow' } } }],
      });
    }
    expect(values.workers.celery).toMatchObject({
      replicas: 2,
      safeToEvict: false,
      terminationGracePeriodSeconds: 600,
      resources: { requests: { cpu: '1', memory: '2Gi' } },
      podDisruptionBudget: { enabled: true, config: { maxUnavailable: '20%' } },
      hpa: { enabled: false },
    });
    expect(values.config).toEqual({ core: { default_task_retries: 2 } }); // the workers are on Spot nodes
  });

  test('have no proxy in front, and DAGs in the image', () => {
    expect(values.apiServer.args).toBeUndefined();
    expect(values.apiServer.service).toEqual({ type: 'ClusterIP' });
    expect(values.dags.gitSync).toEqual({ enabled: false });
    expect(values.extraEnv).toBe('');
  });
});

describe('custom', () => {
  test('executors', () => {
    const kubernetes = valuesWith({ executor: AirflowExecutor.KUBERNETES });
    expect(kubernetes).toMatchObject({ executor: 'KubernetesExecutor', redis: { enabled: false }, flower: { enabled: false } });
    expect(kubernetes.workers.celery.podDisruptionBudget.enabled).toBe(false);
    expect(kubernetes.data.brokerUrlSecretName).toBe('airflow-broker-url'); // else the chart makes a Secret for a Redis that is not there
    expect(valuesWith({ executor: AirflowExecutor.CELERY_KUBERNETES })).toMatchObject({ executor: 'CeleryExecutor,KubernetesExecutor', redis: { enabled: true } });
    expect(valuesWith({ executor: AirflowExecutor.CELERY_KUBERNETES }, '2.11.2').executor).toBe('CeleryKubernetesExecutor');
  });

  test('Airflow 2.11', () => {
    const { template } = official({ ingress: { host: 'airflow.example.com' } }, '2.11.2');
    const values = valuesOf(template);
    expect(values).toMatchObject({
      airflowVersion: '2.11.2',
      defaultAirflowTag: '2.11.2',
      webserverSecretKeySecretName: 'airflow-webserver-secret-key',
      webserver: { replicas: 2, serviceAccount: { create: false, name: 'airflow' } },
      config: { webserver: { base_url: 'http://airflow.example.com' } },
    });
    expect(Object.keys(values)).not.toEqual(expect.arrayContaining(['apiServer']));
    expect(Object.keys(values).filter((key) => /jwt|apiSecret/.test(key))).toEqual([]);
    const [ingress] = objectsOf(template, 'Ingress');
    expect(ingress.spec.rules[0].http.paths[0].backend.service.name).toBe('airflow-webserver');
    expect(ingress.metadata.annotations['alb.ingress.kubernetes.io/healthcheck-path']).toBe('/health');
  });

  test('an ingress', () => {
    const { template } = official({ ingress: { host: 'airflow.example.com' } });
    const values = valuesOf(template);
    expect(values.apiServer).toMatchObject({
      args: ['bash', '-c', 'exec airflow api-server --proxy-headers'],
      env: [{ name: 'FORWARDED_ALLOW_IPS', value: '*' }],
    });
    expect(values.config.api).toEqual({ base_url: 'http://airflow.example.com' });
    const [ingress] = objectsOf(template, 'Ingress');
    expect(ingress.spec.rules[0].http.paths[0].backend.service).toEqual({ name: 'airflow-api-server', port: { number: 8080 } });
    expect(ingress.metadata.annotations['alb.ingress.kubernetes.io/healthcheck-path']).toBe('/api/v2/monitor/health');
  });

  test('an ingress to the nodes, of which Airflow cannot know the name', () => {
    const values = valuesWith({ ingress: { targetType: AlbIngressTargetType.INSTANCE } });
    expect(values.apiServer.service).toEqual({ type: 'NodePort' });
    expect(values.config.api).toBeUndefined();
  });

  test('a base URL of their own, where the chart looks for its path', () => {
    const values = valuesWith({ config: { 'api.base_url': 'https://example.com/airflow' } });
    expect(values.config.api).toEqual({ base_url: 'https://example.com/airflow' });
    expect(environmentOf(values)).toEqual({});
  });

  test('autoscaled workers', () => {
    const { celery } = valuesWith({ workers: { replicas: 3, autoscaling: { maxReplicas: 9, targetMemoryPercent: 70 } } }).workers;
    expect(celery.hpa).toEqual({
      enabled: true,
      minReplicaCount: 3,
      maxReplicaCount: 9,
      metrics: [{ type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 70 } } }],
    });
  });

  test('one web server and one scheduler have no budget that would hold their node', () => {
    const values = valuesWith({ webServers: 1, schedulers: 1 });
    for (const { replicas, podDisruptionBudget } of [values.apiServer, values.scheduler]) {
      expect([replicas, podDisruptionBudget.enabled]).toEqual([1, false]);
    }
  });

  test('git-sync over SSH', () => {
    const { template } = official((stack) => ({ gitSync: ssh(stack) }));
    expect(valuesOf(template).dags.gitSync).toEqual({
      enabled: true,
      repo: 'git@git.example.com:data/dags.git',
      branch: 'main',
      rev: 'HEAD',
      ref: 'main',
      depth: 1,
      subPath: 'dags',
      period: '60s',
      maxFailures: -1,
      resources: { requests: { cpu: '50m', memory: '64Mi' } },
      startupProbe: { failureThreshold: 60 },
      sshKeySecret: 'airflow-ssh-git-secret',
      knownHosts: 'git.example.com ssh-ed25519 AAAA',
    });
    expect(writtenSecrets(template, () => 'KEY\r\nKEY')['airflow-ssh-git-secret']).toEqual({ gitSshKey: 'KEY\nKEY\n' });
  });

  test('git-sync over HTTP, at a revision', () => {
    const { template } = official((stack) => ({
      gitSync: {
        repository: 'https://git.example.com/data/dags.git',
        revision: 'v1.2',
        auth: GitAuth.http({ username: remote(stack, 'git', 'user'), password: remote(stack, 'git', 'token') }),
      },
    }));
    expect(valuesOf(template).dags.gitSync).toMatchObject({ branch: '', rev: '', ref: 'v1.2', subPath: '', credentialsSecret: 'airflow-http-git-secret' });
    expect(writtenSecrets(template, (_key, field) => `the ${field}`)['airflow-http-git-secret']).toEqual({
      GIT_SYNC_USERNAME: 'the user', GITSYNC_USERNAME: 'the user', GIT_SYNC_PASSWORD: 'the token', GITSYNC_PASSWORD: 'the token',
    });
  });

  test('nodes that exist, of which any may do', () => {
    const values = valuesWith((stack) => ({
      existingNodes: {
        stateless: { labels: { team: 'data' }, tolerations: [{ key: 'data' }] },
        database: { labels: {} },
        nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes'),
      },
    }));
    const team = { nodeSelector: { team: 'data' }, tolerations: [{ key: 'data', operator: 'Exists' }] };
    expect([values, values.workers.celery]).toEqual([expect.objectContaining(team), expect.objectContaining(team)]);
    expect(values.redis.nodeSelector).toEqual({ 'kubernetes.io/os': 'linux' }); // else the chart takes the one of all
  });

  test('an image', () => {
    const values = valuesWith({ image: AirflowImage.fromRegistry('registry.example.com/airflow', '3.2.2-ours') });
    expect(values).toMatchObject({ defaultAirflowRepository: 'registry.example.com/airflow', defaultAirflowTag: '3.2.2-ours' });
    expect(values.dagProcessor.extraContainers[0].image).toBe('registry.example.com/airflow:3.2.2-ours');
  });

  test('names derive from the namespace', () => {
    const { template } = official({ namespace: 'data' });
    const values = valuesOf(template);
    expect(JSON.stringify(values)).not.toMatch(/[nN]ame":"airflow-/);
    const written = writtenSecrets(template, () => 'x');
    expect(written['data-metadata'].connection).toBe('postgresql://postgres:x@data-pgbouncer.data:6543/data-metadata');
    expect(written['data-pgbouncer-config']['pgbouncer.ini']).toContain('data-metadata = host=data-postgresql.data port=5432 dbname=airflow ');
    expect(values.postgresql.fullnameOverride).toBe('data-postgresql');
  });

  test('Kubernetes Secrets, where the chart reads a key as it is', () => {
    const own = (key: string) => AirflowSecret.fromKubernetesSecret('own', key);
    const { template } = official({
      secrets: { fernetKey: own('fernet-key'), webserverSecretKey: own('api-secret-key'), jwtSecret: own('jwt-secret'), flowerPassword: own('basicAuth') },
      users: [{ username: 'admin', email: 'admin@example.com', password: own('pw') }],
      variables: [{ key: 'license', secret: own('license') }],
    });
    const values = valuesOf(template);
    expect(values).toMatchObject({ fernetKeySecretName: 'own', apiSecretKeySecretName: 'own', jwtSecretName: 'own', flower: { secretName: 'own' } });
    expect(environmentOf(values)).toEqual({ AIRFLOW_VAR_LICENSE: { name: 'own', key: 'license' } });
    expect(values.dagProcessor.extraContainers[0].env).toContainEqual({ name: 'SYNC_PASSWORD_0', valueFrom: { secretKeyRef: { name: 'own', key: 'pw' } } });
  });
});

describe('what the operator writes', () => {
  const { template } = official((stack) => ({ gitSync: ssh(stack) }));
  const odd = 'p@ss/w:rd?#%&+ "quoted" \\ é';
  const written = writtenSecrets(template, () => odd);

  test.each([
    ['airflow-metadata', 'postgres', 'airflow-pgbouncer.airflow:6543', '/airflow-metadata', ''],
    ['airflow-pgbouncer-stats', 'postgres', '127.0.0.1:6543', '/pgbouncer', '?sslmode=disable'],
    ['airflow-broker-url', '', 'airflow-redis:6379', '/0', ''],
  ])('%s is a URL with the password in it', (secret, username, host, pathname, search) => {
    const url = new URL(written[secret].connection);
    expect({ username: url.username, password: decodeURIComponent(url.password), host: url.host, pathname: url.pathname, search: url.search })
      .toEqual({ username, password: odd, host, pathname, search });
  });

  test('pgbouncer knows the user by a password in quotes, which it wants doubled', () => {
    expect(written['airflow-pgbouncer-config']['users.txt']).toBe('"postgres" "p@ss/w:rd?#%&+ ""quoted"" \\ é"\n');
    expect(written['airflow-pgbouncer-config']['pgbouncer.ini']).toMatch(/^airflow-metadata = host=airflow-postgresql\.airflow port=5432 dbname=airflow pool_size=20$/m);
  });

  test('passwords are as they are where they stand alone', () => {
    expect(written['airflow-redis-password'].password).toBe(odd);
    expect(written['airflow-postgresql']['postgres-password']).toBe(odd);
    expect(written['airflow-flower'].basicAuth).toBe(`airflow:${odd}`);
  });
});

describe('connections and variables, which this chart does not keep in the database', () => {
  test('are variables of all containers', () => {
    const values = valuesWith({
      connections: [{ id: 'aws.main', type: 'aws', login: ODD, extra: '{"region_name":"eu-central-1"}', description: ODD, port: 1 }],
      variables: [{ key: 'Stage', value: ODD }],
      config: { 'logging.log_filename_template': 'dag_id={{ ti.dag_id }}/$x' },
      environment: { PLAIN: '$(HOME)/x' },
    });
    const environment = environmentOf(values);
    expect(JSON.parse(environment['AIRFLOW_CONN_AWS.MAIN'])).toEqual({
      conn_type: 'aws', login: ODD, extra: '{"region_name":"eu-central-1"}', description: ODD, port: 1,
    });
    expect(environment).toMatchObject({
      AIRFLOW_VAR_STAGE: ODD,
      AIRFLOW__LOGGING__LOG_FILENAME_TEMPLATE: 'dag_id={{ ti.dag_id }}/$x',
      PLAIN: '$(HOME)/x', // expanded by Kubernetes, as in any container
    });
  });

  test('with secrets are put together by the operator, as JSON', () => {
    const { template } = official((stack) => ({
      connections: [{
        id: 'warehouse',
        type: 'postgres',
        host: ODD,
        port: 5432,
        schema: 'x',
        loginSecret: remote(stack, 'db', 'user'),
        password: remote(stack, 'db', 'password'),
        extraSecret: remote(stack, 'db', 'extra'),
      }],
      variables: [{ key: 'license', secret: remote(stack, 'license') }],
    }));
    expect(environmentOf(valuesOf(template))).toEqual({
      AIRFLOW_CONN_WAREHOUSE: { name: 'airflow-secret', key: 'connection-warehouse' },
      AIRFLOW_VAR_LICENSE: { name: 'airflow-secret', key: 'variable-license' },
    });
    const written = writtenSecrets(template, (key, field) => `${key} ${field} "<&>\\ ${ODD}`)['airflow-secret'];
    expect(JSON.parse(written['connection-warehouse'])).toEqual({
      conn_type: 'postgres',
      host: ODD,
      port: 5432,
      schema: 'x',
      login: `db user "<&>\\ ${ODD}`,
      password: `db password "<&>\\ ${ODD}`,
      extra: `db extra "<&>\\ ${ODD}`,
    });
    expect(written['variable-license']).toBe(`license undefined "<&>\\ ${ODD}`);
  });

  test('may come from other resources', () => {
    const environment = environmentOf(valuesWith({
      connections: [{ id: 'db', type: 'postgres', host: Fn.importValue('Host'), port: Token.asNumber(Fn.importValue('Port')) }],
      config: { 'logging.remote_base_log_folder': `s3://${Fn.importValue('Bucket')}/$logs` },
    }));
    expect(environment).toEqual({
      AIRFLOW_CONN_DB: '{"conn_type":"postgres","host":"<Fn::ImportValue>","port":<Fn::ImportValue>}',
      AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER: 's3://<Fn::ImportValue>/$logs',
    });
  });
});

describe('users and pools', () => {
  /** Runs the container's script with an `airflow` that notes how it is called, and returns the calls. */
  function run(props: Props): string[][] {
    const [container] = valuesWith(props).dagProcessor.extraContainers;
    const plain: [string, string][] = container.env.filter(({ value }: Json) => value !== undefined).map(({ name, value }: Json) => [name, value]);
    const passwords = container.env.filter(({ name }: Json) => name.startsWith('SYNC_PASSWORD')).map(({ name, valueFrom }: Json) => [name, `-${valueFrom.secretKeyRef.key} $HOME'"`]);
    const expanded = expand({ ...Object.fromEntries(plain), script: container.args[2] });
    const folder = mkdtempSync(join(tmpdir(), 'airflow-'));
    writeFileSync(join(folder, 'airflow'), `#!/bin/bash
printf '%s\\x1f' "$@" >> ${folder}/calls
[ "$2" != import ] || cat "$3" >> ${folder}/calls
printf '\\x1e' >> ${folder}/calls
`, { mode: 0o755 });
    writeFileSync(join(folder, 'sleep'), '#!/bin/bash\n', { mode: 0o755 });
    execFileSync('bash', ['-c', inContainer(expanded.script).replace(/\/tmp\//g, `${folder}/`)], {
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        HOME: '/nowhere',
        ...Object.fromEntries(plain.map(([name]) => [name, inContainer(expanded[name])])),
        ...Object.fromEntries(passwords),
      },
    });
    expect(readFileSync(join(folder, 'done'), 'utf8')).toBe('');
    return readFileSync(join(folder, 'calls'), 'utf8').split('\x1e').slice(0, -1)
      .map((call) => call.split('\x1f').map((word) => word.trim().replace(`${folder}/`, '')).filter(Boolean));
  }

  test('are made, and kept in step with the lists', () => {
    const calls = run({
      users: [
        { username: 'admin', email: 'admin@example.com', role: AirflowRole.ADMIN },
        { username: 'o.neil', email: 'o\'neil@example.com', role: AirflowRole.of(ODD), firstName: ODD, lastName: '-x' },
      ],
      pools: [{ name: ODD, slots: 5, description: ODD }, { name: 'default_pool', slots: 64 }],
    });
    const password = (user: string) => `--password=-airflow-${user}-password $HOME'"`;
    expect(calls.map(([group, command, ...words]) => [`${group} ${command}`, ...words.filter((word) => !/^[[{]/.test(word))])).toEqual([
      ['users create', '--username=admin', '--email=admin@example.com', '--firstname=admin', '--lastname=admin', '--role=Admin', password('admin')],
      ['users create', '--username=o.neil', '--email=o\'neil@example.com', `--firstname=${ODD}`, '--lastname=-x', `--role=${ODD}`, password('o.neil')],
      ['users import', 'users.json'],
      ['users reset-password', '--username=admin', password('admin')],
      ['users reset-password', '--username=o.neil', password('o.neil')],
      ['pools import', 'pools.json'],
    ]);
    expect(JSON.parse(calls[2].at(-1)!)).toEqual([
      { username: 'admin', email: 'admin@example.com', firstname: 'admin', lastname: 'admin', roles: ['Admin'] },
      { username: 'o.neil', email: 'o\'neil@example.com', firstname: ODD, lastname: '-x', roles: [ODD] },
    ]);
    expect(JSON.parse(calls[5].at(-1)!)).toEqual({
      [ODD]: { slots: 5, description: ODD, include_deferred: false },
      default_pool: { slots: 64, description: '', include_deferred: false },
    });
  });

  test('pools without users', () => {
    expect(run({ users: [], pools: [{ name: 'x', slots: 1 }] }).map(([group, command]) => `${group} ${command}`)).toEqual(['pools import']);
  });

  test('without any of them, there is no container', () => {
    expect(valuesWith({ users: [] }).dagProcessor.extraContainers).toEqual([]);
  });

  test('the container is ready when it is done, and speaks to the database as the others do', () => {
    const [container] = valuesWith({ environment: { AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE: '3' } }).dagProcessor.extraContainers;
    expect(container.readinessProbe.exec.command).toEqual(['test', '-f', '/tmp/done']);
    expect(container.env).toEqual(expect.arrayContaining([
      { name: 'AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE', value: '3' },
      { name: 'AIRFLOW__CORE__FERNET_KEY', valueFrom: { secretKeyRef: { name: 'airflow-fernet-key', key: 'fernet-key' } } },
      { name: 'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', valueFrom: { secretKeyRef: { name: '{{ include "airflow_metadata_secret" . }}', key: 'connection' } } },
    ]));
  });
});

describe.each([['official', () => AirflowChart.official()], ['community', () => AirflowChart.community()]])('AWS Secrets Manager as the secrets backend of the %s chart', (name, chart) => {
  const { template } = synthAirflow({ chart: chart(), secretsManagerPrefix: 'prod/airflow' });

  test('is where Airflow looks', () => {
    const values = valuesOf(template);
    const config = name === 'official' ? environmentOf(values) : values.airflow.config;
    expect(config.AIRFLOW__SECRETS__BACKEND).toBe('airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend');
    expect(JSON.parse(config.AIRFLOW__SECRETS__BACKEND_KWARGS)).toEqual({
      connections_prefix: 'prod/airflow/connections', variables_prefix: 'prod/airflow/variables', config_prefix: 'prod/airflow/config',
    });
  });

  test('is what its pods may read, below the prefix', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      Description: 'Pods of Airflow, and so its DAGs',
      Policies: [{
        PolicyDocument: Match.objectLike({
          Statement: [{
            Effect: 'Allow',
            Action: 'secretsmanager:GetSecretValue',
            Resource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':secretsmanager:eu-central-1:123456789012:secret:prod/airflow/*']] },
          }],
        }),
      }],
    });
  });
});

describe('fails when', () => {
  test.each<[string, Props | ((stack: Stack) => Props), string]>([
    ['packages are to be installed at the start', { pipPackages: ['pandas', 'numpy'] },
      "'pipPackages' is nothing that the official chart can install, got 'pandas', 'numpy'; use an 'image' that has them, such as AirflowImage.fromAsset()"],
    ['the auth manager has no users', { config: { 'core.auth_manager': 'airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager' } },
      "'users' must be empty with an auth manager of your own, which has its users elsewhere,"
      + " got 'airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager'; use users: []"],
    ['an e-mail address is a local one', { users: [{ username: 'a', email: 'a@b' }] },
      "'users.a.email' must be an address with a full domain name, or Airflow refuses it, got 'a@b'"],
    ['two names are one variable', { variables: [{ key: 'a', value: '1' }, { key: 'A', value: '2' }] },
      "'connections', 'variables', 'extraSecrets', 'environment' and 'config' must make each environment variable once, got 'AIRFLOW_VAR_A' twice;"
      + ' upper and lower case are the same there'],
    ['a name is one of the chart', { environment: { AIRFLOW_HOME: '/x' } },
      "'connections', 'variables', 'extraSecrets', 'environment' and 'config' must make each environment variable once, got 'AIRFLOW_HOME' twice;"
      + ' upper and lower case are the same there'],
    ['a connection has a Kubernetes Secret', { connections: [{ id: 'db', type: 'postgres', password: AirflowSecret.fromKubernetesSecret('mine', 'pw') }] },
      "'connections.db.password' is the Kubernetes Secret 'mine', but this chart needs it inside 'airflow-secret';"
      + ' keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'],
    ['the database has one', { secrets: { databasePassword: AirflowSecret.fromKubernetesSecret('mine', 'pw') } },
      "'secrets.databasePassword' is the Kubernetes Secret 'mine', but this chart needs it inside 'airflow-pgbouncer-config';"
      + ' keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'],
    ['a key has another name than the chart reads', { secrets: { fernetKey: AirflowSecret.fromKubernetesSecret('mine', 'fernet') } },
      "'secrets.fernetKey' must have the key 'fernet-key' in its Kubernetes Secret, which is the only one that the chart reads, got 'fernet'"],
    ['a value is what a prop is for', { values: { workers: { celery: { replicas: 7 } } } },
      "'values.workers.celery.replicas' is what 'workers.replicas' is for; take it out of 'values' and use 'workers.replicas'"],
    ['an option is what a prop is for', { config: { 'api.secret_key': 'x' } },
      "'config' must not set AIRFLOW__API__SECRET_KEY, which is what 'secrets.webserverSecretKey' is for; use 'secrets.webserverSecretKey'"],
    ['the prefix of secrets starts with a slash', { secretsManagerPrefix: '/airflow' },
      "'secretsManagerPrefix' must be the start of names of secrets, without / at either end, got '/airflow'"],
    ['the backend of secrets is set twice', { secretsManagerPrefix: 'airflow', config: { 'secrets.backend': 'x' } },
      "'config' must not set AIRFLOW__SECRETS__BACKEND, which is what 'secretsManagerPrefix' is for; use 'secretsManagerPrefix'"],
  ])('%s', (_name, props, message) => {
    expect(() => official(props)).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});

describe('the JSON schema of the chart', () => {
  if (!CHARTS) {
    return test.skip('NOT CHECKED: set AIRFLOW_CHARTS to a folder of unpacked charts, named <chart>-<version>', () => undefined);
  }
  const file = (name: string) => readFileSync(join(CHARTS!, 'airflow-official-1.22.0', name), 'utf8');
  const validate = new Ajv({ unknownFormats: 'ignore', allErrors: true, logger: false }).compile(JSON.parse(file('values.schema.json')));
  const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
  const merge = (defaults: Json, values: Json): Json => ({
    ...defaults,
    ...Object.fromEntries(Object.entries(values).map(([key, value]) =>
      [key, isMap(value) && isMap(defaults[key]) ? merge(defaults[key], value) : value])),
  });
  const errorsOf = (values: Json) => validate(merge(YAML.parse(file('values.yaml')), values)) ? []
    : validate.errors!.map(({ dataPath, message }) => `${dataPath} ${message}`);

  const everything = (stack: Stack): Props => ({
    gitSync: ssh(stack),
    workers: { autoscaling: { maxReplicas: 9 } },
    users: [{ username: 'admin', email: 'admin@example.com' }],
    connections: [{ id: 'db', type: 'postgres', password: remote(stack, 'db') }],
    variables: [{ key: 'a', value: ODD }],
    pools: [{ name: 'x', slots: 1 }],
    ingress: { targetType: AlbIngressTargetType.INSTANCE },
    config: { 'core.parallelism': '8' },
  });
  const http = (stack: Stack): Props => ({
    gitSync: { repository: 'https://example.com/x.git', auth: GitAuth.http({ username: remote(stack, 'user'), password: remote(stack, 'token') }) },
  });

  describe.each(['3.2.2', '2.11.2'])('accepts the values for Airflow %s', (version) => {
    test.each<[string, (stack: Stack) => Props]>([
      ['defaults', () => ({})],
      ['everything', everything],
      ['HTTP', http],
      ['Kubernetes', (stack) => ({ ...everything(stack), executor: AirflowExecutor.KUBERNETES })],
      ['both', (stack) => ({ ...everything(stack), executor: AirflowExecutor.CELERY_KUBERNETES })],
    ])('%s', (_name, props) => {
      expect(errorsOf(valuesWith(props, version))).toEqual([]);
    });
  });

  test.each<[string, Json, string]>([
    ['a misspelt key', { scheduler: { replica: 2 } }, '.scheduler should NOT have additional properties'],
    ['a number for a text', { dags: { gitSync: { period: 60 } } }, '.dags.gitSync.period should be string'],
  ])('refuses %s', (_name, values, error) => {
    expect(errorsOf(values)).toContain(error);
  });
});
