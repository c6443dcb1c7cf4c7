import { synthOfficial } from './util';
import { AirflowExecutor, AirflowOnEksProps, ApiServerAutoscaling, WorkerAutoscaling } from '../../../src';
import { countedPodsOfChart } from '../../util';

const gitSync = { repository: 'https://github.com/example/dags.git' };
const podsOf = (props: Partial<AirflowOnEksProps>) => countedPodsOfChart(synthOfficial(props).airflow);

test('defaults', () => {
  expect(podsOf({})).toEqual([
    ['apiServer', 2, 2, 250, 768],
    ['scheduler', 2, 2, 250, 512],
    ['dagProcessor', 1, 1, 310, 608],
    ['triggerer', 1, 1, 100, 512],
    ['helmValues.flower', 1, 1, 50, 256],
    ['helmValues.statsd', 1, 1, 20, 32],
    ['helmValues.databaseCleanup', 1, 1, 100, 256],
    ['workers', 2, 2, 1000, 2048],
  ]);
});

test('custom: git-sync in each pod that reads DAGs, pods of tasks, and autoscalers', () => {
  const pods = podsOf({
    executor: AirflowExecutor.CELERY_KUBERNETES,
    gitSync,
    apiServer: { autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 3 }) },
    workers: { replicas: 0, autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 8 }) },
  });
  expect(pods).toEqual(expect.arrayContaining([
    ['apiServer', 2, 3, 250, 768],
    ['scheduler', 2, 2, 250, 512],
    ['dagProcessor', 1, 1, 360, 672],
    ['triggerer', 1, 1, 150, 576],
    ['workers', 0, 8, 1050, 2112],
    ['helmValues.workers.kubernetes', 0, 0, 500, 1024],
  ]));
});

test('custom: tasks in pods of their own, or in the scheduler', () => {
  expect(podsOf({ executor: AirflowExecutor.KUBERNETES, workers: { cpu: '2' } })).toContainEqual(['workers', 0, 0, 2000, 1024]);
  const local = podsOf({ executor: AirflowExecutor.LOCAL, gitSync });
  expect(local).toContainEqual(['scheduler', 1, 1, 1050, 2112]);
  expect(local.map(([prop]) => prop)).not.toContain('workers');
});

test('custom: groups of workers', () => {
  const { groups, autoscaling } = { groups: [{ name: 'big', replicas: 3, cpu: '4', memory: '4Gi' }], autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 5 }) };
  const pods = podsOf({ workers: { autoscaling, groups: [...groups, { name: 'gpu', placement: { labels: { gpu: 'true' } } }] } });
  expect(pods.filter(([prop]) => String(prop).startsWith('workers'))).toEqual([['workers', 2, 5, 1000, 2048], ['workers.groups.big', 3, 3, 4000, 4096]]);
});

test('custom: sidecars and parts in the values of the user', () => {
  const pods = podsOf({
    helmValues: {
      scheduler: { extraContainers: [{ name: 'proxy', resources: { limits: { memory: '1Gi' } } }] },
      triggerer: { enabled: false },
      flower: { resources: { requests: { memory: '1Gi' } } },
    },
    removedHelmValues: ['statsd.resources'],
  });
  expect(pods).toEqual(expect.arrayContaining([
    ['scheduler', 2, 2, 250, 1536],
    ['helmValues.flower', 1, 1, 50, 1024],
    ['helmValues.statsd', 1, 1, 0, 0],
  ]));
  expect(pods.map(([prop]) => prop)).not.toContain('triggerer');
});
