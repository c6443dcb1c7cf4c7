import { createHash } from 'crypto';
import { CfnJson, CfnResource, Duration, Stack, Token } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { albControllerOf, Cluster, isEksV1 } from './cluster';
import { sortKeys } from './sort-keys';
import { ChartVersion } from './versions';

/** A Kubernetes object of a manifest. */
export type KubernetesObject = Record<string, any>;

/**
 * Creates Kubernetes objects from `scope`, which may be in another stack than the cluster.
 *
 * With `overwrite`, objects that exist are changed: a deployment can be retried after some of them were created. Without it, the deployment
 * fails if one exists, so that an object of somebody else is neither changed, nor deleted with the stack.
 */
export function applyManifest(
  scope: Construct, id: string, cluster: Cluster, objects: KubernetesObject[], { overwrite }: { readonly overwrite: boolean },
): Construct {
  const options = { manifest: sortKeys(objects), overwrite };
  const manifest = isEksV1(cluster)
    ? new eks.KubernetesManifest(scope, id, { cluster, ...options })
    : new eksv2.KubernetesManifest(scope, id, { cluster, ...options });
  if (objects.some(({ kind }) => kind === 'Service')) {
    manifest.node.addDependency(...albControllerOf(cluster)); // whose webhook refuses Services until it is ready
  }
  return manifest;
}

export interface HelmReleaseProps {
  readonly chart: ChartVersion;
  readonly release: string;
  readonly namespace: string;
  readonly values: KubernetesObject;
  readonly createNamespace?: boolean;
}

/** Installs a chart from `scope`, which may be in another stack than the cluster. */
export function installChart(scope: Construct, id: string, cluster: Cluster, props: HelmReleaseProps): Construct {
  const { chart, ...release } = props;
  const options = { createNamespace: false, ...release, ...chart, values: sortKeys(props.values) };
  return isEksV1(cluster)
    ? new eks.HelmChart(scope, id, { cluster, ...options })
    : new eksv2.HelmChart(scope, id, { cluster, ...options });
}

/** A short text that changes with a text. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** A short text that changes with a value, also with its tokens, but not with the order of its keys. */
export function revisionOf(scope: Construct, value: unknown): string {
  return hashOf(JSON.stringify(Stack.of(scope).resolve(sortKeys(value))));
}

/**
 * Reads one field of an object in the cluster during deployment, and waits until it has a value. Fails when the time is over.
 *
 * CloudFormation reads the field again when `revision` changes, which has no other purpose.
 */
export function readObject(scope: Construct, id: string, cluster: Cluster, query: {
  readonly objectType: string;
  readonly objectName: string;
  readonly objectNamespace: string;
  readonly jsonPath: string;
  readonly timeout: Duration;
}, revision?: string): Construct & { readonly value: string } {
  const value = isEksV1(cluster)
    ? new eks.KubernetesObjectValue(scope, id, { cluster, ...query })
    : new eksv2.KubernetesObjectValue(scope, id, { cluster, ...query });
  if (revision !== undefined) {
    (value.node.findChild('Resource').node.defaultChild as CfnResource).addPropertyOverride('Revision', revision);
  }
  return value;
}

/** A Deployment or StatefulSet. */
export interface Workload {
  readonly kind: 'Deployment' | 'StatefulSet';
  readonly name: string;
  readonly namespace: string;
  /** Whether its pods finish their tasks, one pod after the other: an update does not wait until all are replaced. */
  readonly finishesTasks?: boolean;
}

const OBSERVED = '.items[?(@.status.observedGeneration==@.metadata.generation)]'; // else the status is that of the last release
const ROLLED_OUT = '.items[?(@.status.currentRevision==@.status.updateRevision)]';

/** A field of a list with one workload, which has a value when the pods of the workload run. */
function readyField({ kind, finishesTasks }: Workload): string {
  return kind === 'Deployment'
    ? `${OBSERVED}.status.conditions[?(@.reason=="NewReplicaSetAvailable")].status` // the condition Progressing, when it has ended well
    : `${finishesTasks ? OBSERVED : ROLLED_OUT}.status.readyReplicas`; // absent as long as none is ready
}

/** Waits until the pods of a workload are ready, and again when `revision` changes. */
export function waitUntilReady(
  scope: Construct, id: string, cluster: Cluster, workload: Workload, timeout: Duration, revision: string,
): Construct {
  return readObject(scope, id, cluster, {
    objectType: workload.kind.toLowerCase(),
    objectName: `--field-selector=metadata.name=${workload.name}`, // a list of one: only the objects of a list can be compared with themselves
    objectNamespace: workload.namespace,
    jsonPath: readyField(workload),
    timeout,
  }, revision);
}

/**
 * Waits until a definition is established: the API server accepts objects of it some seconds after helm has returned.
 *
 * The release of an operator itself must not wait: its pods may run on nodes that a later stack creates.
 */
export function definitionEstablished(scope: Construct, id: string, cluster: Cluster, name: string): Construct {
  return readObject(scope, id, cluster, {
    objectType: 'customresourcedefinition',
    objectName: name,
    objectNamespace: 'default', // the definition has none, but the handler needs one
    jsonPath: '.status.conditions[?(@.reason=="InitialNamesAccepted")].status', // the reason of the condition Established when it is true
    timeout: Duration.minutes(2),
  });
}

/**
 * A role that one Kubernetes service account can assume (IRSA).
 *
 * The CDK's own ServiceAccount would add a manifest, and with it one more call to the cluster, to each role.
 */
export function serviceAccountRole(scope: Construct, id: string, props: {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly description: string;
  readonly statements?: iam.PolicyStatement[];
}): iam.Role {
  const provider = props.cluster.openIdConnectProvider;
  const issuer = provider.openIdConnectProviderIssuer;
  const claims = {
    [`${issuer}:aud`]: 'sts.amazonaws.com',
    [`${issuer}:sub`]: `system:serviceaccount:${props.namespace}:${props.serviceAccount}`,
  };
  return new iam.Role(scope, id, {
    description: props.description,
    inlinePolicies: props.statements?.length ? { Default: new iam.PolicyDocument({ statements: props.statements }) } : undefined,
    assumedBy: new iam.OpenIdConnectPrincipal(provider, {
      // The key of a condition cannot be a token: CloudFormation must write the JSON if only CloudFormation knows the issuer.
      StringEquals: Token.isUnresolved(issuer) ? new CfnJson(scope, `${id}Claims`, { value: claims }) : claims,
    }),
  });
}
