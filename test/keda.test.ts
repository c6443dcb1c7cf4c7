import { Template } from 'aws-cdk-lib/assertions';
import { awaitedOf, CLUSTERS, importedCluster, newStack, releasesOf, synthAirflow, valuesOf } from './util';
import { AirflowOnEks, AirflowOnEksProps, Keda, KedaInstallation, WorkerAutoscaling } from '../src';

const workers = { autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 4 }) };

test('defaults', () => {
  const stack = newStack();
  Keda.getOrCreate(importedCluster(stack));
  const template = Template.fromStack(stack);
  const [{ release, namespace, version, properties }] = releasesOf(template);
  expect({ release, namespace, version }).toEqual({ release: 'keda', namespace: 'keda', version: '2.20.2' });
  expect(properties.CreateNamespace).toBe(true);
  expect(properties.Wait).toBeUndefined(); // its pods may run on nodes that a later stack creates
  expect(valuesOf(template, 'keda')).toEqual({
    webhooks: { enabled: false },
    crds: { additionalAnnotations: { 'helm.sh/resource-policy': 'keep' } },
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }],
  });
});

test.each(Object.entries(CLUSTERS))('defaults: what depends on it waits until its definition is established: %s', (_name, make) => {
  const stack = newStack();
  Keda.getOrCreate(make(stack));
  expect(awaitedOf(stack)).toEqual({
    'Cluster/AirflowKeda/ScaledObjectDefinition': expect.objectContaining({
      ObjectType: 'customresourcedefinition',
      ObjectName: 'scaledobjects.keda.sh',
      JsonPath: '.status.conditions[?(@.reason=="InitialNamesAccepted")].status', // 'True' in the condition Established
      TimeoutSeconds: 120,
    }),
  });
});

test.each<[string, Partial<AirflowOnEksProps>, number]>([
  ['workers by queued tasks', { workers }, 1],
  ['on any node', { workers, keda: KedaInstallation.onAnyNode() }, 1],
  ['for a group of workers', { workers: { groups: [{ name: 'gpu', ...workers }] } }, 1],
  ['existing', { workers, keda: KedaInstallation.existing() }, 0],
  ['a fixed number of workers', {}, 0],
  ['workers by memory', { workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 4 }) } }, 0],
])('installation: %s', (_name, props, installed) => {
  expect(releasesOf(synthAirflow(props).template).filter(({ chart }) => chart === 'keda')).toHaveLength(installed);
});

test.each<[string, Partial<AirflowOnEksProps>]>([
  ['a fixed number of workers', {}], ['workers by memory', { workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 4 }) } }],
])('fails when there is an installation for %s', (_name, props) => {
  expect(() => synthAirflow({ ...props, keda: KedaInstallation.existing() })).toThrow(new Error(
    "Data/Airflow: 'keda' has no effect without 'workers.autoscaling: WorkerAutoscaling.onQueuedTasks()'; set that, or remove 'keda'"));
});

test.each(Object.entries(CLUSTERS))('a cluster has one KEDA, which is its child: %s', (_name, make) => {
  const stack = newStack();
  const cluster = make(stack);
  const keda = Keda.getOrCreate(cluster);
  expect(Keda.getOrCreate(cluster)).toBe(keda);
  expect(keda.node.scope).toBe(cluster);
});

test('two deployments share one KEDA', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  new AirflowOnEks(stack, 'One', { cluster, workers, namespace: 'one' });
  new AirflowOnEks(stack, 'Two', { cluster, workers, namespace: 'two' });
  expect(releasesOf(Template.fromStack(stack)).filter(({ chart }) => chart === 'keda')).toHaveLength(1);
});
