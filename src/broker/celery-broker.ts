import { Construct } from 'constructs';
import { BoundBroker, BrokerProps, urlTarget } from './airflow-broker';
import { ElastiCacheBroker, ElastiCacheBrokerOptions } from './elasticache-broker';
import { InClusterBroker, InClusterBrokerOptions } from './in-cluster-broker';
import { AirflowExecutor, hasCelery, nameOfExecutor } from '../executor';
import { checkOptions } from '../prop-kinds';
import { AirflowSecret } from '../secrets/airflow-secret';
import { AirflowSecretsOptions } from '../secrets/airflow-secrets';
import { fixedKey } from '../secrets/secret-key';
import { fail } from '../validation';

/**
 * The broker, which passes tasks from the scheduler to the Celery workers.
 *
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', { cluster, broker: CeleryBroker.elastiCache() });
 */
export class CeleryBroker {
  /**
   * Run Valkey in the cluster, in one pod on the nodes of the in-cluster database.
   *
   * Messages are only in memory. When the pod restarts, running tasks go on. Tasks that no worker had started are queued again by Airflow 2.11 and 3,
   * and failed by earlier versions, after `scheduler.task_queued_timeout` (10 minutes by default).
   *
   * @param options CPU and memory
   * @see https://valkey.io
   */
  public static inCluster(options: InClusterBrokerOptions = {}): CeleryBroker {
    return new CeleryBroker(options, true, (scope, props) => new InClusterBroker(scope, 'Broker', { ...options, ...props }));
  }

  /**
   * Create a replication group of Amazon ElastiCache for Valkey.
   *
   * It is encrypted at rest and in transit, requires the password `secrets.brokerPassword`, and admits only the nodes of Airflow. It is deleted with
   * the stack.
   *
   * ElastiCache Serverless is not available: it has only cluster mode, which Celery does not support.
   *
   * @param options node type, Availability Zones, version and subnets
   * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/WhatIs.html
   * @see https://github.com/celery/celery/issues/9019
   */
  public static elastiCache(options: ElastiCacheBrokerOptions = {}): CeleryBroker {
    return new CeleryBroker(options, false, (scope, props) => new ElastiCacheBroker(scope, 'Broker', { ...options, ...props }));
  }

  /**
   * Use a broker that already exists, by its URL.
   *
   * It must be reachable from the nodes. With TLS, the URL is `rediss://:PASSWORD@HOST:PORT/0?ssl_cert_reqs=required`, and the certificate must be
   * signed by an authority that the image of Airflow trusts. Redis and Valkey in cluster mode are not supported by Celery.
   *
   * Amazon SQS (`sqs://`) is not supported. Airflow does not test it, Celery cannot ask its workers there whether they are alive, which Flower and
   * the probes of the workers do, and Airflow's default visibility timeout of 24 hours exceeds the 12 hours of SQS.
   *
   * @param url the URL, such as `redis://:PASSWORD@HOST:6379/0`; in a Kubernetes Secret, it must have the key `connection`
   * @see https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/index.html
   * @see https://github.com/apache/airflow/pull/24019
   */
  public static fromUrl(url: AirflowSecret): CeleryBroker {
    return new CeleryBroker({}, false, (scope, { namespace }) => {
      const key = fixedKey(scope, 'broker', urlTarget(namespace), url);
      return { url: key, keys: [key], pods: [], dependables: [] };
    }, 'CeleryBroker.fromUrl(), whose URL contains the password');
  }

  private constructor(
    private readonly options: object,
    /** Whether it runs on nodes of the deployment. @internal */
    public readonly _inCluster: boolean,
    private readonly create: (scope: Construct, props: BrokerProps) => BoundBroker,
    /** Why it needs no password. @internal */
    public readonly _withoutPassword?: string,
  ) {}

  /** @internal */
  public _bind(scope: Construct, props: BrokerProps): BoundBroker {
    checkOptions(scope, 'broker', this.options);
    return this.create(scope, props);
  }
}

interface BrokerChoice {
  readonly broker?: CeleryBroker;
  readonly secrets?: AirflowSecretsOptions;
}

/** Whether a broker runs on nodes of the cluster. */
export function brokerInCluster(executor: AirflowExecutor, broker?: CeleryBroker): boolean {
  return hasCelery(executor) && (broker?._inCluster ?? true);
}

/** The broker of an executor with Celery workers; no other executor has one. */
export function createBroker(
  scope: Construct, executor: AirflowExecutor, { broker, secrets }: BrokerChoice, props: BrokerProps,
): BoundBroker | undefined {
  const withoutPassword = hasCelery(executor) ? broker?._withoutPassword : `${nameOfExecutor(executor)}, which has no broker`;
  if (secrets?.brokerPassword && withoutPassword) {
    fail(scope, `'secrets.brokerPassword' has no effect with ${withoutPassword}; remove it`);
  }
  if (!hasCelery(executor)) {
    return broker && fail(scope, `'broker' must not be set with ${nameOfExecutor(executor)}, which has no broker; remove it, or use another executor`);
  }
  return (broker ?? CeleryBroker.inCluster())._bind(scope, props);
}
