import { Duration, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { checkCount, fail, secondsOf, shown } from './validation';

/**
 * Options of every way to scale.
 */
export interface AutoscalingOptions {
  /**
   * The maximum number of pods, at least `replicas` of the same component.
   */
  readonly maxReplicas: number;

  /**
   * How long the load must have been lower before pods are removed, in whole seconds, at most one hour.
   *
   * @default Duration.minutes(5)
   * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#stabilization-window
   */
  readonly scaleDownStabilization?: Duration;
}

/**
 * Options of scaling by memory utilization.
 */
export interface MemoryAutoscalingOptions extends AutoscalingOptions {
  /**
   * The memory utilization to aim for, in percent of the memory that the pods request, at least 1.
   *
   * @default 80
   */
  readonly targetMemoryPercent?: number;
}

/**
 * Options of scaling by CPU utilization.
 */
export interface CpuAutoscalingOptions extends AutoscalingOptions {
  /**
   * The CPU utilization to aim for, in percent of the CPU that the pods request, at least 1.
   *
   * Pods have no CPU limit and can use more than they request.
   *
   * @default 80
   */
  readonly targetCpuPercent?: number;
}

/**
 * Options of `WorkerAutoscaling.onQueuedTasks()`.
 */
export interface QueuedTasksAutoscalingOptions extends AutoscalingOptions {
  /**
   * How often KEDA counts the tasks, in whole seconds, at most 5 minutes.
   *
   * @default Duration.seconds(5)
   */
  readonly pollingInterval?: Duration;
}

/**
 * How the number of API servers follows their load.
 *
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   apiServer: { replicas: 2, autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 6 }) },
 * });
 */
export class ApiServerAutoscaling {
  /**
   * Add and remove API servers by their CPU utilization, with a HorizontalPodAutoscaler.
   *
   * The cluster must run the Kubernetes Metrics Server.
   *
   * An API server that starts needs a CPU for about a minute. Kubernetes ignores the CPU of pods that are not ready yet.
   *
   * @param options the maximum number of API servers and the utilization to aim for
   * @see https://docs.aws.amazon.com/eks/latest/userguide/metrics-server.html
   */
  public static onCpu(options: CpuAutoscalingOptions): ApiServerAutoscaling {
    return new ApiServerAutoscaling(byCpu(options));
  }

  /**
   * Add and remove API servers by their memory utilization, with a HorizontalPodAutoscaler.
   *
   * It has the prerequisite of `onCpu()`.
   *
   * @param options the maximum number of API servers and the utilization to aim for
   */
  public static onMemory(options: MemoryAutoscalingOptions): ApiServerAutoscaling {
    return new ApiServerAutoscaling(byMemory(options));
  }

  private constructor(private readonly target: ResourceTarget) {}

  /** @internal */
  public _bind(scope: Construct, prop: string, minReplicas: number): ResourceAutoscaling {
    return resourceAutoscaling(scope, prop, minReplicas, this.target);
  }
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
    return new WorkerAutoscaling(options, byMemory(options));
  }

  /**
   * Add and remove workers by their CPU utilization, with a HorizontalPodAutoscaler.
   *
   * It has the prerequisites of `onMemory()`.
   *
   * @param options the maximum number of workers and the utilization to aim for
   */
  public static onCpu(options: CpuAutoscalingOptions): WorkerAutoscaling {
    return new WorkerAutoscaling(options, byCpu(options));
  }

  /**
   * Add and remove workers by the number of queued and running tasks, with KEDA.
   *
   * The number of workers is the number of these tasks in their queues, divided by their `concurrency`. With `replicas: 0`, no worker runs while
   * there are no tasks, and the first task waits for a worker to start. A worker that is removed has `terminationGracePeriod` to finish its tasks.
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
    private readonly options: AutoscalingOptions,
    private readonly target?: ResourceTarget,
    private readonly pollingInterval = Duration.seconds(5),
  ) {}

  /** @internal */
  public get _minReplicas(): number {
    return this.target ? 1 : 0;
  }

  /** @internal */
  public _bind(scope: Construct, prop: string, minReplicas: number): AutoscalingSettings {
    if (this.target) {
      return resourceAutoscaling(scope, prop, minReplicas, this.target);
    }
    const pollingSeconds = secondsOf(scope, `${prop}.autoscaling.pollingInterval`, this.pollingInterval, [1, 300], 'from 1 second to 5 minutes in whole seconds');
    return { on: 'queuedTasks', ...boundsOf(scope, prop, minReplicas, this.options), pollingSeconds };
  }
}

/** The utilization of a resource to aim for, and the option that sets it. */
interface ResourceTarget {
  readonly options: AutoscalingOptions;
  readonly resource: string;
  readonly option: string;
  readonly percent?: number;
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

/** Fails unless a class of the library has made a value. Nothing checks the types of an app in JavaScript. */
export function checkAutoscaling(scope: Construct, prop: string, autoscaling: { _bind: unknown } | undefined, example: string): void {
  if (autoscaling !== undefined && typeof autoscaling?._bind !== 'function') {
    fail(scope, `'${prop}.autoscaling' must be made by a method such as ${example}, got ${shown(autoscaling)}`);
  }
}

function byMemory(options: MemoryAutoscalingOptions): ResourceTarget {
  return { options, resource: 'memory', option: 'targetMemoryPercent', percent: options.targetMemoryPercent };
}

function byCpu(options: CpuAutoscalingOptions): ResourceTarget {
  return { options, resource: 'cpu', option: 'targetCpuPercent', percent: options.targetCpuPercent };
}

function resourceAutoscaling(
  scope: Construct, prop: string, minReplicas: number, { options, resource: name, option, percent: averageUtilization = 80 }: ResourceTarget,
): ResourceAutoscaling {
  const bounds = boundsOf(scope, prop, minReplicas, options);
  checkCount(scope, `${prop}.autoscaling.${option}`, averageUtilization, 1);
  return { on: 'resource', ...bounds, metrics: [{ type: 'Resource', resource: { name, target: { type: 'Utilization', averageUtilization } } }] };
}

function boundsOf(
  scope: Construct, prop: string, minReplicas: number, { maxReplicas, scaleDownStabilization = Duration.minutes(5) }: AutoscalingOptions,
): AutoscalingBounds {
  checkCount(scope, `${prop}.autoscaling.maxReplicas`, maxReplicas ?? NaN, 1);
  if (![minReplicas, maxReplicas].some(Token.isUnresolved) && maxReplicas < minReplicas) {
    fail(scope, `'${prop}.autoscaling.maxReplicas' must be at least '${prop}.replicas' (${minReplicas}), got ${maxReplicas}`);
  }
  const stabilizationWindowSeconds = secondsOf(scope, `${prop}.autoscaling.scaleDownStabilization`, scaleDownStabilization, [0, 3600],
    'at most 1 hour in whole seconds, which is the maximum of Kubernetes');
  return { minReplicas, maxReplicas, behavior: { scaleDown: { stabilizationWindowSeconds } } };
}
