import { Duration } from 'aws-cdk-lib';
import { AirflowExecutor, AirflowSecret, WorkerAutoscaling } from '../../../src';
import { Json, Props, synthCommunity, valuesOf } from '../../util';

const values = (props?: Props): Json => valuesOf(synthCommunity(props).template);

test('defaults: workers have ten minutes to finish their tasks, and are not evicted to save nodes', () => {
  const { workers } = values();
  expect(workers).toMatchObject({
    enabled: true,
    replicas: 2,
    resources: { requests: { cpu: '1', memory: '2Gi' } },
    safeToEvict: false,
    podDisruptionBudget: { enabled: true, maxUnavailable: '20%', minAvailable: '' },
    topologySpreadConstraints: [{ topologyKey: 'topology.kubernetes.io/zone', labelSelector: { matchLabels: { app: 'airflow', component: 'worker', release: 'airflow' } } }],
    celery: { gracefullTermination: true, gracefullTerminationPeriod: 540 },
    terminationPeriod: 60,
    autoscaling: { enabled: false },
    logCleanup: { enabled: false },
  });
});

test('defaults: the broker and Flower read their passwords from a Secret', () => {
  const { redis, flower } = values();
  expect(redis).toMatchObject({ enabled: true, password: '', existingSecret: 'airflow-secret', existingSecretPasswordKey: 'redis-password', master: { command: '' } });
  expect(flower).toEqual({ enabled: true, basicAuthSecret: 'airflow-secret', basicAuthSecretKey: 'flower-basic-auth' });
});

test('custom: workers', () => {
  expect(values({ workers: { replicas: 1, cpu: '2', memory: '4Gi', memoryLimit: '8Gi', terminationGracePeriod: Duration.minutes(14) } }).workers).toMatchObject({
    replicas: 1,
    resources: { requests: { cpu: '2', memory: '4Gi' }, limits: { memory: '8Gi' } },
    celery: { gracefullTerminationPeriod: 780 },
    terminationPeriod: 60,
  });
});

test('custom: only the autoscaler sets the number of workers', () => {
  const { workers, extraManifests } = values({ workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 16 }) } });
  expect(workers.replicas).toBeNull();
  expect(extraManifests).toContainEqual({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'airflow-worker', labels: { app: 'airflow', component: 'worker', release: 'airflow' } },
    spec: {
      minReplicas: 2,
      maxReplicas: 16,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'airflow-worker' },
      metrics: [{ type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
    },
  });
});

test('custom: without Celery, no workers, no broker and no Flower', () => {
  const { workers, redis, flower } = values({ executor: AirflowExecutor.KUBERNETES });
  expect([workers, redis, flower]).toEqual([{ enabled: false }, { enabled: false }, { enabled: false }]);
});

test('custom: Kubernetes Secrets', () => {
  const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);
  const { redis, flower } = values({ secrets: { brokerPassword: own('redis'), flowerPassword: own('flower') } });
  expect(redis).toMatchObject({ existingSecret: 'mine', existingSecretPasswordKey: 'redis' });
  expect(flower).toMatchObject({ basicAuthSecret: 'mine', basicAuthSecretKey: 'flower' });
});
