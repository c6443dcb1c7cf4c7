import { Duration, Token } from 'aws-cdk-lib';
import { newStack, synthAirflow, synthCommunity, valuesOf } from './util';
import { AirflowExecutor, WorkerAutoscaling, WorkersOptions } from '../src';
import { workersSettings } from '../src/workers';

const settings = (options?: WorkersOptions, onSpot = true, executor = AirflowExecutor.CELERY) =>
  workersSettings(newStack(), options, executor, onSpot);

const requesting = (cpu: string, memory: string, limit: string) => ({ requests: { cpu, memory }, limits: { memory: limit } });

const onMemory = (averageUtilization: number) =>
  [{ type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization } } }];

const stabilization = (stabilizationWindowSeconds: number) => ({ scaleDown: { stabilizationWindowSeconds } });

test('defaults', () => {
  expect(settings()).toEqual({
    replicas: 2,
    autoscaling: undefined,
    resources: requesting('1', '2Gi', '4Gi'),
    taskResources: requesting('500m', '1Gi', '2Gi'),
    concurrency: undefined,
    terminationGraceSeconds: 600,
    defaultTaskRetries: 2,
  });
  expect(settings({}, false).defaultTaskRetries).toBeUndefined();
  expect(settings({ autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 4 }) }).autoscaling)
    .toEqual({ on: 'resource', minReplicas: 2, maxReplicas: 4, metrics: onMemory(80), behavior: stabilization(300) });
});

test('custom', () => {
  expect(settings({
    replicas: 3,
    autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 9, targetMemoryPercent: 50, scaleDownStabilization: Duration.minutes(10) }),
    cpu: '500m',
    memory: '4Gi',
    memoryLimit: '8Gi',
    concurrency: 4,
    terminationGracePeriod: Duration.minutes(5),
    defaultTaskRetries: 0,
  })).toEqual({
    replicas: 3,
    autoscaling: { on: 'resource', minReplicas: 3, maxReplicas: 9, metrics: onMemory(50), behavior: stabilization(600) },
    resources: requesting('500m', '4Gi', '8Gi'),
    taskResources: requesting('500m', '1Gi', '2Gi'),
    concurrency: 4,
    terminationGraceSeconds: 300,
    defaultTaskRetries: 0,
  });
});

test('the pods of tasks have the resources of the workers if there are no others', () => {
  const { KUBERNETES } = AirflowExecutor;
  expect(settings({}, true, KUBERNETES).taskResources).toEqual(requesting('500m', '1Gi', '2Gi'));
  const taskResources = requesting('2', '3Gi', '4Gi');
  const options = { cpu: '2', memory: '3Gi', memoryLimit: '4Gi' };
  expect(settings(options, true, KUBERNETES).taskResources).toEqual(taskResources);
  expect(valuesOf(synthAirflow({ executor: KUBERNETES, workers: options }).template).workers.kubernetes.resources).toEqual(taskResources);
  const { airflow } = valuesOf(synthCommunity({ executor: KUBERNETES, workers: options }).template);
  expect(airflow.kubernetesPodTemplate.resources).toEqual(taskResources);
});

test('custom: by CPU', () => {
  const onCpu = (targetCpuPercent?: number) => settings({ autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 4, targetCpuPercent }) }).autoscaling;
  const metrics = (averageUtilization: number) => [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }];
  expect(onCpu()).toMatchObject({ metrics: metrics(80) });
  expect(onCpu(60)).toMatchObject({ metrics: metrics(60) });
});

test('custom: by queued tasks, also without workers between tasks', () => {
  expect(settings({ replicas: 0, autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 9 }) })).toMatchObject({
    replicas: 0, autoscaling: { on: 'queuedTasks', minReplicas: 0, maxReplicas: 9, pollingSeconds: 5, behavior: stabilization(300) },
  });
  const options = { maxReplicas: 9, pollingInterval: Duration.seconds(30), scaleDownStabilization: Duration.minutes(1) };
  expect(settings({ autoscaling: WorkerAutoscaling.onQueuedTasks(options) }).autoscaling)
    .toEqual({ on: 'queuedTasks', minReplicas: 2, maxReplicas: 9, pollingSeconds: 30, behavior: stabilization(60) });
});

test('the maximum may be equal to the minimum, and either may be a token', () => {
  const bounds = (replicas: number, maxReplicas: number) =>
    settings({ replicas, autoscaling: WorkerAutoscaling.onMemory({ maxReplicas }) }).autoscaling;
  expect(bounds(3, 3)).toMatchObject({ minReplicas: 3, maxReplicas: 3 });
  const token = Token.asNumber({ Ref: 'Workers' });
  expect(bounds(token, 3)).toMatchObject({ minReplicas: token, maxReplicas: 3 });
  expect(bounds(3, token)).toMatchObject({ minReplicas: 3, maxReplicas: token });
});

