import { AirflowExecutor, AirflowOnEksProps, AirflowVariable, ApiServerAutoscaling, WorkerAutoscaling } from '../../../src';
import { countedPodsOfChart, synthCommunity } from '../../util';

const gitSync = { repository: 'https://github.com/example/dags.git' };
const podsOf = (props: Partial<AirflowOnEksProps>) => countedPodsOfChart(synthCommunity(props).airflow);

test('defaults', () => {
  expect(podsOf({})).toEqual([
    ['apiServer', 2, 2, 250, 768],
    ['scheduler', 2, 2, 250, 512],
    ['triggerer', 1, 1, 100, 512],
    ['helmValues.flower', 1, 1, 50, 256],
    ['helmValues.airflow.dbMigrations', 1, 1, 50, 256],
    ['helmValues.airflow.sync', 1, 1, 50, 256],
    ['logs', 1, 1, 10, 32],
    ['databaseCleanup', 1, 1, 100, 256],
    ['workers', 2, 2, 1000, 2048],
  ]);
});

test('custom: git-sync in each pod, pods of tasks, autoscalers, and a pod for each list', () => {
  const pods = podsOf({
    executor: AirflowExecutor.CELERY_KUBERNETES,
    gitSync,
    apiServer: { replicas: 1, autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 3 }) },
    workers: { replicas: 1, autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 8 }) },
    variables: [AirflowVariable.of('stage', 'dev')],
  });
  expect(pods).toEqual(expect.arrayContaining([
    ['apiServer', 1, 3, 300, 832],
    ['triggerer', 1, 1, 150, 576],
    ['workers', 1, 8, 1050, 2112],
    ['helmValues.airflow.kubernetesPodTemplate', 0, 0, 500, 1024],
    ['helmValues.airflow.dbMigrations', 1, 1, 100, 320],
  ]));
  expect(pods.filter(([prop]) => prop === 'helmValues.airflow.sync')).toEqual([0, 1].map(() => ['helmValues.airflow.sync', 1, 1, 100, 320]));
});

test('custom: tasks in pods of their own', () => {
  expect(podsOf({ executor: AirflowExecutor.KUBERNETES, workers: { cpu: '2' } }).filter(([prop]) => prop === 'workers')).toEqual([['workers', 0, 0, 2000, 1024]]);
});

test('custom: containers, replicas and parts in the values of the user', () => {
  const container = (cpu: string, memory: string) => ({ name: 'more', resources: { requests: { cpu, memory } } });
  const pods = podsOf({
    pipPackages: ['apache-airflow-providers-slack'],
    helmValues: {
      airflow: { extraContainers: [container('10m', '32Mi')], initContainers: { installPipPackages: { resources: { requests: { memory: '2Gi' } } } } },
      scheduler: { extraInitContainers: [container('2', '1Gi')] },
      triggerer: { enabled: false },
      flower: { replicas: 3 },
    },
  });
  expect(pods).toEqual(expect.arrayContaining([
    ['apiServer', 2, 2, 260, 2048],
    ['scheduler', 2, 2, 2000, 2048],
    ['helmValues.flower', 3, 3, 60, 2048],
    ['helmValues.airflow.dbMigrations', 1, 1, 50, 2048],
  ]));
  expect(pods.map(([prop]) => prop)).not.toContain('triggerer');
});
