import { Duration, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as efs from 'aws-cdk-lib/aws-efs';
import { AirflowChart, AirflowExecutor, AirflowImage, AirflowNodePools, EfsCsiDriverInstallation } from '../../src';
import { awaitedOf, Json, Props, synthAirflow } from '../util';

/** The workloads for which a deployment waits, by their IDs. */
function readinessOf(stack: Stack): Record<string, Json> {
  const path = 'Airflow/Ready/';
  const found = Object.entries(awaitedOf(stack)).filter(([id]) => id.startsWith(path));
  return Object.fromEntries(found.map(([id, properties]) => [id.slice(path.length), properties]));
}

/** Gets a list, in which fields of an object can be compared with each other. */
const SELECTOR = '--field-selector=metadata.name=';
const readiness = (props?: Props) => readinessOf(synthAirflow(props).stack);
const namesOf = (found: Record<string, Json>) => Object.fromEntries(Object.entries(found).map(([id, { ObjectType, ObjectName }]) => [id, `${ObjectType}/${ObjectName.replace(SELECTOR, '')}`]));

const OFFICIAL = {
  DagProcessor: 'deployment/airflow-dag-processor',
  ApiServer: 'deployment/airflow-api-server',
  Scheduler: 'deployment/airflow-scheduler',
  Triggerer: 'deployment/airflow-triggerer',
  Workers: 'deployment/airflow-worker',
  Flower: 'deployment/airflow-flower',
};
const COMMUNITY = {
  Migrations: 'deployment/airflow-db-migrations',
  ApiServer: 'deployment/airflow-web',
  Scheduler: 'deployment/airflow-scheduler',
  Triggerer: 'deployment/airflow-triggerer',
  Workers: 'statefulset/airflow-worker',
  Flower: 'deployment/airflow-flower',
};

test.each<[string, AirflowChart, Record<string, string>]>([
  ['official', AirflowChart.official(), OFFICIAL],
  ['official, Airflow 2.11', AirflowChart.official({ airflowVersion: '2.11.2' }), { ...OFFICIAL, ApiServer: 'deployment/airflow-webserver' }],
  ['community', AirflowChart.community(), COMMUNITY],
])('defaults: a resource for each workload, whose name says what a deployment waits for: %s', (_name, chart, workloads) => {
  expect(namesOf(readiness({ chart }))).toEqual(workloads);
});

test('custom: a resource for each group of workers', () => {
  const { Workers, ...others } = OFFICIAL;
  expect(Workers).toBe('deployment/airflow-worker');
  expect(namesOf(readiness({ workers: { groups: [{ name: 'gpu' }, { name: 'memory' }] } }))).toEqual({
    ...others, 'Workers': 'deployment/airflow-worker-main', 'Workers-gpu': 'deployment/airflow-worker-gpu', 'Workers-memory': 'deployment/airflow-worker-memory',
  });
});

test('defaults: up to 14 minutes, for a field that exists when a workload is ready', () => {
  const observed = '.items[?(@.status.observedGeneration==@.metadata.generation)]';
  const { Scheduler, Workers } = readiness({ chart: AirflowChart.community() });
  expect(Scheduler).toMatchObject({
    ObjectName: '--field-selector=metadata.name=airflow-scheduler',
    ObjectNamespace: 'airflow',
    JsonPath: `${observed}.status.conditions[?(@.reason=="NewReplicaSetAvailable")].status`,
    TimeoutSeconds: 840,
  });
  expect(Workers.JsonPath).toBe(`${observed}.status.readyReplicas`); // may take hours, one after the other, to finish their tasks
});

test('custom: another time and namespace', () => {
  for (const found of Object.values(readiness({ readyTimeout: Duration.minutes(5), namespace: 'data' }))) {
    expect(found).toMatchObject({ ObjectName: expect.stringMatching(/=data-/), ObjectNamespace: 'data', TimeoutSeconds: 300 });
  }
});

test.each([AirflowChart.official(), AirflowChart.community()])('custom: without Celery, no workers and no Flower', (chart) => {
  const absent = (executor: AirflowExecutor) => Object.keys(COMMUNITY).filter((id) => id !== 'Migrations' && !(id in readiness({ chart, executor })));
  expect([absent(AirflowExecutor.KUBERNETES), absent(AirflowExecutor.CELERY_KUBERNETES)]).toEqual([['Workers', 'Flower'], []]);
});

test.each([
  ['official', AirflowChart.official(), { triggerer: 'Triggerer', flower: 'Flower' }],
  ['community', AirflowChart.community(), { triggerer: 'Triggerer', flower: 'Flower' }],
])('custom: what helmValues switch off is not awaited: %s', (_name, chart, workloads) => {
  for (const [value, id] of Object.entries(workloads)) {
    const [on, off] = [true, false].map((enabled) => Object.keys(readiness({ chart, helmValues: { [value]: { enabled } } })));
    expect(off).toEqual(on.filter((found) => found !== id));
    expect(on).toContain(id);
  }
});

describe('the revision', () => {
  /** The revision that all workloads have. */
  function revisionOf(props?: Props): string {
    const [revision, ...others] = [...new Set(Object.values(readiness(props)).map(({ Revision }) => Revision))];
    expect(others).toEqual([]);
    expect(revision).toMatch(/^[0-9a-f]{16}$/);
    return revision;
  }
  const defaults = revisionOf();

  test.each<[string, Props]>([
    ['a value of a prop', { scheduler: { replicas: 3 } }],
    ['a value of the user', { helmValues: { scheduler: { podAnnotations: { a: 'b' } } } }],
    ['a value that the user removes', { removedHelmValues: ['scheduler.livenessProbe'] }],
    ['a configuration option', { config: { 'core.parallelism': '64' } }],
    ['the version of the chart', { chart: AirflowChart.official({ chartVersion: '1.22.1' }) }],
    ['the version of Airflow', { chart: AirflowChart.official({ airflowVersion: '3.2.1' }) }],
    ['the image', { image: AirflowImage.fromRegistry('registry.example.com/airflow', 'v1') }],
    ['the users', { users: [] }],
  ])('changes with %s, so that the deployment waits again', (_name, props) => {
    expect(revisionOf(props)).not.toBe(defaults);
  });

  test.each<[string, Props]>([
    ['nothing', {}],
    ['the number and kind of nodes', { nodePools: AirflowNodePools.managedNodeGroups({ workers: { maxSize: 50 } }) }],
    ['the file system', { persistence: { removalPolicy: RemovalPolicy.DESTROY, lifecyclePolicy: efs.LifecyclePolicy.AFTER_1_DAY } }],
    ['the driver', { efsCsiDriver: EfsCsiDriverInstallation.onAllNodes() }],
    ['the time that a deployment waits', { readyTimeout: Duration.minutes(5) }],
  ])('does not change with %s', (_name, props) => {
    expect(revisionOf(props)).toBe(defaults);
  });

  test('does not depend on the order of maps, which Java changes from run to run', () => {
    const revisions = [{ a: '1', b: { c: '2', d: '3' } }, { b: { d: '3', c: '2' }, a: '1' }].map((podAnnotations) => revisionOf({ helmValues: { scheduler: { podAnnotations } } }));
    expect(revisions[0]).toBe(revisions[1]);
  });

  test('may contain values that only CloudFormation knows', () => {
    const revisions = ['A', 'B'].map((name) => revisionOf({ helmValues: { scheduler: { podAnnotations: { a: Fn.importValue(name) } } } }));
    expect(revisions[0]).not.toBe(revisions[1]);
  });
});