test('a worker on a Spot node finishes its tasks and is not evicted without need', () => {
  const { workers, airflow } = valuesOf(synthCommunity().template);
  expect(workers).toMatchObject({
    replicas: 2,
    safeToEvict: false,
    podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false', 'karpenter.sh/do-not-disrupt': 'true' },
    podDisruptionBudget: { enabled: true },
    celery: { gracefullTermination: true, gracefullTerminationPeriod: 540 },
    terminationPeriod: 60,
  });
  expect(airflow.config.AIRFLOW__CORE__DEFAULT_TASK_RETRIES).toBe('2');
});

test('only the autoscaler sets the number of workers', () => {
  const autoscaling = WorkerAutoscaling.onMemory({ maxReplicas: 16 });
  const { workers, extraManifests } = valuesOf(synthCommunity({ workers: { autoscaling } }).template);
  expect(workers.replicas).toBeNull();
  expect(extraManifests[0]).toEqual(expect.objectContaining({
    kind: 'HorizontalPodAutoscaler',
    spec: {
      minReplicas: 2,
      maxReplicas: 16,
      metrics: onMemory(80),
      behavior: stabilization(300),
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'airflow-worker' },
    },
  }));
});

test.each([2, 14])('terminationGracePeriod may be %d minutes', (minutes) => {
  expect(settings({ terminationGracePeriod: Duration.minutes(minutes) }).terminationGraceSeconds).toBe(minutes * 60);
});

const GRACE = "'workers.terminationGracePeriod' must be from 2 to 14 minutes in whole seconds, because the function that deletes the deployment stops after 15 minutes, got";

test.each<[string, WorkersOptions, string]>([
  ['there are no workers', { replicas: 0 },
    "'workers.replicas' must be a whole number of at least 1, got 0; for no workers between tasks use WorkerAutoscaling.onQueuedTasks() or AirflowExecutor.KUBERNETES"],
  ['no worker could report its memory', { replicas: 0, autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 2 }) },
    "'workers.replicas' must be a whole number of at least 1, got 0; for no workers between tasks use WorkerAutoscaling.onQueuedTasks() or AirflowExecutor.KUBERNETES"],
  ['replicas are negative', { replicas: -1, autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 2 }) },
    "'workers.replicas' must be a whole number of at least 0, got -1; for no workers between tasks use WorkerAutoscaling.onQueuedTasks() or AirflowExecutor.KUBERNETES"],
  ['pollingInterval is too long', { autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 2, pollingInterval: Duration.minutes(6) }) },
    "'workers.autoscaling.pollingInterval' must be from 1 second to 5 minutes in whole seconds, got 360 seconds"],
  ['maxReplicas is below replicas', { replicas: 3, autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 2 }) },
    "'workers.autoscaling.maxReplicas' must be at least 'workers.replicas' (3), got 2"],
  ['maxReplicas is below the default of replicas', { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 1 }) },
    "'workers.autoscaling.maxReplicas' must be at least 'workers.replicas' (2), got 1"],
  ['maxReplicas is not a whole number', { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 2.5 }) },
    "'workers.autoscaling.maxReplicas' must be a whole number of at least 1, got 2.5"],
  ['targetMemoryPercent is 0', { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 4, targetMemoryPercent: 0 }) },
    "'workers.autoscaling.targetMemoryPercent' must be a whole number of at least 1, got 0"],
  ['targetCpuPercent is 0', { autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 4, targetCpuPercent: 0 }) },
    "'workers.autoscaling.targetCpuPercent' must be a whole number of at least 1, got 0"],
  ['scaleDownStabilization is too long', { autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 4, scaleDownStabilization: Duration.minutes(61) }) },
    "'workers.autoscaling.scaleDownStabilization' must be at most 1 hour in whole seconds, which is the maximum of Kubernetes, got 3660 seconds"],
  ['terminationGracePeriod is too short', { terminationGracePeriod: Duration.seconds(119) }, `${GRACE} 119 seconds`],
  ['terminationGracePeriod is too long', { terminationGracePeriod: Duration.seconds(841) }, `${GRACE} 841 seconds`],
  ['a worker runs no task', { concurrency: 0 }, "'workers.concurrency' must be a whole number of at least 1, got 0"],
  ['defaultTaskRetries is negative', { defaultTaskRetries: -1 }, "'workers.defaultTaskRetries' must be a whole number of at least 0, got -1"],
])('fails when %s', (_name, options, message) => {
  expect(() => settings(options)).toThrow(new Error(`Data: ${message}`));
});
