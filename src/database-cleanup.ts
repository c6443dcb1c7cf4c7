import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { checkDuration, fail } from './validation';

/**
 * The weekly deletion of old records from the database.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/howto/usage-cli.html#purge-history-from-metadata-database
 */
export interface DatabaseCleanupOptions {
  /**
   * The age at which records of DAG runs, task instances, logs and other history are deleted, in whole days.
   *
   * @default Duration.days(90)
   */
  readonly retention?: Duration;
}

/** The age in days at which records are deleted. */
export function retentionDays(scope: Construct, { retention }: DatabaseCleanupOptions = {}): number {
  return retentionOf(scope, 'databaseCleanup.retention', retention);
}

/** An age in days, by default that of database records, so that a task and its log are deleted together. */
export function retentionOf(scope: Construct, prop: string, retention = Duration.days(90)): number {
  checkDuration(scope, prop, retention);
  const days = retention.toDays({ integral: false });
  if (!retention.isUnresolved() && !(Number.isInteger(days) && days >= 1)) {
    fail(scope, `'${prop}' must be a whole number of days, at least 1, got ${days} days`);
  }
  return days;
}
