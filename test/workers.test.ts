import { Duration, Token } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { newStack, synthAirflow, synthCommunity, valuesOf } from './util';
import { AirflowExecutor, WorkerAutoscaling, WorkersOptions } from '../src';
import { workersSettings } from '../src/workers';

const settings = (options?: WorkersOptions, onSpot = true, executor = AirflowExecutor.CELERY, defaultQueue?: string) =>
  workersSettings(newStack(), options, { namespace: 'airflow', executor, onSpot, defaultQueue });

const requesting = (cpu: string, memory: string, limit: string) => ({ requests: { cpu, memory }, limits: { memory: limit } });

const onMemory = (averageUtilization: number) =>
  [{ type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization } } }];

const stabilization = (stabilizationWindowSeconds: number) => ({ scaleDown: { stabilizationWindowSeconds } });

test('defaults', () => {
  expect(settings()).toEqual({
    replicas: 2,
    autoscaling: undefined,
    queues: undefined,
    groups: [],
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
    queues: ['default', 'reports'],
  })).toEqual({
    replicas: 3,
    queues: ['default', 'reports'],
    groups: [],
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

const PLACEMENT = { labels: { pool: 'gpu' } };

test('defaults: a group of workers', () => {
  expect(settings({ concurrency: 8, groups: [{ name: 'gpu' }] })).toMatchObject({
    queues: ['default'],
    groups: [{
      name: 'gpu',
      queues: ['gpu'],
      replicas: 2,
      resources: requesting('1', '2Gi', '4Gi'),
      terminationGraceSeconds: 600,
      autoscaling: undefined,
      concurrency: undefined,
      placement: undefined,
    }],
  });
});

test('custom: a group of workers', () => {
  const autoscaling = WorkerAutoscaling.onQueuedTasks({ maxReplicas: 4 });
  expect(settings({
    queues: ['default', 'small'],
    groups: [{
      name: 'gpu',
      queues: ['training', 'inference'],
      replicas: 0,
      autoscaling,
      cpu: '4',
      memory: '16Gi',
      memoryLimit: '16Gi',
      concurrency: 1,
      terminationGracePeriod: Duration.minutes(14),
      placement: PLACEMENT,
      extendedResources: { 'nvidia.com/gpu': '1' },
    }],
  })).toMatchObject({
    queues: ['default', 'small'],
    groups: [{
      queues: ['training', 'inference'],
      replicas: 0,
      autoscaling: { on: 'queuedTasks', minReplicas: 0, maxReplicas: 4 },
      resources: { requests: { cpu: '4', memory: '16Gi' }, limits: { 'memory': '16Gi', 'nvidia.com/gpu': '1' } },
      concurrency: 1,
      terminationGraceSeconds: 840,
      placement: PLACEMENT,
    }],
  });
});

test('the workers outside the groups take the tasks of the default queue, whatever its name', () => {
  const queuesOf = (options: WorkersOptions, defaultQueue?: string) => settings(options, false, AirflowExecutor.CELERY, defaultQueue).queues;
  expect(queuesOf({}, 'default')).toBeUndefined();
  expect(queuesOf({}, 'etl')).toEqual(['etl']);
  expect(queuesOf({ groups: [{ name: 'gpu' }] }, 'etl')).toEqual(['etl']);
  for (const props of [{ config: { 'operators.default_queue': 'etl' } }, { environment: { AIRFLOW__OPERATORS__DEFAULT_QUEUE: 'etl' } }]) {
    expect(valuesOf(synthAirflow(props).template).workers.celery.queue).toBe('etl');
  }
});

test.each<[string, WorkersOptions, string, boolean]>([
  ['of no workers', { queues: ['reports'] }, 'default', true],
  ['of no workers, with another name', { queues: ['default'] }, 'etl', true],
  ['of a group', { queues: ['reports'], groups: [{ name: 'gpu', queues: ['default'] }] }, 'default', false],
  ['whose name is a token', { queues: ['reports'] }, Token.asString({ Ref: 'Queue' }), false],
])('warns about the default queue, whose tasks wait for workers: %s', (_name, workers, defaultQueue, warns) => {
  const { stack } = synthAirflow({ workers, config: { 'operators.default_queue': defaultQueue } });
  expect(Annotations.fromStack(stack).findWarning('/Data/Airflow', Match.stringLikeRegexp(
    `^No worker takes the tasks of the default queue '${defaultQueue}', in which tasks without a 'queue' wait; .*airflow-on-eks:defaultQueueNotServed`))).toHaveLength(warns ? 1 : 0);
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
  ['there are no queues', { queues: [] }, "'workers.queues' must contain at least one queue, got none; remove it for the default"],
  ['queues are text', { queues: 'default' as any }, "'workers.queues' must be a list, got 'default'"],
  ['a queue is an option', { queues: ['a --autoscale=9'] }, "'workers.queues' must be names of letters, digits, and - _ . inside, got 'a --autoscale=9'"],
  ['two queues are in one text', { queues: ['a,b'] }, "'workers.queues' must be names of letters, digits, and - _ . inside, got 'a,b'"],
  ['a queue occurs twice', { queues: ['a', 'a'] }, "'workers.queues' must not contain a queue of other workers, got 'a', which is in 'workers.queues'"],
  ['two groups share a queue', { groups: [{ name: 'a', queues: ['x', 'y'] }, { name: 'b', queues: ['z', 'x'] }] },
    "'workers.groups.b.queues' must not contain a queue of other workers, got 'x', which is in 'workers.groups.a.queues'"],
  ['a group takes the default queue away', { groups: [{ name: 'a', queues: ['default'] }] },
    "'workers.groups.a.queues' must not contain a queue of other workers, got 'default', which is in 'workers.queues'"],
  ['two groups have one name', { groups: [{ name: 'a' }, { name: 'a', queues: ['b'] }] }, "'workers.groups' must contain each name only once, got 'a' twice"],
  ['groups are a map', { groups: { gpu: {} } as any }, "'workers.groups' must be a list, got an object of the type Object"],
  ['a group has a name of the chart', { groups: [{ name: 'default' }] },
    "'workers.groups.name' must be a name other than 'default' and 'main', known at synthesis, got 'default'"],
  ['a group has a token as name', { groups: [{ name: Token.asString({ Ref: 'Group' }) }] },
    "'workers.groups.name' must be a name other than 'default' and 'main', known at synthesis, got a token"],
  ['a group has no name', { groups: [{} as any] }, "'workers.groups.name' must be at most 48 lower case letters, digits, and - inside, got undefined"],
  ['the name of a group is no name of Kubernetes', { groups: [{ name: 'High_CPU' }] }, "'workers.groups.name' must be at most 48 lower case letters, digits, and - inside, got 'High_CPU'"],
  ['the name of a group is too long', { groups: [{ name: 'a'.repeat(49) }] }, `'workers.groups.name' must be at most 48 lower case letters, digits, and - inside, got '${'a'.repeat(49)}'`],
  ['a group has no workers', { groups: [{ name: 'a', replicas: 0 }] },
    "'workers.groups.a.replicas' must be a whole number of at least 1, got 0; for no workers between tasks use WorkerAutoscaling.onQueuedTasks() or AirflowExecutor.KUBERNETES"],
  ['a group has the maximum of another one', { groups: [{ name: 'a', autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 1 }) }] },
    "'workers.groups.a.autoscaling.maxReplicas' must be at least 'workers.groups.a.replicas' (2), got 1"],
  ['a group requests what is no quantity', { groups: [{ name: 'a', memory: '2GB' }] }, "'workers.groups.a.memory' must be a Kubernetes quantity such as '512Mi' or '2Gi', got '2GB'"],
  ['an extended resource has no domain', { groups: [{ name: 'a', extendedResources: { gpu: '1' } }] },
    "'workers.groups.a.extendedResources' must be names such as 'nvidia.com/gpu', got 'gpu'"],
  ['an extended resource is a number', { groups: [{ name: 'a', extendedResources: { 'nvidia.com/gpu': 1 as any } }] },
    "'workers.groups.a.extendedResources.nvidia.com/gpu' must be a whole number as text, such as '1', got 1"],
  ['the nodes of a group have a malformed label', { groups: [{ name: 'a', placement: { labels: { pool: 'g p u' } } }] },
    "'workers.groups.a.placement.labels.pool' must be a value of a label (at most 63 letters, digits, and - _ . inside), got 'g p u'"],
  ['defaultTaskRetries is negative', { defaultTaskRetries: -1 }, "'workers.defaultTaskRetries' must be a whole number of at least 0, got -1"],
])('fails when %s', (_name, options, message) => {
  expect(() => settings(options)).toThrow(new Error(`Data: ${message}`));
});
