import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { checkAutoscaling, WorkerAutoscaling } from './autoscaling';
import { ComponentOptions, ComponentSettings, componentSettings, Resources } from './component';
import { AirflowExecutor, hasCelery, hasTaskPods, nameOfExecutor } from './executor';
import { checkCount, fail, secondsOf } from './validation';

/**
 * The Celery workers, or the pods of tasks.
 *
 * With `AirflowExecutor.KUBERNETES`, `cpu`, `memory` and `memoryLimit` are those of the pod of each task. With
 * `AirflowExecutor.CELERY_KUBERNETES`, they are those of the Celery workers, and the pods of tasks have the defaults. A task can set its own in
 * `executor_config`.
 */
export interface WorkersOptions extends ComponentOptions {
  /**
   * How the number of workers follows their load, with `replicas` as the minimum, which may be 0 with `WorkerAutoscaling.onQueuedTasks()`.
   *
   * @default - the number of workers is fixed
   */
  readonly autoscaling?: WorkerAutoscaling;

  /**
   * The number of tasks that a worker runs at the same time, at least 1.
   *
   * @default - 16, Airflow's default
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

  /**
   * The number of retries of each task for which the DAG does not set a number.
   *
   * @default - 2 if the library creates the nodes on which tasks run as Spot nodes, otherwise Airflow's default, 0
   */
  readonly defaultTaskRetries?: number;
}

/** The workers with their defaults, for the chart. */
export interface WorkersSettings extends ComponentSettings {
  /** The resources of the pods that the Kubernetes executor starts. */
  readonly taskResources: Resources;
  readonly concurrency?: number;
  readonly terminationGraceSeconds: number;
  readonly defaultTaskRetries?: number;
}

/** Options that apply also without Celery workers. */
const FOR_TASK_PODS = ['cpu', 'memory', 'memoryLimit', 'defaultTaskRetries'];

const TASK_POD = { cpu: '500m', memory: '1Gi' };

/** Fails if there are options of Celery workers, but no Celery workers. */
export function checkWorkersRun(scope: Construct, options: WorkersOptions = {}, executor: AirflowExecutor): void {
  const allowed = hasTaskPods(executor) ? FOR_TASK_PODS : ['defaultTaskRetries'];
  const [name] = Object.entries(options).find(([option, value]) => value !== undefined && !allowed.includes(option)) ?? [];
  if (name && !hasCelery(executor)) {
    fail(scope, `'workers.${name}' needs an executor with Celery workers, got ${nameOfExecutor(executor)}; remove it, or use AirflowExecutor.CELERY_KUBERNETES`);
  }
}

/** Applies the defaults of the workers and checks their options. */
export function workersSettings(scope: Construct, options: WorkersOptions = {}, executor: AirflowExecutor, onSpot: boolean): WorkersSettings {
  checkAutoscaling(scope, 'workers', options.autoscaling, 'WorkerAutoscaling.onMemory()');
  const minReplicas = options.autoscaling?._minReplicas ?? 1;
  checkCount(scope, 'workers.replicas', options.replicas, minReplicas, 'for no workers between tasks use WorkerAutoscaling.onQueuedTasks() or AirflowExecutor.KUBERNETES');
  checkCount(scope, 'workers.concurrency', options.concurrency, 1);
  checkCount(scope, 'workers.defaultTaskRetries', options.defaultTaskRetries, 0);
  const component = componentSettings(scope, 'workers', options, { replicas: 2, ...hasCelery(executor) ? { cpu: '1', memory: '2Gi' } : TASK_POD }, minReplicas);
  const terminationGraceSeconds = secondsOf(scope, 'workers.terminationGracePeriod', options.terminationGracePeriod ?? Duration.minutes(10), [120, 14 * 60],
    'from 2 to 14 minutes in whole seconds, because the function that deletes the deployment stops after 15 minutes');
  return {
    ...component,
    taskResources: hasCelery(executor) ? componentSettings(scope, 'workers', TASK_POD).resources : component.resources,
    autoscaling: options.autoscaling?._bind(scope, 'workers', component.replicas),
    concurrency: options.concurrency,
    terminationGraceSeconds,
    defaultTaskRetries: options.defaultTaskRetries ?? (onSpot ? 2 : undefined),
  };
}
