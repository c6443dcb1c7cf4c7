import { Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { AutoscalingSettings } from './autoscaling';
import { checkCount, checkFormat, fail } from './validation';

/**
 * The replicas and the resources of one Airflow component, such as the scheduler.
 */
export interface ComponentOptions {
  /**
   * The number of pods, at least 1.
   *
   * @default - 2 (API server, scheduler, workers), 1 (DAG processor, triggerer; scheduler with `AirflowExecutor.LOCAL`)
   */
  readonly replicas?: number;

  /**
   * The CPU that the Airflow container of each pod requests, as a Kubernetes quantity such as `500m` or `2`.
   *
   * The container has no CPU limit, and may use what is left of its node.
   *
   * @default - `250m` (API server, scheduler, DAG processor), `100m` (triggerer), `1` (workers; scheduler with `AirflowExecutor.LOCAL`), `500m` (pods of the Kubernetes executor)
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly cpu?: string;

  /**
   * The memory that the Airflow container of each pod requests, as a Kubernetes quantity such as `1Gi`.
   *
   * The defaults exceed what the components of Airflow 3.3.2 used at rest and with running tasks, except the memory of the tasks themselves.
   *
   * @default - `768Mi` (API server), `512Mi` (scheduler, DAG processor, triggerer), `2Gi` (workers; scheduler with `AirflowExecutor.LOCAL`), `1Gi` (pods of the Kubernetes executor)
   */
  readonly memory?: string;

  /**
   * The memory above which the Airflow container of a pod is terminated, as a Kubernetes quantity such as `2Gi`.
   *
   * It must be at least `memory`.
   *
   * @default - twice `memory`, or `memory` if that is a token
   */
  readonly memoryLimit?: string;
}

/** Requests and limits, in the words of Kubernetes. */
export interface Resources {
  readonly requests?: Record<string, string>;
  readonly limits?: Record<string, string>;
}

/** A request of CPU and memory, and a limit of memory. A container has no CPU limit: it may use what is left of its node. */
export function resources(cpu: string, memory: string, memoryLimit: string): Resources {
  return { requests: { cpu, memory }, limits: { memory: memoryLimit } };
}

/** A component with its defaults, for the chart. */
export interface ComponentSettings {
  /** The number of pods, the minimum with an autoscaler. */
  readonly replicas: number;
  readonly autoscaling?: AutoscalingSettings;
  readonly resources: Resources;
}

const CPU = /^\d+(\.\d{1,3})?$|^\d+m$/;
const MEMORY = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T)?$/;
const MEMORY_UNITS: Record<string, number> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Applies the defaults of a component and checks its options. */
export function componentSettings(
  scope: Construct, prop: string, options: ComponentOptions = {}, defaults: ComponentOptions = {}, minReplicas = 1,
): ComponentSettings {
  const replicas = options.replicas ?? defaults.replicas ?? 1;
  const cpu = options.cpu ?? defaults.cpu;
  const memory = options.memory ?? defaults.memory;
  const memoryLimit = options.memoryLimit ?? defaults.memoryLimit ?? twice(memory);
  checkCount(scope, `${prop}.replicas`, replicas, minReplicas);
  checkFormat(scope, `${prop}.cpu`, cpu ?? '1', CPU, "a Kubernetes quantity such as '500m' or '2'");
  for (const [name, quantity] of Object.entries({ memory, memoryLimit })) {
    checkFormat(scope, `${prop}.${name}`, quantity ?? '1Gi', MEMORY, "a Kubernetes quantity such as '512Mi' or '2Gi'");
  }
  if (memory && memoryLimit && bytesOf(memoryLimit) < bytesOf(memory)) {
    fail(scope, `'${prop}.memoryLimit' must be at least '${prop}.memory' (${memory}), got ${memoryLimit}`);
  }
  const requests = { ...cpu && { cpu }, ...memory && { memory } };
  return {
    replicas,
    resources: { ...Object.keys(requests).length > 0 && { requests }, ...memoryLimit && { limits: { memory: memoryLimit } } },
  };
}

/** The default of a limit. A token cannot be multiplied. */
function twice(memory?: string): string | undefined {
  const [, number, unit = ''] = MEMORY.exec(memory ?? '') ?? [];
  return number === undefined || Token.isUnresolved(memory) ? memory : `${2 * Number(number)}${unit}`;
}

/** The thousandths of a vCPU of a Kubernetes quantity; not a number for a token. */
export function millicoresOf(quantity: string): number {
  return !CPU.test(quantity) ? NaN : quantity.endsWith('m') ? parseInt(quantity) : Number(quantity) * 1000;
}

/** The bytes of a Kubernetes quantity; not a number for a token. */
export function bytesOf(quantity: string): number {
  const [, number, unit] = MEMORY.exec(quantity) ?? [];
  return Number(number) * (MEMORY_UNITS[unit] ?? 1);
}
