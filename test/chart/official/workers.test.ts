import { Token } from 'aws-cdk-lib';
import { officialValues } from './util';
import { AirflowExecutor, WorkerAutoscaling, WorkersOptions } from '../../../src';
import { Json } from '../../util';

const celery = (workers: WorkersOptions, airflowVersion?: string, executor?: AirflowExecutor): Json =>
  officialValues({ workers, executor }, airflowVersion).workers.celery;
const command = (options: string) => ['bash', '-c', `exec airflow celery worker ${options}`];

test('defaults: the arguments and the query of the chart, for the default queue', () => {
  const { args, queue, sets, enableDefault, topologySpreadConstraints } = celery({});
  expect([args, queue, sets, enableDefault]).toEqual([undefined, undefined, undefined, true]);
  expect(topologySpreadConstraints[0].matchLabelKeys).toBeUndefined();
});

test('custom: queues', () => {
  expect(celery({ queues: ['default', 'reports'] })).toMatchObject({ queue: 'default,reports', args: command('--queues default,reports'), enableDefault: true });
});

test('custom: a group is a set of the chart, and so are all other workers, whose selector would select its pods otherwise', () => {
  const { enableDefault, args, sets, topologySpreadConstraints } = celery({ groups: [{ name: 'memory', queues: ['reports', 'exports'], replicas: 1, memory: '12Gi' }] });
  expect([enableDefault, args]).toEqual([false, command('--queues default')]);
  expect(sets).toEqual([{ name: 'main' }, {
    name: 'memory',
    queue: 'reports,exports',
    args: command('--queues reports,exports'),
    replicas: 1,
    resources: { requests: { cpu: '1', memory: '12Gi' }, limits: { memory: '24Gi' } },
    terminationGracePeriodSeconds: 600,
    hpa: { enabled: false },
    keda: { enabled: false },
  }]);
  expect(topologySpreadConstraints[0].matchLabelKeys).toEqual(['worker-set']);
});

test('custom: nodes of its own', () => {
  const [, group] = celery({ groups: [{ name: 'gpu', placement: { labels: { pool: 'gpu' }, taints: [{ key: 'gpu' }] } }] }).sets;
  expect(group).toMatchObject({ nodeSelector: { pool: 'gpu' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] });
});

test('custom: an autoscaler of its own', () => {
  const [, group] = celery({ groups: [{ name: 'gpu', autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 4 }) }] }).sets;
  expect(group).toMatchObject({ keda: { enabled: false }, hpa: { enabled: true, minReplicaCount: 2, maxReplicaCount: 4 } });
});

const onQueuedTasks = WorkerAutoscaling.onQueuedTasks({ maxReplicas: 4 });
const COUNT = "FROM task_instance WHERE state IN ('running', 'queued') AND queue IN ('a', 'b')";

test.each<[string, WorkersOptions, string | undefined, string, AirflowExecutor | undefined]>([
  ['that of the chart', { concurrency: 8 }, undefined, '3.3.2', undefined],
  ['its own concurrency', { concurrency: 1 }, `SELECT ceil(COUNT(*)::decimal / 1) ${COUNT}`, '3.3.2', undefined],
  ['its own concurrency, both executors', { concurrency: 4 }, `SELECT ceil(COUNT(*)::decimal / 4) ${COUNT} AND executor IS DISTINCT FROM 'KubernetesExecutor'`, '3.3.2',
    AirflowExecutor.CELERY_KUBERNETES],
  ['its own concurrency, both executors of Airflow 2', { concurrency: 4 }, `SELECT ceil(COUNT(*)::decimal / 4) ${COUNT}`, '2.11.2', AirflowExecutor.CELERY_KUBERNETES],
])('custom: the query of KEDA: %s', (name, { concurrency }, query, airflowVersion, executor) => {
  const group = { name: 'a', queues: ['a', 'b'], autoscaling: onQueuedTasks };
  const workers = name === 'that of the chart' ? { concurrency, groups: [group] } : { concurrency: 8, groups: [{ ...group, concurrency }] };
  const [, { keda, args }] = celery(workers, airflowVersion, executor).sets;
  expect(keda).toMatchObject({ enabled: true, minReplicaCount: 2, maxReplicaCount: 4 });
  expect([keda.query, args]).toEqual([query, command(query ? `--queues a,b --concurrency ${concurrency}` : '--queues a,b')]);
});

test('custom: a concurrency that is a token', () => {
  const concurrency = Token.asNumber({ Ref: 'Concurrency' });
  const [, { args }] = celery({ groups: [{ name: 'a', concurrency }] }).sets;
  expect(args[2]).toMatch(/ --concurrency [^-\d]/);
});
