import { CfnJson, Duration, Stack, Token } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct, IConstruct } from 'constructs';
import { fail } from './errors';
import { sortKeys } from './sort-keys';
import { ChartVersion } from './versions';

/** A cluster of either EKS module of the CDK, created in this app or imported into it. */
export type Cluster = eks.ICluster | eksv2.ICluster;

/** A Kubernetes object, as it goes into a manifest. */
export type KubernetesObject = Record<string, any>;

/** Only aws-eks knows the aws-auth ConfigMap; `in` does not call the getter, which throws for imported clusters. */
function isEksV1(cluster: Cluster): cluster is eks.ICluster {
  return 'awsAuth' in cluster;
}

/**
 * Says in one error all that an imported cluster lacks, because the CDK says it one attribute at a time.
 */
export function checkCluster(scope: Construct, cluster: Cluster): void {
  const missing = [
    ...absent(() => cluster.vpc, 'vpc', 'the VPC, for the file system and the nodes'),
    ...absent(() => cluster.clusterSecurityGroupId, 'clusterSecurityGroupId', 'the cluster security group, for the nodes'),
    ...absent(() => cluster.openIdConnectProvider, 'openIdConnectProvider', "the OIDC provider, for the pods' AWS identities"),
  ];
  if (!isEksV1(cluster)) {
    missing.push(...absent(() => cluster.kubectlProvider, 'kubectlProvider', 'the provider that runs kubectl and helm'));
  } else if (!cluster.kubectlProvider) {
    missing.push(...absent(() => cluster.kubectlRole, 'kubectlRoleArn', 'the role that may use kubectl, or a kubectlProvider'));
    missing.push(...absent(() => cluster.kubectlLayer, 'kubectlLayer', 'the layer with kubectl and helm, or a kubectlProvider'));
  }
  if (missing.length > 0) {
    fail(scope, `'cluster' lacks what Airflow needs; give to fromClusterAttributes(): ${missing.join('; ')}`);
  }
  if (ownedInOtherStack(scope, cluster) && cluster.authenticationMode !== eks.AuthenticationMode.API
    && cluster.authenticationMode !== eks.AuthenticationMode.API_AND_CONFIG_MAP) {
    fail(scope, "'cluster' of another stack admits nodes by its aws-auth ConfigMap, which only its own stack can write;"
      + " create it with 'authenticationMode' API or API_AND_CONFIG_MAP, or put Airflow in the cluster's stack");
  }
}

function absent(get: () => unknown, attribute: string, purpose: string): string[] {
  try {
    return get() ? [] : [`'${attribute}' (${purpose})`];
  } catch {
    return [`'${attribute}' (${purpose})`];
  }
}

function ownedInOtherStack(scope: Construct, cluster: Cluster): cluster is eks.Cluster {
  return isEksV1(cluster) && cluster instanceof eks.Cluster && Stack.of(cluster) !== Stack.of(scope);
}

/**
 * The cluster as managed node groups see it.
 *
 * A cluster of our own stack is itself, so that the CDK can add the node role to its aws-auth ConfigMap. Any other is known by
 * name only: EKS admits the nodes by an access entry, and nothing in the cluster's stack may depend on our nodes.
 */
export function nodegroupCluster(scope: Construct, cluster: Cluster): eks.ICluster {
  if (isEksV1(cluster) && !ownedInOtherStack(scope, cluster)) {
    return cluster;
  }
  return eks.Cluster.fromClusterAttributes(scope, 'Cluster', { clusterName: cluster.clusterName, vpc: cluster.vpc });
}

/** What has to be there before anything in the cluster can have a Service or an Ingress: the load balancer controller, if the cluster owns one. */
export function albControllerOf(cluster: Cluster): IConstruct[] {
  const controller = (cluster as eks.Cluster | eksv2.Cluster).albController;
  return controller ? [controller] : [];
}

/** Applies Kubernetes objects from `scope`, which may be in another stack than the cluster. */
export function applyManifest(scope: Construct, id: string, cluster: Cluster, objects: KubernetesObject[]): Construct {
  const manifest = sortKeys(objects);
  return isEksV1(cluster)
    ? new eks.KubernetesManifest(scope, id, { cluster, manifest })
    : new eksv2.KubernetesManifest(scope, id, { cluster, manifest });
}

export interface HelmReleaseProps {
  readonly chart: ChartVersion;
  readonly release: string;
  readonly namespace: string;
  readonly values: KubernetesObject;
  readonly createNamespace?: boolean;
  readonly wait?: boolean;
  readonly timeout?: Duration;
}

/** Installs a chart from `scope`, which may be in another stack than the cluster. */
export function installChart(scope: Construct, id: string, cluster: Cluster, props: HelmReleaseProps): Construct {
  const { chart, ...release } = props;
  const options = { createNamespace: false, ...release, ...chart, values: sortKeys(props.values) };
  return isEksV1(cluster)
    ? new eks.HelmChart(scope, id, { cluster, ...options })
    : new eksv2.HelmChart(scope, id, { cluster, ...options });
}

/** Reads one field of an object in the cluster while the stack deploys. */
export function readObject(scope: Construct, id: string, cluster: Cluster, query: {
  readonly objectType: string;
  readonly objectName: string;
  readonly objectNamespace: string;
  readonly jsonPath: string;
  readonly timeout: Duration;
}): Construct & { readonly value: string } {
  return isEksV1(cluster)
    ? new eks.KubernetesObjectValue(scope, id, { cluster, ...query })
    : new eksv2.KubernetesObjectValue(scope, id, { cluster, ...query });
}

/**
 * A role that exactly one Kubernetes service account can take (IRSA).
 *
 * The CDK's own ServiceAccount would add a manifest, one more call to the cluster, to each role.
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
    inlinePolicies: props.statements && { Default: new iam.PolicyDocument({ statements: props.statements }) },
    assumedBy: new iam.OpenIdConnectPrincipal(provider, {
      // A key of a condition cannot be a token: CloudFormation has to write the JSON when the issuer is known only to it.
      StringEquals: Token.isUnresolved(issuer) ? new CfnJson(scope, `${id}Claims`, { value: claims }) : claims,
    }),
  });
}
