import { KubernetesObject } from './kubernetes';
import { NodePlacement, nodeSelectorOf, tolerationsOf } from './nodes/placement';

/** The container of a pod that needs no privileges, and writes to its volumes only. */
export const CONFINED_CONTAINER = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true };

/** A pod of the library on its nodes, as one user, without access to the Kubernetes API. `volumes` says how the user gets access to them. */
export function confinedPod(placement: NodePlacement, user: number, volumes: KubernetesObject = {}): KubernetesObject {
  return {
    nodeSelector: nodeSelectorOf(placement),
    tolerations: tolerationsOf(placement),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsUser: user, runAsGroup: user, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, ...volumes },
  };
}
