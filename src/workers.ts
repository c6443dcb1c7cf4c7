import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { fail } from './errors';

/**
 * When Celery workers are added and taken away.
 */
export interface WorkerAutoscalingOptions {
  /**
   * The highest number of workers.
   */
  readonly maxReplicas: number;

  /**
   * The use of memory, in percent of what the workers request, that is aimed at.
   *
   * @default 80
   */
  readonly targetMemoryPercent?: number;
}

/**
 * The Celery workers.
 */
export interface WorkersOptions {
  /**
   * The number of workers.
   *
   * With `autoscaling`, the lowest number.
   *
   * @default 2
   */
  readonly replicas?: number;

  /**
   * Adds and takes away workers by their use of memory. The cluster needs the metrics server.
   *
   * @default - the number of workers is fixed
   * @see https://docs.aws.amazon.com/eks/latest/userguide/metrics-server.html
   */
  readonly autoscaling?: WorkerAutoscalingOptions;

  /**
   * The CPU that a worker requests, as a Kubernetes quantity.
   *
   * @default '1'
   */
  readonly cpu?: string;

  /**
   * The memory that a worker requests, as a Kubernetes quantity.
   *
   * @default '2Gi'
   */
  readonly memory?: string;

  /**
   * How long a worker that has to go may finish its tasks, at least two minutes. A Spot interruption leaves two minutes, whatever this says.
   *
   * @default Duration.minutes(10)
   */
  readonly terminationGracePeriod?: Duration;

  /**
   * How often a task is tried again, unless its DAG says otherwise.
   *
   * @default - 2 on Spot nodes, else Airflow's own default, 0
   */
  readonly defaultTaskRetries?: number;
}

/** What a chart is told of the workers. */
export interface WorkersSettings {
  readonly replicas: number;
  readonly autoscaling?: Required<WorkerAutoscalingOptions>;
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly terminationGraceSeconds: number;
  readonly defaultTaskRetries?: number;
}

/** Applies the defaults, and checks the numbers. */
export function workersSettings(scope: Construct, options: WorkersOptions, onSpot: boolean): WorkersSettings {
  const replicas = options.replicas ?? 2;
  if (!Number.isInteger(replicas) || replicas < 1) {
    fail(scope, `'workers.replicas' must be at least 1, got ${replicas}; for no Celery workers use AirflowExecutor.KUBERNETES`);
  }
  const { autoscaling } = options;
  if (autoscaling && autoscaling.maxReplicas < replicas) {
    fail(scope, `'workers.autoscaling.maxReplicas' must be at least 'workers.replicas' (${replicas}), got ${autoscaling.maxReplicas}`);
  }
  const terminationGraceSeconds = (options.terminationGracePeriod ?? Duration.minutes(10)).toSeconds();
  if (terminationGraceSeconds < 120) {
    fail(scope, `'workers.terminationGracePeriod' must be at least 120 seconds, got ${terminationGraceSeconds}`);
  }
  return {
    replicas,
    autoscaling: autoscaling && { targetMemoryPercent: 80, ...autoscaling },
    requests: { cpu: options.cpu ?? '1', memory: options.memory ?? '2Gi' },
    terminationGraceSeconds,
    defaultTaskRetries: options.defaultTaskRetries ?? (onSpot ? 2 : undefined),
  };
}
