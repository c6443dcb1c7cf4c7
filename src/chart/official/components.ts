import { baseUrlOf, Generation } from './generation';
import { placed } from './placement';
import { autoscaler, celeryWorkers } from './workers';
import { ComponentSettings } from '../../component';
import { hasTaskPods } from '../../executor';
import { acrossZones, NOT_DISRUPTED, NOT_EVICTED } from '../../nodes/placement';
import { AirflowSettings, ChartPart, Values } from '../chart-definition';
import { SMALL_CONTAINERS } from '../resources';

/** The logs of all components are on one volume, where one sidecar deletes old ones, or are deleted when they are in the bucket. */
const NO_LOG_GROOMER = { logGroomerSidecar: { enabled: false } };

/** The entry point of the image waits for the database by a command of Airflow, which alone takes more memory than this container may have. */
const WITHOUT_DATABASE = [{ name: 'CONNECTION_CHECK_MAX_COUNT', value: '0' }];

/** Five minutes instead of one: the API server of Airflow 3.3 takes more than a minute on two busy cores. */
const SLOW_START = { startupProbe: { failureThreshold: 30 } };

/** The addresses of a load balancer are those of its subnets, which can change. */
const LOAD_BALANCER = ['0.0.0.0/0', '::/0'].map((cidr) => ({ ipBlock: { cidr } }));

/** The components of Airflow: replicas, resources and identity. */
export function components(settings: AirflowSettings, generation: Generation): ChartPart {
  const { name, apiServer, scheduler, dagProcessor, triggerer, ingress } = settings;
  const behindProxy = ingress !== undefined || baseUrlOf(settings, generation) !== undefined;
  const serviceAccount = { create: false, name };
  return {
    values: {
      // A Job cannot be changed: an upgrade soon after another one would fail, and so would the rollback of an image. The DAG processor
      // does the work of both: it exists for every executor, and no other component waits for it to be ready.
      migrateDatabaseJob: { enabled: false, useHelmHooks: false, serviceAccount },
      createUserJob: { enabled: false, useHelmHooks: false, serviceAccount },
      dagProcessor: {
        enabled: true,
        ...replicated(name, 'dag-processor', dagProcessor),
        serviceAccount,
        waitForMigrations: { env: [{ name: '_AIRFLOW_DB_MIGRATE', value: 'true' }] },
        logGroomerSidecar: {
          enabled: true,
          resources: SMALL_CONTAINERS.logGroomer,
          retentionDays: settings.logs.retentionDays,
          env: WITHOUT_DATABASE,
        },
      },
      scheduler: {
        ...replicated(name, 'scheduler', scheduler),
        serviceAccount: { create: true, name, annotations: { 'eks.amazonaws.com/role-arn': settings.serviceAccountRoleArn } },
        ...SLOW_START,
        ...NO_LOG_GROOMER,
        ...!hasTaskPods(settings.executor) && finishesTasks(settings),
      },
      [generation.web]: {
        ...replicated(name, generation.webName, apiServer),
        ...autoscaler(apiServer.autoscaling),
        serviceAccount,
        service: { type: ingress?.nodePort ? 'NodePort' : 'ClusterIP' },
        ...SLOW_START,
        ...behindProxy && generation.behindProxy,
        // Has an effect only with `networkPolicies`: the chart would close the API server to tasks and to the load balancer.
        networkPolicy: { ingress: { from: [{ podSelector: { matchLabels: { tier: 'airflow', release: name } } }, ...ingress ? LOAD_BALANCER : []] } },
      },
      triggerer: { ...replicated(name, 'triggerer', triggerer), serviceAccount, persistence: { enabled: false }, ...NO_LOG_GROOMER },
      workers: {
        serviceAccount, // for both executors, and where the role bindings of the chart look for it
        celery: celeryWorkers(settings, generation),
        kubernetes: { ...placed(settings.placement.workers), resources: settings.workers.taskResources, podAnnotations: NOT_DISRUPTED },
      },
      flower: { serviceAccount, ...SLOW_START, ...ingress?.flower && { networkPolicy: { ingress: { from: LOAD_BALANCER } } } },
      cleanup: { serviceAccount, resources: SMALL_CONTAINERS.airflow },
      databaseCleanup: {
        enabled: true,
        serviceAccount,
        retentionDays: settings.databaseRetentionDays,
        skipArchive: true,
        resources: SMALL_CONTAINERS.databaseCleanup,
      },
      statsd: { enabled: true, resources: SMALL_CONTAINERS.metrics },
    },
  };
}

/** A component that, with several replicas, survives the loss of a node or a zone. */
function replicated(name: string, component: string, { replicas, resources, autoscaling }: ComponentSettings): Values {
  return {
    replicas,
    resources,
    podDisruptionBudget: { enabled: replicas > 1 || autoscaling !== undefined, config: { maxUnavailable: 1 } },
    topologySpreadConstraints: acrossZones({ tier: 'airflow', component, release: name }),
  };
}

/** A scheduler in which tasks run. */
function finishesTasks({ workers }: AirflowSettings): Values {
  return {
    terminationGracePeriodSeconds: workers.terminationGraceSeconds,
    env: [{ name: 'DUMB_INIT_SETSID', value: '0' }], // the signal to stop is for the scheduler, which then waits, and not for its tasks
    strategy: { type: 'Recreate' }, // a new scheduler would reset the tasks of one that does not send heartbeats any more, because it waits
    podAnnotations: NOT_EVICTED,
    safeToEvict: false, // otherwise the chart adds its own annotation
  };
}
