import { Token } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { BROKER_PORT, BoundBroker, BrokerProps, urlKey } from './airflow-broker';
import { bytesOf, componentSettings } from '../component';
import { applyManifest, KubernetesObject, revisionOf, waitUntilReady } from '../kubernetes';
import { CONFINED_CONTAINER, confinedPod } from '../pod';
import { PodRequests, podRequestsOf } from '../pod-requests';
import { composedKey, SecretKey } from '../secrets/secret-key';
import { fail } from '../validation';
import { imageOf, VALKEY_IMAGE } from '../versions';

/**
 * Options of `CeleryBroker.inCluster()`.
 */
export interface InClusterBrokerOptions {
  /**
   * The CPU that the broker requests, as a Kubernetes quantity such as `500m` or `2`.
   *
   * @default '100m'
   */
  readonly cpu?: string;

  /**
   * The memory that the broker requests and is limited to, as a Kubernetes quantity such as `1Gi`.
   *
   * Three quarters of it are for messages. A queued task takes a few kilobytes.
   *
   * @default '512Mi'
   */
  readonly memory?: string;
}

interface InClusterBrokerProps extends InClusterBrokerOptions, BrokerProps {}

/** The user and the group of the image. */
const VALKEY_USER = 999;

/** Only the password comes from a file: a change of any other setting must restart the pod. */
const CONFIG = { folder: '/etc/valkey', file: 'valkey.conf' };

/**
 * A Valkey server in the cluster.
 *
 * It keeps messages only in memory. After a restart, the scheduler of Airflow sends the tasks again that were queued.
 */
export class InClusterBroker extends Construct implements BoundBroker {
  public readonly hostname: string;
  public readonly url: SecretKey;
  public readonly keys: SecretKey[];
  public readonly pods: PodRequests[];
  public readonly dependables: IDependable[];
  private readonly name: string;

  constructor(scope: Construct, id: string, private readonly props: InClusterBrokerProps) {
    super(scope, id);

    const { cluster, namespace, timeout } = props;
    const password = props.password();
    this.name = `${namespace}-valkey`;
    this.hostname = `${this.name}.${namespace}.svc`;
    this.url = urlKey(scope, namespace, password, 'redis', `${this.name}:${BROKER_PORT}/0`);
    const config = composedKey(scope, { name: this.name, key: CONFIG.file }, { 'secrets.brokerPassword': password },
      (variable) => `requirepass {{ .${variable} | quote }}\n`);
    this.keys = [this.url, config];

    const objects = [this.service(), this.statefulSet()];
    const manifest = applyManifest(this, 'Manifest', cluster, objects, { overwrite: true });
    const ready = waitUntilReady(this, 'Ready', cluster, { kind: 'StatefulSet', name: this.name, namespace }, timeout, revisionOf(this, objects));
    manifest.node.addDependency(props.namespaceManifest);
    ready.node.addDependency(manifest);
    this.pods = podRequestsOf('broker', objects);
    this.dependables = [manifest]; // without waiting: the release starts with the database
  }

  private get labels(): Record<string, string> {
    return { 'app.kubernetes.io/name': 'valkey', 'app.kubernetes.io/instance': this.props.namespace, 'app.kubernetes.io/component': 'broker' };
  }

  private get metadata(): KubernetesObject {
    return { name: this.name, namespace: this.props.namespace, labels: this.labels };
  }

  private service(): KubernetesObject {
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: this.metadata,
      spec: { selector: this.labels, ports: [{ name: 'valkey', port: BROKER_PORT, targetPort: 'valkey' }] },
    };
  }

  private statefulSet(): KubernetesObject {
    const placement = this.props.nodes.placement.database;
    return {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: this.metadata,
      spec: {
        replicas: 1,
        serviceName: this.name,
        selector: { matchLabels: this.labels },
        template: {
          metadata: { labels: this.labels },
          spec: {
            ...confinedPod(placement, VALKEY_USER, { fsGroup: VALKEY_USER }),
            containers: [this.container()],
            volumes: [{ name: 'config', secret: { secretName: this.name, defaultMode: 0o440 } }],
          },
        },
      },
    };
  }

  private container(): KubernetesObject {
    const { cpu = '100m', memory = '512Mi' } = this.props;
    if (Token.isUnresolved(memory)) {
      fail(this, "'broker.memory' must be known at synthesis, because the limit of the messages derives from it, got a token");
    }
    const { resources } = componentSettings(this, 'broker', { cpu, memory, memoryLimit: memory });
    const { repository, tag } = imageOf(VALKEY_IMAGE);
    return {
      name: 'valkey',
      image: `${repository}:${tag}`,
      command: ['valkey-server', `${CONFIG.folder}/${CONFIG.file}`],
      args: [
        '--save', '', '--appendonly', 'no',
        '--maxmemory', `${Math.floor(bytesOf(memory) * 0.75)}`,
        '--maxmemory-policy', 'noeviction', // a message that is lost is a task that does not run
      ],
      ports: [{ name: 'valkey', containerPort: BROKER_PORT }],
      resources,
      readinessProbe: { tcpSocket: { port: BROKER_PORT }, periodSeconds: 5 },
      livenessProbe: { exec: { command: ['valkey-cli', 'ping'] }, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 6 },
      securityContext: CONFINED_CONTAINER,
      volumeMounts: [{ name: 'config', mountPath: CONFIG.folder, readOnly: true }],
    };
  }
}
