import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { AirflowChart, AirflowConnection, AirflowExecutor, AirflowOnEksProps, AirflowRole, AirflowSecret, EfsCsiDriverSetup } from '../../src';
import { Json, releasesOf, synthAirflow, valuesOf } from '../util';

const values = (props?: Parameters<typeof synthAirflow>[0]) => valuesOf(synthAirflow(props).template);
const remote = (scope: Construct, name: string) => AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(scope, name, name));

const required = (type: string) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'role', operator: 'In', values: ['airflow'] }, { key: 'type', operator: 'In', values: [type] }] }],
    },
  },
});
const TOLERATIONS = [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }];

test('defaults: chart and Airflow are pinned', () => {
  const { template, airflow } = synthAirflow();
  expect([airflow.chart.chartVersion, airflow.chart.airflowVersion]).toEqual(['8.9.0', '2.8.4']);
  expect(releasesOf(template).filter(({ chart }) => chart === 'airflow')).toEqual([expect.objectContaining({ release: 'airflow', namespace: 'airflow', version: '8.9.0' })]);
});

test('defaults: each pod on its nodes', () => {
  const { airflow, workers, pgbouncer, postgresql, redis } = values();
  expect([airflow.defaultAffinity, airflow.defaultTolerations]).toEqual([required('af-stateless'), TOLERATIONS]);
  expect([workers.affinity, workers.tolerations]).toEqual([required('af-stateful'), TOLERATIONS]);
  for (const part of [pgbouncer, postgresql.master, redis.master]) {
    expect([part.affinity, part.tolerations]).toEqual([required('af-db'), TOLERATIONS]);
  }
});

test('defaults: what runs twice is spread over zones, and loses one at a time', () => {
  const { web, scheduler } = values();
  for (const [component, part] of Object.entries({ web, scheduler })) {
    expect(part).toMatchObject({
      replicas: 2,
      podDisruptionBudget: { enabled: true, maxUnavailable: 1, minAvailable: '' },
      topologySpreadConstraints: [{ topologyKey: 'topology.kubernetes.io/zone', labelSelector: { matchLabels: { app: 'airflow', component, release: 'airflow' } } }],
    });
  }
  const one = values({ webServers: 1, schedulers: 1 });
  expect([one.web.replicas, one.scheduler.replicas]).toEqual([1, 1]);
  expect([one.web.podDisruptionBudget.enabled, one.scheduler.podDisruptionBudget.enabled]).toEqual([false, false]);
});

test('defaults: no image that is gone', () => {
  const { postgresql, redis } = values();
  expect([postgresql.image, redis.image].map(({ registry, repository, tag }) => `${registry}/${repository}:${tag}`)).toEqual([
    'ghcr.io/airflow-helm/postgresql-bitnami:11.22-patch.0', 'docker.io/library/redis:7.2-bookworm',
  ]);
});

test('defaults: logs and database on their claims, and nothing that changes owners', () => {
  const { logs, postgresql, dags, ingress } = values();
  expect(logs).toEqual({ path: '/opt/airflow/efs/logs', persistence: { enabled: true, existingClaim: 'airflow-logs', accessMode: 'ReadWriteMany' } });
  expect(postgresql).toMatchObject({ persistence: { enabled: true, existingClaim: 'data-airflow-postgresql' }, volumePermissions: { enabled: false } });
  expect(dags.persistence).toEqual({ enabled: false });
  expect(ingress).toEqual({ enabled: false });
});

test('defaults: an administrator, no examples, and a configuration that nobody can read', () => {
  const { airflow } = values();
  expect(airflow.users).toEqual([{ username: 'admin', email: 'admin@example.com', role: 'Admin', password: '${ADMIN_PASSWORD}', firstName: 'admin', lastName: 'admin' }]);
  expect(airflow.config).toEqual({ AIRFLOW__CORE__LOAD_EXAMPLES: 'False', AIRFLOW__WEBSERVER__EXPOSE_CONFIG: 'False', AIRFLOW__CORE__DEFAULT_TASK_RETRIES: '2' });
  expect([airflow.connections, airflow.variables, airflow.pools, airflow.extraPipPackages]).toEqual([[], [], [], []]);
});

test.each<[AirflowExecutor, boolean, boolean]>([
  [AirflowExecutor.CELERY, true, false], [AirflowExecutor.KUBERNETES, false, true], [AirflowExecutor.CELERY_KUBERNETES, true, true],
])('executor %s', (executor, celery, kubernetes) => {
  const found = values({ executor, pipPackages: ['slack'] });
  expect(found.airflow.executor).toBe(executor);
  expect([found.workers.enabled, found.redis.enabled, found.flower.enabled]).toEqual([celery, celery, celery]);
  expect(found.airflow.kubernetesPodTemplate).toEqual(kubernetes
    ? { affinity: required('af-stateful'), tolerations: TOLERATIONS, extraPipPackages: ['slack'] } : undefined);
});

