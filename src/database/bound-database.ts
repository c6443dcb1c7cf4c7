import { Duration } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import rds = require('aws-cdk-lib/aws-rds');
import s3 = require('aws-cdk-lib/aws-s3');
import secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
import { Construct, IDependable } from 'constructs';
import { DatabaseEndpoint, SecretField } from './database-endpoint';
import { Cluster } from '../cluster';
import { BoundNodePools } from '../nodes/airflow-node-pools';
import { PodRequests } from '../pod-requests';
import { AirflowSecret } from '../secrets/airflow-secret';
import { SecretKey } from '../secrets/secret-key';

/**
 * The database of an Airflow deployment, behind PgBouncer.
 */
export interface IAirflowDatabase {
  /**
   * The host name of the database.
   *
   * That of the in-cluster database can be resolved only in the cluster.
   */
  readonly hostname: string;

  /**
   * The port of the database.
   */
  readonly port: number;

  /**
   * The secret with the fields `username` and `password`.
   *
   * Undefined for the in-cluster database, whose password is `secrets.databasePassword`.
   */
  readonly secret?: secretsmanager.ISecret;

  /**
   * The network connections of the database, to admit other clients than Airflow.
   *
   * Undefined for the in-cluster database, and for `AirflowDatabase.fromEndpoint()` without a security group.
   */
  readonly connections?: ec2.Connections;

  /**
   * The Amazon Aurora cluster.
   *
   * Undefined unless the database is from `AirflowDatabase.aurora()` or `AirflowDatabase.fromCluster()`.
   */
  readonly cluster?: rds.IDatabaseCluster;

  /**
   * The Amazon RDS instance.
   *
   * Undefined unless the database is from `AirflowDatabase.rds()` or `AirflowDatabase.fromInstance()`.
   */
  readonly instance?: rds.IDatabaseInstance;

  /**
   * The bucket with the backups of the in-cluster database.
   *
   * Undefined without its option `backup`.
   */
  readonly backupBucket?: s3.IBucket;
}

/** The parts of a deployment, as far as a database needs to know them. */
export interface DatabaseContext {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly nodes: BoundNodePools;
  /** The password with which Airflow connects to PgBouncer and to the in-cluster database. */
  readonly password: AirflowSecret;
  readonly timeout: Duration;
}

/** What runs in the cluster of a database, or of PgBouncer. */
export interface DatabaseWorkloads {
  /** The Kubernetes objects. */
  readonly workloads: Construct[];
  readonly pods: PodRequests[];
  /** The keys of Kubernetes Secrets that the pods read. */
  readonly keys: SecretKey[];
}

/** A database, as the other parts of a deployment see it. */
export interface BoundDatabase extends IAirflowDatabase, DatabaseWorkloads {
  /** The database itself, not PgBouncer in front of it. */
  readonly endpoint: DatabaseEndpoint;
  /** The connections that all pods of PgBouncer can have together. */
  readonly maxConnections: number;
  /** That it may be missing, and who creates its user then. */
  readonly creation?: { readonly admin?: { readonly user: SecretField; readonly password: SecretField } };
  /** Whether it runs on the nodes of Airflow. */
  readonly inCluster: boolean;
  /** What must exist before clients can connect, besides its Kubernetes objects. */
  readonly available: IDependable[];
}
