import { Construct } from 'constructs';
import { checkCount, checkFormat, checkUnique } from '../validation';

/**
 * A pool, which limits how many of its tasks run at the same time.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/pools.html
 */
export interface AirflowPool {
  /**
   * The name by which tasks refer to the pool.
   */
  readonly name: string;

  /**
   * The number of slots: tasks of the pool that can run at the same time, if each occupies one slot. -1 means no limit.
   */
  readonly slots: number;

  /**
   * The description, for the web UI.
   *
   * @default - no description (official chart), the name (community chart)
   */
  readonly description?: string;
}

/** Checks the names and the slots of pools. */
export function checkPools(scope: Construct, pools: AirflowPool[]): void {
  checkUnique(scope, 'pools', pools.map(({ name }) => name));
  for (const { name, slots } of pools) {
    checkFormat(scope, 'pools.name', name, /^.{1,256}$/, 'text of 1 to 256 characters');
    checkCount(scope, `pools.${name}.slots`, slots ?? NaN, -1);
  }
}
