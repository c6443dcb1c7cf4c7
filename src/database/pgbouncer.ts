import { Construct } from 'constructs';
import { DatabaseWorkloads } from './bound-database';
import { DatabaseSettings } from './database-endpoint';
import { DatabaseClients, PgBouncerContext, PgBouncerDeployment } from './pgbouncer-deployment';
import { ComponentOptions } from '../component';
import { fail } from '../validation';

/**
 * Options of `PgBouncer.enabled()`.
 */
export interface PgBouncerOptions extends ComponentOptions {
  /**
   * The number of connections that each PgBouncer pod opens to the database.
   *
   * During an update, one pod more than `replicas` runs, so that the database must accept `(replicas + 1) * poolSize` connections. The in-cluster
   * database accepts 180.
   *
   * @default - 4 per pod of the API server and the scheduler, 2 per pod of the DAG processor and the triggerer, and 4 per worker, divided by
   * `replicas`; at least 10, and at most what the in-cluster database accepts
   */
  readonly poolSize?: number;
}

/** A pooler whose objects are still to be created, because the size of its pool depends on its clients. */
interface BoundPgBouncer {
  readonly settings: DatabaseSettings;
  create(clients: DatabaseClients): DatabaseWorkloads;
}

/**
 * Whether PgBouncer is in front of the database, so that hundreds of clients share a few connections.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/howto/set-up-database.html#setting-up-a-postgresql-database
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', { cluster, pgBouncer: PgBouncer.enabled({ poolSize: 50 }) });
 */
export class PgBouncer {
  /**
   * PgBouncer in front of the database.
   *
   * It accepts 1000 clients, shares its connections per transaction, and follows a changed password of the database without a restart of Airflow.
   *
   * @param options the size of the pool, replicas and resources
   */
  public static enabled(options: PgBouncerOptions = {}): PgBouncer {
    return new PgBouncer(options);
  }

  /**
   * No PgBouncer: each Airflow process connects to the database itself.
   *
   * The database must accept up to 15 connections per process.
   */
  public static disabled(): PgBouncer {
    return new PgBouncer();
  }

  private constructor(private readonly options?: PgBouncerOptions) {}

  /** @internal */
  public _bind(scope: Construct, context: PgBouncerContext): BoundPgBouncer {
    const { endpoint, inCluster } = context.database;
    if (!this.options && !inCluster) {
      fail(scope, "'pgBouncer' must be enabled unless 'database' is in the cluster: PgBouncer verifies the certificate of the database and follows its password");
    }
    if (!this.options) {
      return { settings: { endpoint }, create: () => ({ workloads: [], pods: [], keys: [] }) };
    }
    const pgBouncer = new PgBouncerDeployment(scope, 'PgBouncer', { ...this.options, ...context });
    return { settings: { endpoint: pgBouncer.endpoint }, create: (clients) => pgBouncer.deploy(clients) };
  }
}