test('custom: users, connections, variables and pools, with secrets by reference', () => {
  const { airflow } = values((stack) => ({
    users: [
      { username: 'jane.doe', email: 'jane@example.com', role: AirflowRole.OP, firstName: 'Jane', lastName: 'Doe', password: remote(stack, 'Jane') },
      { username: 'guest', email: 'guest@example.com' },
      { username: 'team', email: 'team@example.com', role: AirflowRole.of('Team') },
    ],
    connections: [{
      id: 'warehouse',
      type: 'postgres',
      description: 'd',
      host: 'db.example.com',
      port: 5432,
      schema: 'dwh',
      loginSecret: remote(stack, 'Login'),
      password: remote(stack, 'Password'),
      extraSecret: remote(stack, 'Extra'),
    }],
    variables: [{ key: 'stage', value: 'dev' }, { key: 'license', secret: remote(stack, 'License') }],
    pools: [{ name: 'db', slots: 3, description: 'Few' }, { name: 'api', slots: 1 }],
  }));
  expect(airflow.users.map(({ username, role, password, firstName }: Json) => [username, role, password, firstName])).toEqual([
    ['jane.doe', 'Op', '${JANE_DOE_PASSWORD}', 'Jane'], ['guest', 'Viewer', '${GUEST_PASSWORD}', 'guest'], ['team', 'Team', '${TEAM_PASSWORD}', 'team'],
  ]);
  expect(airflow.connections).toEqual([{
    id: 'warehouse',
    type: 'postgres',
    description: 'd',
    host: 'db.example.com',
    port: 5432,
    schema: 'dwh',
    login: '${WAREHOUSE_LOGIN}',
    password: '${WAREHOUSE_PASSWORD}',
    extra: '${WAREHOUSE_EXTRA}',
  }]);
  expect(Object.keys(airflow.connectionsTemplates)).toEqual(['WAREHOUSE_EXTRA', 'WAREHOUSE_LOGIN', 'WAREHOUSE_PASSWORD']);
  expect(airflow.variables).toEqual([{ key: 'stage', value: 'dev' }, { key: 'license', value: '${LICENSE}' }]);
  expect(airflow.variablesTemplates).toEqual({ LICENSE: { kind: 'secret', name: 'airflow-secret', key: 'variable-license' } });
  expect(airflow.pools).toEqual([{ name: 'db', slots: 3, description: 'Few' }, { name: 'api', slots: 1, description: 'api' }]);
});

test('a dollar is a dollar, with templates beside it and without', () => {
  const plain = { key: 'price', value: '5$ ${NOT}' };
  expect(values({ variables: [plain] }).airflow.variables).toEqual([plain]);
  expect(values((stack) => ({ variables: [plain, { key: 'license', secret: remote(stack, 'License') }] })).airflow.variables[0].value).toBe('5$$ $${NOT}');
});

test('two names of one spelling do not share a secret', () => {
  const connection = (id: string, name: string) => (scope: Construct): AirflowConnection => ({ id, type: 'http', password: remote(scope, name) });
  const { connections, connectionsTemplates } = values((stack) => ({ connections: [connection('my-db', 'One')(stack), connection('my_db', 'Two')(stack)] })).airflow;
  expect(connections.map(({ password }: Json) => password)).toEqual(['${MY_DB_PASSWORD}', '${MY_DB_PASSWORD_}']);
  expect(Object.values<Json>(connectionsTemplates).map(({ key }) => key)).toEqual(['connection-my-db-password', 'connection-my_db-password']);
});

test('custom: options, environment and packages', () => {
  const { airflow } = values({
    config: { 'core.parallelism': '64', 'elasticsearch-configs.verify_certs': 'True' }, environment: { STAGE: 'dev' }, pipPackages: ['apache-airflow-providers-slack==8.0'],
  });
  expect(airflow.config).toMatchObject({ AIRFLOW__CORE__PARALLELISM: '64', AIRFLOW__ELASTICSEARCH_CONFIGS__VERIFY_CERTS: 'True' });
  expect(airflow.extraEnv).toContainEqual({ name: 'STAGE', value: 'dev' });
  expect(airflow.extraPipPackages).toEqual(['apache-airflow-providers-slack==8.0']);
});

test('custom: versions', () => {
  const chart = AirflowChart.community({ chartVersion: '8.8.0', airflowVersion: '2.6.3' });
  expect(releasesOf(synthAirflow({ chart, efsCsiDriver: EfsCsiDriverSetup.EXISTING }).template).find((release) => release.chart === 'airflow')?.version).toBe('8.8.0');
  expect(chart.airflowVersion).toBe('2.6.3');
});

test.each<[string, () => unknown, string]>([
  ['a chart that speaks APIs that are gone', () => AirflowChart.community({ chartVersion: '8.5.2' }), "'chartVersion' must be 8.7.0 or a later 8.x, got '8.5.2'"],
  ['an Airflow that the chart cannot start', () => AirflowChart.community({ airflowVersion: '3.0.0' }),
    "'airflowVersion' must be from 2.0.0 to 2.9.x; for a later one use AirflowChart.official(), got '3.0.0'"],
])('fails for %s', (_name, make, message) => {
  expect(make).toThrow(new Error(`AirflowChart: ${message}`));
});

const OWNED = Object.entries(AirflowChart.community()._definition.ownedValues);

test('what we own is more than nothing', () => {
  expect(OWNED.map(([path]) => path)).toEqual(expect.arrayContaining(['airflow.executor', 'dags.gitSync', 'logs.persistence', 'postgresql.existingSecret', 'airflow.extraEnv']));
});

test.each(OWNED)('fails when values have %s', (path, prop) => {
  const nested = path.split('.').reduceRight<any>((value, key) => ({ [key]: value }), 'x');
  const message = `Data/Airflow: 'values.${path}' is what '${prop}' is for; take it out of 'values' and use '${prop}'`;
  expect(() => synthAirflow({ values: nested })).toThrow(new Error(message));
  expect(() => synthAirflow({ removedValues: [path] })).toThrow(new Error(message));
});

test.each(Object.entries(AirflowChart.community()._definition.ownedConfig))('fails when config has %s', (name, prop) => {
  const [, section, key] = name.split('__');
  const props: Partial<AirflowOnEksProps> = { config: { [`${section.toLowerCase()}.${key.toLowerCase()}`]: 'x' } };
  expect(() => synthAirflow(props)).toThrow(new Error(`Data/Airflow: 'config' must not set ${name}, which is what '${prop}' is for; use '${prop}'`));
});
