import { Duration, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ComponentOptions, ComponentSettings, componentSettings, Resources } from './component';
import { AirflowExecutor, hasCelery, hasTaskPods, nameOfExecutor } from './executor';
import { checkCount, fail, secondsOf, shown } from './validation';

/**
 * Options of every way to scale the workers.
 */
export interface WorkerAutoscalingOptions {
  /**
   * The maximum number of workers, at least `workers.replicas`.
   */
  readonly maxReplicas: number;

  /**
   * How long the load must have been lower before workers are removed, in whole seconds, at most one hour.
   *
   * @default Duration.minutes(5)
   * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#stabilization-window
   */
  readonly scaleDownStabilization?: Duration;
}

/**
 * Options of `WorkerAutoscaling.onMemory()`.
 */
export interface MemoryAutoscalingOptions extends WorkerAutoscalingOptions {
  /**
   * The memory utilization to aim for, in percent of the memory that the workers request, at least 1.
   *
   * @default 80
   */
  readonly targetMemoryPercent?: number;
}

/**
 * Options of `WorkerAutoscaling.onCpu()`.
 */
export interface CpuAutoscalingOptions extends WorkerAutoscalingOptions {
  /**
   * The CPU utilization to aim for, in percent of the CPU that the workers request, at least 1.
   *
   * @default 80
   */
  readonly targetCpuPercent?: number;
}

/**
 * Options of `WorkerAutoscaling.onQueuedTasks()`.
 */
export interface QueuedTasksAutoscalingOptions extends WorkerAutoscalingOptions {
  /**
   * How often KEDA counts the tasks, in whole seconds, at most 5 minutes.
   *
   * @default Duration.seconds(5)
   */
  readonly pollingInterval?: Duration;
}

/**
 * How the number of Celery workers follows their load.
 *
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   workers: { replicas: 2, memory: '4Gi', autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 10 }) },
 * });
 */
export class WorkerAutoscaling {
  /**
   * Add and remove workers by their memory utilization, with a HorizontalPodAutoscaler.
   *
   * The cluster must run the Kubernetes Metrics Server. Workers for which no node has room stay pending: nodes are added only by a Cluster
   * Autoscaler, up to the `maxSize` of the node group.
   *
   * @param options the maximum number of workers and the utilization to aim for
   * @see https://docs.aws.amazon.com/eks/latest/userguide/metrics-server.html
   */
  public static onMemory(options: MemoryAutoscalingOptions): WorkerAutoscaling {
    return new WorkerAutoscaling(options, { name: 'memory', option: 'targetMemoryPercent', target: options.targetMemoryPercent });
  }

  /**
   * Add and remove workers by their CPU utilization, with a HorizontalPodAutoscaler.
   *
   * It has the prerequisites of `onMemory()`.
   *
   * @param options the maximum number of workers and the utilization to aim for
   */
  public static onCpu(options: CpuAutoscalingOptions): WorkerAutoscaling {
    return new WorkerAutoscaling(options, { name: 'cpu', option: 'targetCpuPercent', target: options.targetCpuPercent });
  }

  /**
   * Add and remove workers by the number of queued and running tasks, with KEDA.
   *
   * The number of workers is the number of these tasks, divided by `workers.concurrency`. With `workers.replicas: 0`, no worker runs while there are
   * no tasks, and the first task waits for a worker to start. A worker that is removed has `workers.terminationGracePeriod` to finish its tasks.
   *
   * Only for the official chart: the community chart has no KEDA.
   *
   * @param options the maximum number of workers
   * @see https://keda.sh/docs/latest/scalers/postgresql/
   */
  public static onQueuedTasks(options: QueuedTasksAutoscalingOptions): WorkerAutoscaling {
    return new WorkerAutoscaling(options, undefined, options.pollingInterval);
  }

  private constructor(
    private readonly options: WorkerAutoscalingOptions,
    private readonly resource?: ResourceTarget,
    private readonly pollingInterval = Duration.seconds(5),
  ) {}

  /** @internal */
  public get _minReplicas(): number {
    return this.resource ? 1 : 0;
  }

  /** @internal */
  public _bind(scope: Construct, minReplicas: number): AutoscalingSettings {
    const { maxReplicas, scaleDownStabilization = Duration.minutes(5) } = this.options;
    checkCount(scope, 'workers.autoscaling.maxReplicas', maxReplicas ?? NaN, 1);
    if (![minReplicas, maxReplicas].some(Token.isUnresolved) && maxReplicas < minReplicas) {
      fail(scope, `'workers.autoscaling.maxReplicas' must be at least 'workers.replicas' (${minReplicas}), got ${maxReplicas}`);
    }
    const stabilizationWindowSeconds = secondsOf(scope, 'workers.autoscaling.scaleDownStabilization', scaleDownStabilization, [0, 3600],
      'at most 1 hour in whole seconds, which is the maximum of Kubernetes');
    const bounds = { minReplicas, maxReplicas, behavior: { scaleDown: { stabilizationWindowSeconds } } };
    if (!this.resource) {
      const pollingSeconds = secondsOf(scope, 'workers.autoscaling.pollingInterval', this.pollingInterval, [1, 300], 'from 1 second to 5 minutes in whole seconds');
      return { on: 'queuedTasks', ...bounds, pollingSeconds };
    }
    const { name, option, target: averageUtilization = 80 } = this.resource;
    checkCount(scope, `workers.autoscaling.${option}`, averageUtilization, 1);
    return { on: 'resource', ...bounds, metrics: [{ type: 'Resource', resource: { name, target: { type: 'Utilization', averageUtilization } } }] };
  }
}

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

/** The utilization of a resource to aim for, and the option that sets it. */
interface ResourceTarget {
  readonly name: string;
  readonly option: string;
  readonly target?: number;
}

interface AutoscalingBounds {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly behavior: { readonly scaleDown: { readonly stabilizationWindowSeconds: number } };
}

/** A HorizontalPodAutoscaler. */
export interface ResourceAutoscaling extends AutoscalingBounds {
  readonly on: 'resource';
  readonly metrics: Record<string, any>[];
}

/** A ScaledObject of KEDA. */
interface QueuedTasksAutoscaling extends AutoscalingBounds {
  readonly on: 'queuedTasks';
  readonly pollingSeconds: number;
}

export type AutoscalingSettings = ResourceAutoscaling | QueuedTasksAutoscaling;

/** The workers with their defaults, for the chart. */
export interface WorkersSettings extends ComponentSettings {
  /** The resources of the pods that the Kubernetes executor starts. */
  readonly taskResources: Resources;
  readonly autoscaling?: AutoscalingSettings;
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
  if (options.autoscaling !== undefined && typeof options.autoscaling?._bind !== 'function') {
    fail(scope, `'workers.autoscaling' must be made by a method such as WorkerAutoscaling.onMemory(), got ${shown(options.autoscaling)}`);
  }
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
    autoscaling: options.autoscaling?._bind(scope, component.replicas),
    concurrency: options.concurrency,
    terminationGraceSeconds,
    defaultTaskRetries: options.defaultTaskRetries ?? (onSpot ? 2 : undefined),
  };
}
