import { ApiServerAutoscaling, WorkerAutoscaling } from '../../../src';
import { Json, Props, synthCommunity, valuesOf } from '../../util';

const values = (props?: Props): Json => valuesOf(synthCommunity(props).template);
const autoscalersOf = ({ extraManifests }: Json): Json[] => extraManifests.filter(({ kind }: Json) => kind === 'HorizontalPodAutoscaler');
const autoscaler = (component: string, kind: string, resource: string, bounds: Json) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: `airflow-${component}`, labels: { app: 'airflow', component, release: 'airflow' } },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind, name: `airflow-${component}` },
    ...bounds,
    metrics: [{ type: 'Resource', resource: { name: resource, target: { type: 'Utilization', averageUtilization: 80 } } }],
    behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
  },
});

test('defaults: the numbers of pods are fixed', () => {
  const { web, workers, ...others } = values();
  expect([web.replicas, workers.replicas, autoscalersOf(others)]).toEqual([2, 2, []]);
});

test('custom: only the autoscaler sets the number of workers', () => {
  const { web, workers, ...others } = values({ workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 16 }) } });
  expect([web.replicas, workers.replicas]).toEqual([2, null]);
  expect(autoscalersOf(others)).toEqual([autoscaler('worker', 'StatefulSet', 'memory', { minReplicas: 2, maxReplicas: 16 })]);
});

test('custom: only the autoscaler sets the number of web servers, of which one may be unavailable', () => {
  const { web, workers, ...others } = values({ apiServer: { replicas: 1, autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 6 }) } });
  expect([web.replicas, workers.replicas]).toEqual([null, 2]);
  expect(autoscalersOf(others)).toEqual([autoscaler('web', 'Deployment', 'cpu', { minReplicas: 1, maxReplicas: 6 })]);
  expect(web.podDisruptionBudget).toEqual({ enabled: true, maxUnavailable: 1, minAvailable: '' });
});
