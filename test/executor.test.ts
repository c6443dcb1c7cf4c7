import * as iam from 'aws-cdk-lib/aws-iam';
import { synthAirflow, synthCommunity, valuesOf } from './util';
import { AirflowChart, AirflowExecutor, AirflowNodePools, AirflowOnEksProps, CeleryBroker } from '../src';
import { hasCelery, hasKubernetes } from '../src/executor';

test.each([
  [AirflowExecutor.CELERY, 'CeleryExecutor', true, false],
  [AirflowExecutor.KUBERNETES, 'KubernetesExecutor', false, true],
  [AirflowExecutor.CELERY_KUBERNETES, 'CeleryKubernetesExecutor', true, true],
])('%s', (executor, value, celery, kubernetes) => {
  expect([hasCelery(executor), hasKubernetes(executor)]).toEqual([celery, kubernetes]);
  const values = valuesOf(synthCommunity({ executor }).template);
  expect(values.airflow.executor).toBe(value);
  expect([values.workers.enabled, values.flower.enabled]).toEqual([celery, celery]);
  expect('kubernetesPodTemplate' in values.airflow).toBe(kubernetes);
});

test.each([
  [AirflowExecutor.CELERY, 'CeleryExecutor', true],
  [AirflowExecutor.KUBERNETES, 'KubernetesExecutor', false],
  [AirflowExecutor.CELERY_KUBERNETES, 'CeleryExecutor,KubernetesExecutor', true],
  [AirflowExecutor.LOCAL, 'LocalExecutor', false],
])('Airflow 3 with %s', (executor, value, celery) => {
  const values = valuesOf(synthAirflow({ executor }).template);
  expect([values.executor, values.flower.enabled]).toEqual([value, celery]);
});

test('LOCAL: tasks run in the scheduler, which finishes them', () => {
  const { airflow, template } = synthAirflow({ executor: AirflowExecutor.LOCAL });
  expect([hasCelery(AirflowExecutor.LOCAL), hasKubernetes(AirflowExecutor.LOCAL)]).toEqual([false, false]);
  const { scheduler, workers } = valuesOf(template);
  expect(scheduler).toMatchObject({
    replicas: 1,
    resources: { requests: { cpu: '1', memory: '2Gi' } },
    strategy: { type: 'Recreate' },
    terminationGracePeriodSeconds: 600,
    env: [{ name: 'DUMB_INIT_SETSID', value: '0' }],
    safeToEvict: false,
    podAnnotations: { 'karpenter.sh/do-not-disrupt': 'true', 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
  });
  expect(workers.celery.enableDefault).toBe(false);
  expect([airflow.broker, airflow.secrets.flowerPassword]).toEqual([undefined, undefined]);
});

test('LOCAL: replicas, resources and the environment of the scheduler', () => {
  const { scheduler } = valuesOf(synthAirflow({
    executor: AirflowExecutor.LOCAL, scheduler: { replicas: 2, memory: '4Gi' }, helmValues: { scheduler: { env: [{ name: 'A', value: 'b' }] } },
  }).template);
  expect(scheduler).toMatchObject({ replicas: 2, resources: { requests: { cpu: '1', memory: '4Gi' } } });
  expect(scheduler.env).toEqual([{ name: 'DUMB_INIT_SETSID', value: '0' }, { name: 'A', value: 'b' }]);
});

test('with other executors, the scheduler stops at once', () => {
  const { scheduler } = valuesOf(synthAirflow().template);
  expect(scheduler.replicas).toBe(2);
  ['strategy', 'terminationGracePeriodSeconds', 'env', 'podAnnotations'].forEach((value) => expect(scheduler).not.toHaveProperty(value));
});

describe('LOCAL fails when', () => {
  const local = (props: Partial<AirflowOnEksProps>) => () => synthAirflow({ executor: AirflowExecutor.LOCAL, ...props });
  const NODES = "'nodePools.workers' must not be set with AirflowExecutor.LOCAL, whose tasks run in the scheduler, got nodes for workers;"
    + " remove it, and use 'nodePools.stateless' for the nodes of the scheduler";

  test.each<[string, Partial<AirflowOnEksProps>, string]>([
    ['the chart is that of the community', { chart: AirflowChart.community() },
      "Data/Airflow: 'executor' must be one of the community chart, got AirflowExecutor.LOCAL; use another executor, or AirflowChart.official()"],
    ['there are workers', { workers: { concurrency: 4 } },
      "Data/Airflow: 'workers.concurrency' needs an executor with Celery workers, got AirflowExecutor.LOCAL; remove it, or use AirflowExecutor.CELERY_KUBERNETES"],
    ['there is a broker', { broker: CeleryBroker.inCluster() },
      "Data/Airflow: 'broker' must not be set with AirflowExecutor.LOCAL, which has no broker; remove it, or use another executor"],
    ['there are managed nodes for workers', { nodePools: AirflowNodePools.managedNodeGroups({ workers: {} }) }, `Data/Airflow/NodePools: ${NODES}`],
    ['there are NodePools for workers', { nodePools: AirflowNodePools.karpenter({ workers: {} }) }, `Data/Airflow/NodePools: ${NODES}`],
  ])('%s', (_name, props, message) => {
    expect(local(props)).toThrow(new Error(message));
  });

  test('there are existing nodes for workers', () => {
    expect(() => synthAirflow((stack) => ({
      executor: AirflowExecutor.LOCAL,
      nodePools: AirflowNodePools.existing({ stateless: { labels: {} }, workers: { labels: {} }, nodeRole: iam.Role.fromRoleName(stack, 'Nodes', 'nodes') }),
    }))).toThrow(new Error(`Data/Airflow: ${NODES}`));
  });
});
