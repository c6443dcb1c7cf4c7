import { Duration } from 'aws-cdk-lib';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { officialValues } from './util';
import { AirflowExecutor, ApiServerAutoscaling, WorkerAutoscaling } from '../../../src';
import { Json } from '../../util';

const spreadOf = (component: string) => [{
  maxSkew: 1,
  topologyKey: 'topology.kubernetes.io/zone',
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: { tier: 'airflow', component, release: 'airflow' } },
}];

const RELEASE = { podSelector: { matchLabels: { tier: 'airflow', release: 'airflow' } } };
const ANYWHERE = [{ ipBlock: { cidr: '0.0.0.0/0' } }, { ipBlock: { cidr: '::/0' } }];

describe('defaults', () => {
  const values = officialValues();

  test('no job and no hook, which helm could not upgrade or would wait for', () => {
    expect(values.migrateDatabaseJob).toMatchObject({ enabled: false, useHelmHooks: false });
    expect(values.createUserJob).toMatchObject({ enabled: false, useHelmHooks: false });
    expect(values.dagProcessor).toMatchObject({ enabled: true, waitForMigrations: { env: [{ name: '_AIRFLOW_DB_MIGRATE', value: 'true' }] } });
  });

  test('one sidecar deletes old logs', () => {
    const components: Json = { ...values, workers: values.workers.celery };
    expect(['scheduler', 'triggerer', 'workers', 'dagProcessor'].filter((component) => components[component].logGroomerSidecar.enabled)).toEqual(['dagProcessor']);
    expect(values.dagProcessor.logGroomerSidecar.resources.limits).toEqual({ memory: '128Mi' });
    expect(values.dagProcessor.logGroomerSidecar.env).toEqual([{ name: 'CONNECTION_CHECK_MAX_COUNT', value: '0' }]); // no command of Airflow in it
  });

  test('all pods of Airflow have the same identity', () => {
    const { annotations, ...serviceAccount } = values.scheduler.serviceAccount;
    expect(serviceAccount).toEqual({ create: true, name: 'airflow' });
    expect(Object.keys(annotations)).toEqual(['eks.amazonaws.com/role-arn']);
    for (const component of ['apiServer', 'dagProcessor', 'triggerer', 'workers', 'flower', 'cleanup', 'databaseCleanup', 'createUserJob', 'migrateDatabaseJob']) {
      expect([component, values[component].serviceAccount]).toEqual([component, { create: false, name: 'airflow' }]);
    }
  });

  test.each([['apiServer', 'api-server'], ['scheduler', 'scheduler']])('%s: two replicas, across zones, of which one may be unavailable', (component, label) => {
    expect(values[component]).toMatchObject({
      replicas: 2, podDisruptionBudget: { enabled: true, config: { maxUnavailable: 1 } }, topologySpreadConstraints: spreadOf(label),
    });
  });

  // Two DAG processors would migrate the database at the same time.
  test.each([['dagProcessor', 'dag-processor'], ['triggerer', 'triggerer']])('%s: one replica, without a disruption budget', (component, label) => {
    expect(values[component]).toMatchObject({
      replicas: 1, podDisruptionBudget: { enabled: false }, topologySpreadConstraints: spreadOf(label),
    });
  });

  test('workers have ten minutes to finish their tasks, and are not evicted to save nodes', () => {
    expect(values.workers.celery).toMatchObject({
      replicas: 2,
      safeToEvict: false,
      podAnnotations: { 'karpenter.sh/do-not-disrupt': 'true' },
      terminationGracePeriodSeconds: 600,
      resources: { requests: { cpu: '1', memory: '2Gi' }, limits: { memory: '4Gi' } },
      podDisruptionBudget: { enabled: true, config: { maxUnavailable: '20%' } },
      topologySpreadConstraints: spreadOf('worker'),
      hpa: { enabled: false },
    });
  });

  // One minute, the default of the chart, is too short for Airflow 3.3 on two busy cores.
  test.each([['3.3.2', 'apiServer'], ['2.11.2', 'webserver']])('Airflow %s: what starts slowly has five minutes, before it is restarted', (version, web) => {
    const found = officialValues({}, version);
    expect([web, 'scheduler', 'flower'].map((component) => found[component].startupProbe)).toEqual(Array(3).fill({ failureThreshold: 30 }));
  });

  test('old records of the database are deleted', () => {
    const { serviceAccount, resources, ...cleanup } = values.databaseCleanup;
    expect(resources).toEqual({ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } });
    expect(cleanup).toEqual({ enabled: true, retentionDays: 90, skipArchive: true }); // an archive would grow as the tables did
  });

  test('the API server has no proxy in front of it', () => {
    expect(values.apiServer.args).toBeUndefined();
    expect(values.apiServer.env).toBeUndefined();
    expect(values.apiServer.service).toEqual({ type: 'ClusterIP' });
  });

  test('with network policies, tasks reach the API server', () => {
    expect(values.apiServer.networkPolicy.ingress.from).toEqual([RELEASE]);
    expect(values.flower.networkPolicy).toBeUndefined();
  });
});

