import { Duration } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { DatabaseEndpoint } from './database-endpoint';
import { Cluster } from '../cluster';
import { BoundNodePools } from '../nodes/airflow-node-pools';
import { AirflowSecret } from '../secrets/airflow-secret';
import { SecretKey } from '../secrets/secret-key';

/** The parts of a deployment, as far as a database needs to know them. */
export interface DatabaseContext {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly nodes: BoundNodePools;
  /** The password with which Airflow connects to PgBouncer and to the in-cluster database. */
  readonly password: AirflowSecret;
  readonly timeout: Duration;
}

/** The database of a deployment. */
export interface BoundDatabase {
  /** The database itself, not PgBouncer in front of it. */
  readonly endpoint: DatabaseEndpoint;
  /** The most connections of a pool: twice as many, and some more, must fit. */
  readonly maxPoolSize: number;
  /** Whether it runs on the nodes of Airflow. */
  readonly inCluster: boolean;
  /** What must exist before clients can connect, besides its Kubernetes objects. */
  readonly available: IDependable[];
  /** Its Kubernetes objects. */
  readonly workloads: Construct[];
  /** The keys of Kubernetes Secrets that its pods read. */
  readonly keys: SecretKey[];
}
