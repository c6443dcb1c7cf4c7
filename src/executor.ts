import { Construct } from 'constructs';
import { fail, shown } from './validation';

/**
 * How Airflow runs tasks.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/executor/index.html
 */
export enum AirflowExecutor {
  /**
   * In long-running Celery workers.
   *
   * Tasks start quickly. The workers, a broker and Flower also run between tasks.
   */
  CELERY = 'CeleryExecutor',

  /**
   * In one pod per task.
   *
   * Nothing runs between tasks. Each task waits for its pod to start.
   */
  KUBERNETES = 'KubernetesExecutor',

  /**
   * In long-running Celery workers, or in a pod of its own if a task requests it.
   *
   * A task requests a pod with `executor='KubernetesExecutor'` (Airflow 3) or `queue='kubernetes'` (Airflow 2).
   */
  CELERY_KUBERNETES = 'CeleryKubernetesExecutor',

  /**
   * In the scheduler, for small deployments.
   *
   * There are no workers, no broker and no Flower. The scheduler runs on the nodes of stateless components, which are On-Demand by default with
   * this executor. Only for the official chart.
   *
   * The scheduler runs up to `core.parallelism` tasks at the same time, 32 by default. When it is replaced, it has ten minutes to finish them, and
   * only then the new one starts.
   */
  LOCAL = 'LocalExecutor',
}

/** Fails unless an executor is one of the enum, which JavaScript does not check. */
export function checkExecutor(scope: Construct, executor: AirflowExecutor): void {
  if (!Object.values(AirflowExecutor).includes(executor)) {
    fail(scope, `'executor' must be one of AirflowExecutor, got ${shown(executor)}`);
  }
}

/** An executor as users write it. */
export function nameOfExecutor(executor: AirflowExecutor): string {
  return `AirflowExecutor.${Object.keys(AirflowExecutor).find((name) => AirflowExecutor[name as keyof typeof AirflowExecutor] === executor)}`;
}

/** Whether Celery workers run, and with them a broker and Flower. */
export function hasCelery(executor: AirflowExecutor): boolean {
  return [AirflowExecutor.CELERY, AirflowExecutor.CELERY_KUBERNETES].includes(executor);
}

/** Whether tasks may run in pods of their own. */
export function hasKubernetes(executor: AirflowExecutor): boolean {
  return [AirflowExecutor.KUBERNETES, AirflowExecutor.CELERY_KUBERNETES].includes(executor);
}

/** Whether tasks run in pods other than the scheduler. */
export function hasTaskPods(executor: AirflowExecutor): boolean {
  return executor !== AirflowExecutor.LOCAL;
}
