import { Lazy } from 'aws-cdk-lib';
import { podRequests, podRequestsOf } from '../src/pod-requests';

const container = (cpu: any, memory: any) => ({ resources: { requests: { cpu, memory } } });
const sidecar = (cpu: string, memory: string) => ({ ...container(cpu, memory), restartPolicy: 'Always' });
const pods = { prop: 'scheduler', nodeSelector: { type: 'af' }, replicas: 2 };
const requests = (containers: any[], initContainers?: any[]) => {
  const { cpu, memory } = podRequests(pods, { containers, initContainers });
  return [cpu, memory];
};

test('defaults: as many pods at most as without load', () => {
  expect(podRequests(pods, { containers: [] })).toEqual({ ...pods, maxReplicas: 2, cpu: 0, memory: 0 });
  expect(podRequests({ ...pods, maxReplicas: 5 }, { containers: [] }).maxReplicas).toBe(5);
});

test.each<[string, any[], any[] | undefined, [number, number]]>([
  ['the containers together', [container('500m', '1Gi'), container('1.5', '512Mi')], undefined, [2000, 1536]],
  ['an init container that requests more', [container('500m', '1Gi'), container('500m', '1Gi')], [container('1', '3Gi'), container('100m', '64Mi')], [1000, 3072]],
  ['an init container with more of one resource', [container('500m', '1Gi')], [container('2', '64Mi')], [2000, 1024]],
  ['a sidecar, beside the containers', [container('500m', '1Gi')], [sidecar('100m', '128Mi')], [600, 1152]],
  ['a sidecar, beside an init container that comes later', [container('100m', '1Mi')], [sidecar('100m', '128Mi'), container('1', '1Gi')], [1100, 1152]],
  ['no sidecar beside an init container that comes earlier', [container('100m', '1Mi')], [container('1', '1Gi'), sidecar('100m', '128Mi')], [1000, 1024]],
  ['a limit where there is no request', [{ resources: { limits: { memory: '1G', cpu: 2 } } }], undefined, [2000, 1e9 / 2 ** 20]],
  ['nothing where there is neither', [{}, { resources: {} }], undefined, [0, 0]],
  ['numbers, as YAML reads them', [container(1, 2 ** 30)], undefined, [1000, 1024]],
])('a pod requests %s', (_name, containers, initContainers, expected) => {
  expect(requests(containers, initContainers)).toEqual(expected);
});

test('the request of a token is not known', () => {
  const token = Lazy.string({ produce: () => '1' });
  expect(requests([container(token, '1Gi')])).toEqual([NaN, 1024]);
  expect(requests([container('1', Lazy.number({ produce: () => 1 }))])).toEqual([1000, NaN]);
});

test('the pods of the workloads in a manifest', () => {
  const workload = (kind: string, replicas: number) => ({ kind, spec: { replicas, template: { spec: { nodeSelector: { type: 'db' }, containers: [container('1', '1Gi')] } } } });
  const cronJob = { kind: 'CronJob', spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: workload('', 0).spec.template } } } };
  const objects = [{ kind: 'ConfigMap', data: {} }, { kind: 'Service', spec: { ports: [] } }, workload('Deployment', 2), workload('StatefulSet', 1), cronJob];
  const pod = { prop: 'database', nodeSelector: { type: 'db' }, cpu: 1000, memory: 1024 };
  expect(podRequestsOf('database', objects)).toEqual([{ ...pod, replicas: 2, maxReplicas: 2 }, ...[1, 1].map((replicas) => ({ ...pod, replicas, maxReplicas: replicas }))]);
});
