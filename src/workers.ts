import { Annotations, Duration, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { checkAutoscaling, WorkerAutoscaling } from './autoscaling';
import { ComponentOptions, ComponentSettings, componentSettings, Resources } from './component';
import { AirflowExecutor, hasCelery, hasTaskPods, nameOfExecutor } from './executor';
import { checkPlacement } from './nodes/checks';
import { NodePlacement } from './nodes/placement';
import { checkCount, checkFormat, checkList, checkUnique, fail, secondsOf } from './validation';

/**
 * Options of Celery workers that are alike.
 */
export interface CeleryWorkersOptions extends ComponentOptions {
  /**
   * The queues whose tasks the workers take: names of letters, digits, and `-`, `_` and `.` inside.
   *
   * The tasks of an operator wait in the queue that it names with `queue`, and otherwise in the default queue. Workers of different groups cannot
   * share a queue. Only for the official chart: the workers of the community chart take only the tasks of the default queue.
   *
   * @default - the default queue of Airflow (`workers`), the name of the group (`workers.groups`)
   * @see https://airflow.apache.org/docs/apache-airflow-providers-celery/stable/celery_executor.html#queues
   */
  readonly queues?: string[];

  /**
   * How the number of workers follows their load, with `replicas` as the minimum, which may be 0 with `WorkerAutoscaling.onQueuedTasks()`.
   *
   * @default - the number of workers is fixed
   */
  readonly autoscaling?: WorkerAutoscaling;

  /**
   * The number of tasks that a worker runs at the same time, at least 1.
   *
   * @default - 16, Airflow's default (`workers`), that of `workers` (`workers.groups`)
   * @see https://airflow.apache.org/docs/apache-airflow-providers-celery/stable/configurations-ref.html#worker-concurrency
   */
  readonly concurrency?: number;

  /**
   * The time that a worker has to finish its tasks before it is terminated, in whole seconds, from 2 to 14 minutes.
   *
   * A Spot interruption leaves two minutes, whatever the grace period.
   *
   * @default Duration.minutes(10)
   */
  readonly terminationGracePeriod?: Duration;
}

/**
 * A further group of Celery workers, with queues, size and scaling of its own.
 *
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   workers: {
 *     groups: [{ name: 'memory', queues: ['reports', 'exports'], replicas: 1, memory: '12Gi', concurrency: 4 }],
 *   },
 * });
 */
export interface WorkerGroupOptions extends CeleryWorkersOptions {
  /**
   * The name of the group, with which the names of its Kubernetes objects end, such as `airflow-worker-memory`.
   *
   * Lower case letters, digits, and `-` inside. `default` and `main` are reserved: the workers outside the groups are `airflow-worker-main` if there
   * are groups, otherwise `airflow-worker`.
   */
  readonly name: string;

  /**
   * The extended resources of each worker, such as `{ 'nvidia.com/gpu': '1' }`.
   *
   * @default - no extended resources
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#extended-resources
   */
  readonly extendedResources?: { [name: string]: string };

  /**
   * The nodes of the group, if it has nodes of its own.
   *
   * The library does not create these nodes. If the logs are on the file system, they must be able to mount it.
   *
   * @default - the nodes of `workers`
   */
  readonly placement?: NodePlacement;
}

/**
 * The Celery workers, or the pods of tasks.
 *
 * With `AirflowExecutor.KUBERNETES`, `cpu`, `memory` and `memoryLimit` are those of the pod of each task. With
 * `AirflowExecutor.CELERY_KUBERNETES`, they are those of the Celery workers, and the pods of tasks have the defaults. A task can set its own in
 * `executor_config`.
 */
export interface WorkersOptions extends CeleryWorkersOptions {
  /**
   * Further groups of workers, for tasks that need another size, or nodes of their own.
   *
   * Only for the official chart: the community chart has one group.
   *
   * @default - all workers are alike
   */
  readonly groups?: WorkerGroupOptions[];

  /**
   * The number of retries of each task for which the DAG does not set a number.
   *
   * @default - 2 if the library creates the nodes on which tasks run as Spot nodes, otherwise Airflow's default, 0
   */
  readonly defaultTaskRetries?: number;
}

/** Celery workers with their defaults, for the chart. */
export interface CeleryWorkersSettings extends ComponentSettings {
  readonly concurrency?: number;
  readonly terminationGraceSeconds: number;
}

export interface WorkerGroupSettings extends CeleryWorkersSettings {
  readonly name: string;
  readonly queues: string[];
  readonly placement?: NodePlacement;
}

/** The workers with their defaults, for the chart. */
export interface WorkersSettings extends CeleryWorkersSettings {
  /** Undefined for the default queue of Airflow alone. */
  readonly queues?: string[];
  readonly groups: WorkerGroupSettings[];
  /** The resources of the pods that the Kubernetes executor starts. */
  readonly taskResources: Resources;
  readonly defaultTaskRetries?: number;
}

/** Options that apply also without Celery workers. */
const FOR_TASK_PODS = ['cpu', 'memory', 'memoryLimit', 'defaultTaskRetries'];

const TASK_POD = { cpu: '500m', memory: '1Gi' };
const WORKER = { replicas: 2, cpu: '1', memory: '2Gi' };

/** Fails if there are options of Celery workers, but no Celery workers. */
export function checkWorkersRun(scope: Construct, options: WorkersOptions = {}, executor: AirflowExecutor): void {
  const allowed = hasTaskPods(executor) ? FOR_TASK_PODS : ['defaultTaskRetries'];
  const [name] = Object.entries(options).find(([option, value]) => value !== undefined && !allowed.includes(option)) ?? [];
  if (name && !hasCelery(executor)) {
    fail(scope, `'workers.${name}' needs an executor with Celery workers, got ${nameOfExecutor(executor)}; remove it, or use AirflowExecutor.CELERY_KUBERNETES`);
  }
}

interface WorkersContext {
  readonly namespace: string;
  readonly executor: AirflowExecutor;
  /** Whether the nodes on which tasks run may be interrupted. */
  readonly onSpot: boolean;
  /** The queue of tasks that name none. */
  readonly defaultQueue?: string;
}

/** Applies the defaults of the workers and checks their options. */
export function workersSettings(scope: Construct, options: WorkersOptions = {}, context: WorkersContext): WorkersSettings {
  const { executor, onSpot, defaultQueue = 'default' } = context;
  checkCount(scope, 'workers.defaultTaskRetries', options.defaultTaskRetries, 0);
  const workers = celeryWorkersSettings(scope, 'workers', options, hasCelery(executor) ? WORKER : { ...WORKER, ...TASK_POD });
  const groups = groupsSettings(scope, options.groups ?? [], context.namespace);
  const queues = options.queues ?? (groups.length > 0 || defaultQueue !== 'default' ? [defaultQueue] : undefined);
  if (queues) {
    checkQueues(scope, { workers: queues, ...Object.fromEntries(groups.map((group) => [propOf(group), group.queues])) }, defaultQueue);
  }
  return {
    ...workers,
    queues,
    groups,
    taskResources: hasCelery(executor) ? componentSettings(scope, 'workers', TASK_POD).resources : workers.resources,
    defaultTaskRetries: options.defaultTaskRetries ?? (onSpot ? 2 : undefined),
  };
}

function celeryWorkersSettings(scope: Construct, prop: string, options: CeleryWorkersOptions, defaults: ComponentOptions): CeleryWorkersSettings {
  checkAutoscaling(scope, prop, options.autoscaling, 'WorkerAutoscaling.onMemory()');
  const minReplicas = options.autoscaling?._minReplicas ?? 1;
  checkCount(scope, `${prop}.replicas`, options.replicas, minReplicas, 'for no workers between tasks use WorkerAutoscaling.onQueuedTasks() or AirflowExecutor.KUBERNETES');
  checkCount(scope, `${prop}.concurrency`, options.concurrency, 1);
  const component = componentSettings(scope, prop, options, defaults, minReplicas);
  const terminationGraceSeconds = secondsOf(scope, `${prop}.terminationGracePeriod`, options.terminationGracePeriod ?? Duration.minutes(10), [120, 14 * 60],
    'from 2 to 14 minutes in whole seconds, because the function that deletes the deployment stops after 15 minutes');
  return {
    ...component,
    autoscaling: options.autoscaling?._bind(scope, prop, component.replicas),
    concurrency: options.concurrency,
    terminationGraceSeconds,
  };
}

function propOf({ name }: { readonly name: string }): string {
  return `workers.groups.${name}`;
}

function groupsSettings(scope: Construct, groups: WorkerGroupOptions[], namespace: string): WorkerGroupSettings[] {
  checkList(scope, 'workers.groups', groups);
  const maxLength = 63 - `${namespace}-worker-`.length; // a Service has the name
  for (const { name } of groups) {
    if (Token.isUnresolved(name) || ['default', 'main'].includes(name)) {
      fail(scope, `'workers.groups.name' must be a name other than 'default' and 'main', known at synthesis, got ${Token.isUnresolved(name) ? 'a token' : `'${name}'`}`);
    }
    checkFormat(scope, 'workers.groups.name', name, new RegExp(`^(?=.{1,${maxLength}}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$`),
      `at most ${maxLength} lower case letters, digits, and - inside`);
  }
  checkUnique(scope, 'workers.groups', groups.map(({ name }) => name));
  return groups.map((group) => {
    const { name, queues = [name], placement, extendedResources = {} } = group;
    if (placement) {
      checkPlacement(scope, `${propOf(group)}.placement`, placement);
    }
    for (const [resource, quantity] of Object.entries(extendedResources)) {
      checkFormat(scope, `${propOf(group)}.extendedResources`, resource, /^[a-z0-9][-a-z0-9.]*\/[A-Za-z0-9][-\w.]*$/, "names such as 'nvidia.com/gpu'");
      checkFormat(scope, `${propOf(group)}.extendedResources.${resource}`, quantity, /^[1-9]\d*$/, "a whole number as text, such as '1'");
    }
    const workers = celeryWorkersSettings(scope, propOf(group), group, WORKER);
    const { requests, limits } = workers.resources;
    return { ...workers, name, queues, placement, resources: { requests, limits: { ...limits, ...extendedResources } } };
  });
}

/** Fails for queues that no worker or several kinds of workers would take tasks from, and warns if nobody takes those of the default queue. */
function checkQueues(scope: Construct, queues: Record<string, string[]>, defaultQueue: string): void {
  for (const [prop, names] of Object.entries(queues)) {
    checkList(scope, `${prop}.queues`, names);
    if (names.length === 0) {
      fail(scope, `'${prop}.queues' must contain at least one queue, got none; remove it for the default`);
    }
    names.forEach((name) => checkFormat(scope, `${prop}.queues`, name, /^[A-Za-z0-9]([-\w.]*[A-Za-z0-9])?$/, 'names of letters, digits, and - _ . inside'));
  }
  const all = Object.entries(queues).flatMap(([prop, names]) => names.map((name) => ({ prop, name })));
  for (const [index, { prop, name }] of all.entries()) {
    const other = all.slice(0, index).find((candidate) => candidate.name === name);
    if (other) {
      fail(scope, `'${prop}.queues' must not contain a queue of other workers, got '${name}', which is in '${other.prop}.queues'`);
    }
  }
  if (![defaultQueue, ...all.map(({ name }) => name)].some(Token.isUnresolved) && !all.some(({ name }) => name === defaultQueue)) {
    Annotations.of(scope).addWarningV2('airflow-on-eks:defaultQueueNotServed',
      `No worker takes the tasks of the default queue '${defaultQueue}', in which tasks without a 'queue' wait; add it to 'workers.queues', or name the queue in each DAG`);
  }
}
