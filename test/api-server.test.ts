import { Duration } from 'aws-cdk-lib';
import { newStack } from './util';
import { ApiServerAutoscaling, ApiServerOptions } from '../src';
import { apiServerSettings } from '../src/api-server';

const settings = (options?: ApiServerOptions) => apiServerSettings(newStack(), options);
const by = (name: string, averageUtilization: number) => [{ type: 'Resource', resource: { name, target: { type: 'Utilization', averageUtilization } } }];

test('defaults', () => {
  expect(settings()).toEqual({
    replicas: 2, autoscaling: undefined, resources: { requests: { cpu: '250m', memory: '768Mi' }, limits: { memory: '1536Mi' } },
  });
  expect(settings({ autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 4 }) }).autoscaling).toEqual({
    on: 'resource', minReplicas: 2, maxReplicas: 4, metrics: by('cpu', 80), behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
  });
});

test('custom', () => {
  const options = { maxReplicas: 9, scaleDownStabilization: Duration.minutes(10) };
  const behavior = { scaleDown: { stabilizationWindowSeconds: 600 } };
  expect(settings({ replicas: 3, autoscaling: ApiServerAutoscaling.onCpu({ ...options, targetCpuPercent: 60 }) }).autoscaling)
    .toEqual({ on: 'resource', minReplicas: 3, maxReplicas: 9, metrics: by('cpu', 60), behavior });
  expect(settings({ replicas: 1, autoscaling: ApiServerAutoscaling.onMemory({ ...options, targetMemoryPercent: 70 }) }).autoscaling)
    .toEqual({ on: 'resource', minReplicas: 1, maxReplicas: 9, metrics: by('memory', 70), behavior });
});

test.each<[string, ApiServerOptions, string]>([
  ['there are no replicas', { replicas: 0, autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 4 }) }, "'apiServer.replicas' must be a whole number of at least 1, got 0"],
  ['maxReplicas is below replicas', { replicas: 3, autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 2 }) },
    "'apiServer.autoscaling.maxReplicas' must be at least 'apiServer.replicas' (3), got 2"],
  ['targetMemoryPercent is 0', { autoscaling: ApiServerAutoscaling.onMemory({ maxReplicas: 4, targetMemoryPercent: 0 }) },
    "'apiServer.autoscaling.targetMemoryPercent' must be a whole number of at least 1, got 0"],
  ['scaleDownStabilization is too long', { autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 4, scaleDownStabilization: Duration.hours(2) }) },
    "'apiServer.autoscaling.scaleDownStabilization' must be at most 1 hour in whole seconds, which is the maximum of Kubernetes, got 7200 seconds"],
])('fails when %s', (_name, options, message) => {
  expect(() => settings(options)).toThrow(new Error(`Data: ${message}`));
});