describe('custom', () => {
  test.each(['apiServer', 'scheduler', 'dagProcessor', 'triggerer'])('%s: replicas and resources', (component) => {
    const options = { cpu: '500m', memory: '1Gi', memoryLimit: '2Gi' };
    const resources = { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } };
    // A disruption budget for a single replica would keep its node from being replaced.
    for (const [replicas, enabled] of [[1, false], [3, true]]) {
      expect(officialValues({ [component]: { ...options, replicas } })[component])
        .toMatchObject({ replicas, resources, podDisruptionBudget: { enabled } });
    }
  });

  test('the web server of Airflow 2.11 has the options of the API server', () => {
    expect(officialValues({ apiServer: { replicas: 3, memory: '1Gi' } }, '2.11.2').webserver).toMatchObject({ replicas: 3, resources: { requests: { memory: '1Gi' } } });
  });

  test('workers', () => {
    const { celery } = officialValues({
      workers: { replicas: 1, cpu: '2', memory: '4Gi', memoryLimit: '8Gi', terminationGracePeriod: Duration.minutes(14) },
    }).workers;
    expect(celery).toMatchObject({
      replicas: 1, resources: { requests: { cpu: '2', memory: '4Gi' }, limits: { memory: '8Gi' } }, terminationGracePeriodSeconds: 840,
    });
  });

  test.each([['3.3.2', 'apiServer'], ['2.11.2', 'webserver']])('Airflow %s: an autoscaled API server', (version, web) => {
    const autoscaling = ApiServerAutoscaling.onCpu({ maxReplicas: 6 });
    const values = officialValues({ apiServer: { replicas: 1, autoscaling } }, version)[web];
    expect(values.hpa).toEqual({
      enabled: true,
      minReplicaCount: 1,
      maxReplicaCount: 6,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
    });
    expect(values.podDisruptionBudget).toEqual({ enabled: true, config: { maxUnavailable: 1 } });
  });

  test('autoscaled workers', () => {
    const autoscaling = WorkerAutoscaling.onMemory({ maxReplicas: 9, targetMemoryPercent: 70 });
    expect(officialValues({ workers: { replicas: 3, autoscaling } }).workers.celery.hpa).toEqual({
      enabled: true,
      minReplicaCount: 3,
      maxReplicaCount: 9,
      metrics: [{ type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 70 } } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
    });
  });

  test('workers whose number KEDA sets', () => {
    const autoscaling = WorkerAutoscaling.onQueuedTasks({ maxReplicas: 9, scaleDownStabilization: Duration.minutes(2) });
    const { hpa, keda } = officialValues({ workers: { replicas: 0, autoscaling } }).workers.celery;
    expect(hpa).toEqual({ enabled: false });
    expect(keda).toEqual({
      enabled: true,
      minReplicaCount: 0,
      maxReplicaCount: 9,
      pollingInterval: 5,
      cooldownPeriod: 120,
      advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 120 } } } },
    });
  });

  test('the age at which records of the database are deleted', () => {
    expect(officialValues({ databaseCleanup: { retention: Duration.days(30) } }).databaseCleanup).toMatchObject({ enabled: true, retentionDays: 30 });
  });

  test('without Celery, no disruption budget for workers', () => {
    expect(officialValues({ executor: AirflowExecutor.KUBERNETES }).workers.celery.podDisruptionBudget.enabled).toBe(false);
    expect(officialValues({ executor: AirflowExecutor.CELERY_KUBERNETES }).workers.celery.podDisruptionBudget.enabled).toBe(true);
  });

  test.each([['3.3.2', 'apiServer'], ['2.11.2', 'webserver']])('Airflow %s: with network policies, load balancers reach the web UI and Flower', (version, web) => {
    const { [web]: server, flower } = officialValues({ ingress: { host: 'a.example.com', flowerHost: 'b.example.com' } }, version);
    expect(server.networkPolicy.ingress.from).toEqual([RELEASE, ...ANYWHERE]);
    expect(flower.networkPolicy.ingress.from).toEqual(ANYWHERE);
  });

  test('lists of the user are appended to those without which the release does not work', () => {
    const env = [{ name: 'A', value: 'b' }];
    const from = [{ namespaceSelector: {} }];
    const { apiServer, dagProcessor } = officialValues({
      ingress: {},
      helmValues: {
        apiServer: { env, networkPolicy: { ingress: { from } } }, dagProcessor: { extraContainers: [{ name: 'vpn' }], waitForMigrations: { env } },
      },
    });
    expect(apiServer.env).toEqual([{ name: 'FORWARDED_ALLOW_IPS', value: '*' }, ...env]);
    expect(apiServer.networkPolicy.ingress.from).toEqual([RELEASE, ...ANYWHERE, ...from]);
    expect(dagProcessor.extraContainers.map(({ name }: Json) => name)).toEqual(['users-and-pools', 'vpn']);
    expect(dagProcessor.waitForMigrations.env).toEqual([{ name: '_AIRFLOW_DB_MIGRATE', value: 'true' }, ...env]);
  });

  test('behind a proxy of the user, the API server trusts its headers', () => {
    expect(officialValues({ config: { 'api.base_url': 'https://a.example.com' } }).apiServer.args).toEqual(officialValues({ ingress: {} }).apiServer.args);
    expect(officialValues({ environment: { AIRFLOW__API__BASE_URL: 'https://a.example.com' } }).config.api.base_url).toBe('https://a.example.com');
  });

  test('an ingress to the nodes', () => {
    expect(officialValues({ ingress: { targetType: elbv2.TargetType.INSTANCE } }).apiServer.service).toEqual({ type: 'NodePort' });
    expect(officialValues({ ingress: {} }).apiServer.service).toEqual({ type: 'ClusterIP' });
  });
});
