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
}

/** Fails unless an executor is one of the enum, which JavaScript does not check. */
export function checkExecutor(scope: Construct, executor: AirflowExecutor): void {
  if (!Object.values(AirflowExecutor).includes(executor)) {
    fail(scope, `'executor' must be one of AirflowExecutor, got ${shown(executor)}`);
  }
}

/** Whether Celery workers run, and with them a broker and Flower. */
export function hasCelery(executor: AirflowExecutor): boolean {
  return executor !== AirflowExecutor.KUBERNETES;
}

/** Whether tasks may run in pods of their own. */
export function hasKubernetes(executor: AirflowExecutor): boolean {
  return executor !== AirflowExecutor.CELERY;
}
