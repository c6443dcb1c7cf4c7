import { Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Cluster, constructsOf } from './cluster';
import { applyManifest } from './kubernetes';
import { checkFormat, fail } from './validation';

/** The names of Services derive from it. @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#rfc-1035-label-names */
const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Namespaces of Kubernetes, AWS and the operators. */
const RESERVED = /^(default|kube-.*|amazon-.*|aws-observability|external-secrets|keda)$/;

/** Fails unless the name of a namespace is valid, and not yet used by another deployment of the cluster. */
export function checkNamespace(scope: Construct, cluster: Cluster, namespace: string, maxLength: number): void {
  checkFormat(scope, 'namespace', namespace, DNS_LABEL, 'lower case letters, digits, and - inside, beginning with a letter');
  if (Token.isUnresolved(namespace)) {
    fail(scope, "'namespace' must be known at synthesis, because other names derive from it, got a token");
  }
  if (namespace.length > maxLength) {
    fail(scope, `'namespace' must have at most ${maxLength} characters, because the chart derives other names from it, got ${namespace.length} ('${namespace}')`);
  }
  if (RESERVED.test(namespace)) {
    fail(scope, `'namespace' must be one of its own, which the deployment creates and deletes, got '${namespace}'; use a name such as 'airflow'`);
  }
  // Volumes and the storage class are named after the namespace, but are not namespaced: two deployments would use each other's.
  const id = `AirflowNamespace-${namespace}`;
  const [marker] = constructsOf(cluster).flatMap(({ node }) => node.tryFindChild(id) as NamespaceMarker | undefined ?? []);
  if (marker) {
    fail(scope, `'namespace' must be unique per cluster, got '${namespace}', which is already used by ${marker.owner}`);
  }
  new NamespaceMarker(cluster, id, scope.node.path);
}

/** Creates the namespace. Fails during deployment if it exists: it may contain objects of somebody else, which would be deleted with it. */
export function createNamespace(scope: Construct, cluster: Cluster, name: string): Construct {
  return applyManifest(scope, 'Namespace', cluster, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }], { overwrite: false });
}

/** Marks a namespace of a cluster as used. It creates no resources. */
class NamespaceMarker extends Construct {
  constructor(scope: Construct, id: string, public readonly owner: string) {
    super(scope, id);
  }
}
