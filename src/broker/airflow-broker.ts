import { Duration } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import elasticache = require('aws-cdk-lib/aws-elasticache');
import { Construct, IDependable } from 'constructs';
import { Cluster } from '../cluster';
import { BoundNodePools } from '../nodes/airflow-node-pools';
import { PodRequests } from '../pod-requests';
import { AirflowSecret } from '../secrets/airflow-secret';
import { composedKey, SecretKey } from '../secrets/secret-key';
import { inUrl } from '../secrets/templates';

/**
 * The broker of the Celery workers.
 */
export interface IAirflowBroker {
  /**
   * The host name of the broker.
   *
   * Undefined for a broker that is known only by its URL.
   */
  readonly hostname?: string;

  /**
   * The network connections of the broker, to admit other clients than Airflow.
   *
   * Undefined unless the broker is Amazon ElastiCache.
   */
  readonly connections?: ec2.Connections;

  /**
   * The replication group of Amazon ElastiCache.
   *
   * Undefined unless the broker is Amazon ElastiCache.
   */
  readonly replicationGroup?: elasticache.CfnReplicationGroup;
}

/** What a chart must know about a broker. */
export interface BrokerSettings {
  /** The key with the URL. */
  readonly url: SecretKey;
}

/** A broker, as the other parts of a deployment see it. */
export interface BoundBroker extends BrokerSettings, IAirflowBroker {
  /** All keys that the broker and its clients need. */
  readonly keys: SecretKey[];
  readonly pods: PodRequests[];
  /** What must exist before the clients. */
  readonly dependables: IDependable[];
}

/** The deployment that a broker belongs to. */
export interface BrokerProps {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly namespaceManifest: IDependable;
  readonly nodes: BoundNodePools;
  readonly timeout: Duration;
  /** Returns the user's password, or generates one. */
  readonly password: () => AirflowSecret;
}

export const BROKER_PORT = 6379;

/** Where the charts find the URL. The official chart reads only this key. */
export function urlTarget(namespace: string): SecretKey {
  return { name: `${namespace}-broker-url`, key: 'connection' };
}

/** The URL of a broker with a password. */
export function urlKey(scope: Construct, namespace: string, password: AirflowSecret, scheme: string, address: string): SecretKey {
  return composedKey(scope, urlTarget(namespace), { 'secrets.brokerPassword': password }, (variable) => `${scheme}://:${inUrl(variable)}@${address}`);
}
