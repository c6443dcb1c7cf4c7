import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AirflowDatabase, AirflowSecret, InClusterDatabaseOptions } from '../../src';
import { poolsOf } from '../matrix';
import { awaitedOf, Json, manifestOf, objectsOf, synthAirflow, synthCommunity } from '../util';

const statefulSetOf = (template: Template): Json => objectsOf(template, 'StatefulSet').find(({ metadata }) => metadata.name.endsWith('-postgresql'))!;

/** The pod of the database. */
function podOf({ template }: ReturnType<typeof synthAirflow> = synthAirflow()): { spec: Json; container: Json; prepare: Json; annotations: Json } {
  const { spec } = statefulSetOf(template);
  const { spec: pod, metadata } = spec.template;
  return { spec: pod, container: pod.containers[0], prepare: pod.initContainers[0], annotations: metadata.annotations };
}

const synthWith = (options: InClusterDatabaseOptions) => synthAirflow({ database: AirflowDatabase.inCluster(options) });

test('defaults: a StatefulSet with one pod, behind a Service of its name, deployed again without a failure', () => {
  const { template } = synthAirflow();
  expect(manifestOf(template, 'AirflowDatabaseManifest')).toEqual({
    objects: ['ConfigMap/airflow-postgresql', 'Service/airflow-postgresql', 'StatefulSet/airflow-postgresql'], overwrite: true,
  });
  const { spec } = statefulSetOf(template);
  expect(spec).toMatchObject({ replicas: 1, serviceName: 'airflow-postgresql', selector: { matchLabels: spec.template.metadata.labels } });
  const service = objectsOf(template, 'Service').find(({ metadata }) => metadata.name === 'airflow-postgresql')!;
  expect(service.spec).toEqual({ selector: spec.selector.matchLabels, ports: [{ name: 'postgresql', port: 5432, targetPort: 'postgresql' }] });
});

test('defaults: on the nodes of the database, which can be removed', () => {
  const { spec, annotations } = podOf();
  const { labels, taints } = poolsOf('airflow').database;
  expect(spec.nodeSelector).toEqual(labels);
  expect(spec.tolerations).toEqual(taints!.map(({ key, value }) => ({ key, operator: 'Equal', value, effect: 'NoSchedule' })));
  expect(annotations['cluster-autoscaler.kubernetes.io/safe-to-evict']).toBe('true');
});

test('defaults: one major version, with requests, and the memory as the limit and the base of the buffers', () => {
  const { container } = podOf();
  expect(container.image).toMatch(/^docker\.io\/library\/postgres:16\.\d+-bookworm$/);
  expect(container.resources).toEqual({ requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '1Gi' } });
  expect(container.command).toContain('shared_buffers=256MB');
});

test('defaults: as the user of the access point, without privileges, and with nothing to write but volumes', () => {
  const { spec, container, prepare } = podOf();
  expect(spec.securityContext).toMatchObject({ runAsUser: 1001, runAsGroup: 1001, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  for (const { securityContext } of [container, prepare]) {
    expect(securityContext).toEqual({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true });
  }
  expect(spec.volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: 'data-airflow-postgresql' } });
  expect(container.volumeMounts).toContainEqual({ name: 'data', mountPath: '/var/lib/postgresql/data' });
});

test('defaults: nothing runs on the files while another pod does', () => {
  const { container, prepare } = podOf();
  for (const { command } of [container, prepare]) {
    expect(command.slice(0, 6)).toEqual(['flock', '--verbose', '--no-fork', '--timeout', '300', '/var/lib/postgresql/data/lock']);
  }
});

test('defaults: probes do not end a server that recovers, or that waits for its files', () => {
  const { container: { startupProbe, livenessProbe, readinessProbe } } = podOf();
  expect(livenessProbe.exec.command.pop()).toBe('pg_isready --host=/var/run/postgresql --quiet || [ $? -eq 1 ]'); // 1: it refuses clients
  expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThan(300);
  expect(readinessProbe.exec.command).toEqual(['pg_isready', '--host=/var/run/postgresql', '--quiet']);
});

test('defaults: durability as PostgreSQL has it, which is right on NFS', () => {
  const options = podOf().container.command.filter((argument: string) => argument.includes('='));
  expect(options.filter((option: string) => /^(fsync|full_page_writes|synchronous_commit|wal_sync_method|data_sync_retry)/.test(option))).toEqual([]);
});

test('defaults: the password is in a file, and given to the user at each start', () => {
  const { spec, prepare } = podOf();
  expect(spec.volumes).toContainEqual({ name: 'password', secret: { secretName: 'airflow-secret', items: [{ key: 'postgresql-password', path: 'password' }] } });
  expect(prepare.env).toContainEqual({ name: 'POSTGRES_PASSWORD_FILE', value: '/run/secrets/postgresql/password' });
  expect(prepare.command.slice(-2)).toEqual(['bash', '/etc/postgresql/prepare.sh']);
  const config = objectsOf(synthAirflow().template, 'ConfigMap').find(({ metadata }) => metadata.name === 'airflow-postgresql')!;
  expect(config.data['prepare.sh']).toContain('ALTER ROLE postgres PASSWORD');
});

test('defaults: a deployment waits for the database, and warns of its limits', () => {
  const { stack } = synthAirflow();
  expect(awaitedOf(stack)['Airflow/Database/Ready']).toMatchObject({
    ObjectType: 'statefulset',
    ObjectName: '--field-selector=metadata.name=airflow-postgresql',
    JsonPath: '.items[?(@.status.currentRevision==@.status.updateRevision)].status.readyReplicas',
    TimeoutSeconds: 840,
  });
  Annotations.fromStack(stack).hasWarning('/Data/Airflow/Database', Match.stringLikeRegexp('without a standby.*airflow-on-eks:inClusterDatabase'));
});

test('custom: resources', () => {
  const { container } = podOf(synthWith({ cpu: '2', memory: '4Gi' }));
  expect(container.resources).toEqual({ requests: { cpu: '2', memory: '4Gi' }, limits: { memory: '4Gi' } });
  expect(container.command).toContain('shared_buffers=1024MB');
});

test('custom: a password in a Kubernetes Secret', () => {
  const { spec } = podOf(synthCommunity({ secrets: { databasePassword: AirflowSecret.fromKubernetesSecret('mine', 'pw') } }));
  expect(spec.volumes).toContainEqual({ name: 'password', secret: { secretName: 'mine', items: [{ key: 'pw', path: 'password' }] } });
});

test('a change of options changes only the template of the pod', () => {
  const specOf = (options: InClusterDatabaseOptions) => statefulSetOf(synthWith(options).template).spec;
  const [{ template: before, ...same }, { template: after, ...others }] = [specOf({}), specOf({ cpu: '2', memory: '4Gi' })];
  expect(before).not.toEqual(after);
  expect(same).toEqual(others);
});

test.each<[string, InClusterDatabaseOptions, string]>([
  ['the CPU is not a quantity', { cpu: 'two' }, "'database.cpu' must be a Kubernetes quantity such as '500m' or '2', got 'two'"],
  ['the memory is not a quantity', { memory: '4GB' }, "'database.memory' must be a Kubernetes quantity such as '512Mi' or '2Gi', got '4GB'"],
])('fails when %s', (_name, options, message) => {
  expect(() => synthWith(options)).toThrow(new Error(`Data/Airflow: ${message}`));
});
