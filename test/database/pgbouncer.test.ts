import { AirflowDatabase, AirflowExecutor, AirflowSecret, ApiServerAutoscaling, PgBouncer, PgBouncerOptions, WorkerAutoscaling } from '../../src';
import { poolsOf } from '../matrix';
import { awaitedOf, Json, manifestOf, objectsOf, Props, synthAirflow, synthCommunity, valuesOf } from '../util';

function deploymentOf({ template }: ReturnType<typeof synthAirflow> = synthAirflow()): { spec: Json; pod: Json; container: Json } {
  const { spec } = objectsOf(template, 'Deployment').find(({ metadata }) => metadata.name.endsWith('-pgbouncer'))!;
  return { spec, pod: spec.template.spec, container: spec.template.spec.containers[0] };
}

const synthWith = (options: PgBouncerOptions) => synthAirflow({ pgBouncer: PgBouncer.enabled(options) });
const serverOf = (props?: Props) => deploymentOf(synthAirflow(props)).container.env.find(({ name }: Json) => name === 'SERVER').value;

test('defaults: one pod on the nodes of the database, behind a Service of its name, and a deployment waits for it', () => {
  const { template, stack } = synthAirflow();
  expect(manifestOf(template, 'AirflowPgBouncerManifest')).toEqual({
    objects: ['ConfigMap/airflow-pgbouncer', 'Service/airflow-pgbouncer', 'Deployment/airflow-pgbouncer'], overwrite: true,
  });
  const { spec, pod, container } = deploymentOf();
  expect([spec.replicas, pod.nodeSelector]).toEqual([1, poolsOf('airflow').database.labels]);
  expect(container.resources).toEqual({ requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } });
  expect(awaitedOf(stack)['Airflow/PgBouncer/Ready']).toMatchObject({ ObjectType: 'deployment', ObjectName: '--field-selector=metadata.name=airflow-pgbouncer' });
});

test('defaults: a pool for the components: 4 each for API servers, schedulers and workers, 2 each for the others', () => {
  expect(serverOf()).toBe("airflow = host=airflow-postgresql.airflow port=5432 dbname='airflow' pool_size=28");
});

test('defaults: many clients, which share connections per transaction, soon after the database is back', () => {
  const config = objectsOf(synthAirflow().template, 'ConfigMap').find(({ metadata }) => metadata.name === 'airflow-pgbouncer')!;
  for (const line of ['listen_port = 6432', 'pool_mode = transaction', 'auth_type = scram-sha-256', 'max_client_conn = 1000', 'server_login_retry = 1']) {
    expect(config.data['pgbouncer.ini'].split('\n')).toContain(line);
  }
  expect(config.data['server-user']).toBe('postgres');
});

test('defaults: credentials are in files, which follow a changed secret', () => {
  const { pod, container } = deploymentOf();
  const password = (path: string) => ({ secret: { name: 'airflow-secret', items: [{ key: 'postgresql-password', path }] } });
  expect(pod.volumes.find(({ name }: Json) => name === 'credentials').projected.sources).toEqual([
    password('client-password'), password('server-password'), { configMap: { name: 'airflow-pgbouncer', items: [{ key: 'server-user', path: 'server-user' }] } },
  ]);
  expect(container.volumeMounts).toContainEqual({ name: 'credentials', mountPath: '/run/secrets/database', readOnly: true }); // no subPath, which would not follow
  expect(container.env.map(({ name }: Json) => name)).toEqual(['CLIENT_USER', 'SERVER']);
});

test('defaults: without privileges, and ended after the running transactions', () => {
  const { pod, container } = deploymentOf();
  expect(pod.securityContext).toMatchObject({ runAsUser: 65534, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(container.securityContext).toEqual({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true });
  expect(container.lifecycle.preStop.exec.command).toEqual(['sh', '-c', 'kill -INT 1 && sleep 30']);
});

test('custom: several replicas, of which one may be unavailable, with resources and a pool each', () => {
  const airflow = synthWith({ replicas: 2, cpu: '1', memory: '128Mi', memoryLimit: '256Mi' });
  const { spec, container } = deploymentOf(airflow);
  expect([spec.replicas, container.resources]).toEqual([2, { requests: { cpu: '1', memory: '128Mi' }, limits: { memory: '256Mi' } }]);
  expect(objectsOf(airflow.template, 'PodDisruptionBudget').map(({ metadata, spec: { maxUnavailable } }) => [metadata.name, maxUnavailable])).toEqual([['airflow-pgbouncer', 1]]);
  expect(container.env[1].value).toMatch(/ pool_size=14$/);
});

test.each<[string, Props, number]>([
  ['of the user', { pgBouncer: PgBouncer.enabled({ poolSize: 50 }) }, 50],
  ['for the maximum of workers', { workers: { replicas: 2, autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 10 }) } }, 60],
  ['for the maximum of API servers', { apiServer: { autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 8 }) } }, 52],
  ['for all groups of workers', { workers: { groups: [{ name: 'gpu', replicas: 6 }] } }, 52],
  ['at most what the in-cluster database accepts', { workers: { replicas: 40 } }, 90],
  ['at most what the in-cluster database accepts of all replicas', { workers: { replicas: 80 }, pgBouncer: PgBouncer.enabled({ replicas: 2 }) }, 60],
  ['of any size for a managed database', { database: AirflowDatabase.rds(), pgBouncer: PgBouncer.enabled({ poolSize: 400 }) }, 400],
  ['at least 10', { apiServer: { replicas: 1 }, scheduler: { replicas: 1 }, workers: { replicas: 1 }, pgBouncer: PgBouncer.enabled({ replicas: 5 }) }, 10],
])('custom: a pool %s', (_name, props, size) => {
  expect(serverOf(props)).toContain(` pool_size=${size}`);
});

test('custom: a password in a Kubernetes Secret', () => {
  const { pod } = deploymentOf(synthCommunity({ secrets: { databasePassword: AirflowSecret.fromKubernetesSecret('mine', 'pw') } }));
  expect(JSON.stringify(pod.volumes)).toContain('{"secret":{"items":[{"key":"pw","path":"client-password"}],"name":"mine"}}');
});

test.each(Object.values(AirflowExecutor))('custom: without PgBouncer, nothing refers to it: %s', (executor) => {
  for (const synth of executor === AirflowExecutor.LOCAL ? [synthAirflow] : [synthAirflow, synthCommunity]) {
    const { template } = synth({ executor, pgBouncer: PgBouncer.disabled(), database: AirflowDatabase.inCluster() });
    expect([valuesOf(template), ...objectsOf(template)].filter((object) => /airflow-pgbouncer/.test(JSON.stringify(object)))).toEqual([]);
  }
});

test.each<[string, PgBouncerOptions, string]>([
  ['the pool is empty', { poolSize: 0 }, "'pgBouncer.poolSize' must be a whole number from 1 to 90, got 0; the in-cluster database accepts no more connections"],
  ['the pool is larger than the in-cluster database accepts', { poolSize: 91 },
    "'pgBouncer.poolSize' must be a whole number from 1 to 90, got 91; the in-cluster database accepts no more connections"],
  ['the pools of all replicas are', { poolSize: 61, replicas: 2 },
    "'pgBouncer.poolSize' must be a whole number from 1 to 60, got 61; the in-cluster database accepts no more connections"],
  ['there are no replicas', { replicas: 0 }, "'pgBouncer.replicas' must be a whole number of at least 1, got 0"],
])('fails when %s', (_name, options, message) => {
  expect(() => synthWith(options)).toThrow(new Error(`Data/Airflow: ${message}`));
});
