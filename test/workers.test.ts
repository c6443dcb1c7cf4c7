import { Duration } from 'aws-cdk-lib';
import { newStack, synthAirflow, valuesOf } from './util';
import { WorkersOptions } from '../src';
import { workersSettings } from '../src/workers';

const settings = (options: WorkersOptions = {}, onSpot = true) => workersSettings(newStack(), options, onSpot);

test('defaults', () => {
  expect(settings()).toEqual({
    replicas: 2, autoscaling: undefined, requests: { cpu: '1', memory: '2Gi' }, terminationGraceSeconds: 600, defaultTaskRetries: 2,
  });
  expect(settings({}, false).defaultTaskRetries).toBeUndefined();
  expect(settings({ autoscaling: { maxReplicas: 4 } }).autoscaling).toEqual({ maxReplicas: 4, targetMemoryPercent: 80 });
});

test('custom', () => {
  expect(settings({
    replicas: 3, autoscaling: { maxReplicas: 9, targetMemoryPercent: 50 }, cpu: '500m', memory: '4Gi', terminationGracePeriod: Duration.minutes(5), defaultTaskRetries: 0,
  })).toEqual({
    replicas: 3,
    autoscaling: { maxReplicas: 9, targetMemoryPercent: 50 },
    requests: { cpu: '500m', memory: '4Gi' },
    terminationGraceSeconds: 300,
    defaultTaskRetries: 0,
  });
});

test('a worker on Spot finishes its tasks, and is not taken away for nothing', () => {
  const { workers, airflow } = valuesOf(synthAirflow().template);
  expect(workers).toMatchObject({
    replicas: 2,
    safeToEvict: false,
    podDisruptionBudget: { enabled: true },
    celery: { gracefullTermination: true, gracefullTerminationPeriod: 540 },
    terminationPeriod: 60,
  });
  expect(airflow.config.AIRFLOW__CORE__DEFAULT_TASK_RETRIES).toBe('2');
});

test('the number of workers is the autoscaler\'s alone', () => {
  const { workers, extraManifests } = valuesOf(synthAirflow({ workers: { autoscaling: { maxReplicas: 16 } } }).template);
  expect(workers.replicas).toBeNull();
  expect(extraManifests).toEqual([expect.objectContaining({
    kind: 'HorizontalPodAutoscaler', spec: expect.objectContaining({ minReplicas: 2, maxReplicas: 16, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'airflow-worker' } }),
  })]);
});

test.each<[string, WorkersOptions, string]>([
  ['replicas is 0', { replicas: 0 }, "'workers.replicas' must be at least 1, got 0; for no Celery workers use AirflowExecutor.KUBERNETES"],
  ['maxReplicas is below replicas', { replicas: 3, autoscaling: { maxReplicas: 2 } },
    "'workers.autoscaling.maxReplicas' must be at least 'workers.replicas' (3), got 2"],
  ['terminationGracePeriod is too short', { terminationGracePeriod: Duration.seconds(60) }, "'workers.terminationGracePeriod' must be at least 120 seconds, got 60"],
])('fails when %s', (_name, options, message) => {
  expect(() => settings(options)).toThrow(new Error(`Data: ${message}`));
});
