import { bytesOf, millicoresOf, Resources } from './component';
import { KubernetesObject } from './kubernetes';

/** The pods of one workload, as the scheduler of Kubernetes sees them. */
export interface PodRequests {
  /** The prop that sets their resources, which also names them in messages. */
  readonly prop: string;
  readonly nodeSelector: Record<string, string>;
  /** The number of pods without load; 0 for pods that start on demand. */
  readonly replicas: number;
  /** The number of pods that an autoscaler may start. */
  readonly maxReplicas: number;
  /** Thousandths of a vCPU; not a number if a request is a token. */
  readonly cpu: number;
  /** MiB; not a number if a request is a token. */
  readonly memory: number;
}

interface Container {
  readonly resources?: Resources;
  readonly restartPolicy?: string;
}

interface Containers {
  readonly initContainers?: Container[];
  readonly containers: Container[];
}

/** The pods of a workload with these containers. */
export function podRequests(pods: Omit<PodRequests, 'cpu' | 'memory' | 'maxReplicas'> & Partial<PodRequests>, containers: Containers): PodRequests {
  return {
    maxReplicas: pods.replicas,
    ...pods,
    cpu: total(containers, ({ resources }) => millicoresOf(requestOf('cpu', resources))),
    memory: total(containers, ({ resources }) => bytesOf(requestOf('memory', resources)) / 2 ** 20),
  };
}

/** The pods of the workloads in a manifest. A CronJob has one from time to time, which needs room then. */
export function podRequestsOf(prop: string, objects: KubernetesObject[]): PodRequests[] {
  return objects.flatMap(({ spec }) => {
    const template = spec?.template ?? spec?.jobTemplate?.spec.template;
    return template ? [podRequests({ prop, replicas: spec.replicas ?? 1, nodeSelector: template.spec.nodeSelector }, template.spec)] : [];
  });
}

/** Without a request, a limit is the request. */
function requestOf(name: string, resources?: Resources): string {
  return String(resources?.requests?.[name] ?? resources?.limits?.[name] ?? 0);
}

/**
 * The request of a pod: that of its containers together, or more while an init container runs. An init container that always restarts is a sidecar,
 * which runs beside all that come after it.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
 */
function total({ initContainers = [], containers }: Containers, request: (container: Container) => number): number {
  const sidecars = (count: number) => initContainers.slice(0, count).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const phases = [
    ...initContainers.map((container, index) => [...sidecars(index), container]),
    [...sidecars(initContainers.length), ...containers],
  ];
  return Math.max(...phases.map((running) => running.reduce((sum, container) => sum + request(container), 0)));
}
