import { CfnResource, Stack, Stage, Token } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import { Construct, IConstruct } from 'constructs';
import { checkEnvironment, fail, shown } from './validation';

/** A cluster of either EKS module of the CDK, created in this app or imported into it. */
export type Cluster = eks.ICluster | eksv2.ICluster;

/** Only aws-eks has the aws-auth ConfigMap; `in` does not call the getter, which throws for imported clusters. */
export function isEksV1(cluster: Cluster): cluster is eks.ICluster {
  return 'awsAuth' in cluster;
}

/** Whether all kubectl layers in the stack of the cluster, if there are any, have Helm 4, by the names of their classes. */
export function hasHelm4(cluster: Cluster): boolean {
  const versions = cluster.stack.node.findAll().flatMap(({ constructor }) => /^KubectlV(\d+)Layer$/.exec(constructor.name)?.[1] ?? []);
  return versions.length > 0 && versions.every((version) => Number(version) >= 33);
}

/** Fails with all attributes that an imported cluster lacks. The CDK would report one at a time, and some only during deployment. */
export function checkCluster(scope: Construct, cluster: Cluster): void {
  if (typeof cluster !== 'object' || cluster === null || !('clusterName' in cluster)) {
    fail(scope, `'cluster' must be a cluster of aws-eks or aws-eks-v2, such as eks.Cluster.fromClusterAttributes(), got ${shown(cluster)}`);
  }
  if (Stage.of(scope) !== Stage.of(cluster)) {
    fail(scope, "'cluster' must be in the Stage of the deployment, got a cluster of another Stage; import it in this Stage with fromClusterAttributes()");
  }
  const environments = [scope, cluster].map((construct) => Stack.of(construct).environment);
  const created = cluster instanceof eks.Cluster || cluster instanceof eksv2.Cluster;
  checkEnvironment(scope, 'cluster', cluster, created || !environments.some((environment) => environment.includes('unknown-')));
  const missing = [
    ...absent(() => cluster.vpc, 'vpc', 'the VPC of the nodes and the file system'),
    ...absent(() => cluster.clusterSecurityGroupId, 'clusterSecurityGroupId', 'the security group of the nodes'),
    ...absent(() => cluster.openIdConnectProvider, 'openIdConnectProvider', 'the OIDC provider, for the IAM roles of pods'),
  ];
  if (!isEksV1(cluster)) {
    missing.push(...absent(() => cluster.kubectlProvider, 'kubectlProvider', 'the provider that runs kubectl and helm'));
  } else if (!cluster.kubectlProvider) {
    missing.push(...absent(() => cluster.kubectlRole, 'kubectlRoleArn', 'the role that may use kubectl, or a kubectlProvider'));
    missing.push(...absent(() => cluster.kubectlLayer, 'kubectlLayer', 'the layer with kubectl and helm, or a kubectlProvider'));
  }
  if (missing.length > 0) {
    fail(scope, `the imported 'cluster' must specify ${missing.join(', ')}; pass them to fromClusterAttributes()`);
  }
  if (ownedInOtherStack(scope, cluster) && cluster.authenticationMode !== eks.AuthenticationMode.API
    && cluster.authenticationMode !== eks.AuthenticationMode.API_AND_CONFIG_MAP) {
    fail(scope, "'cluster' is created in another stack and admits nodes by its aws-auth ConfigMap, which only that stack can change;"
      + " create it with 'authenticationMode' API or API_AND_CONFIG_MAP, or create the Airflow deployment in the stack of the cluster");
  }
}

/** All constructs of a cluster, as far as they are known to be of one: the cluster itself, and other imports by the same name. */
export function constructsOf(cluster: Cluster): IConstruct[] {
  const { clusterName } = cluster;
  const stack = Stack.of(cluster);
  const others = Token.isUnresolved(clusterName) ? [] : cluster.node.root.node.findAll().filter((other) =>
    'clusterName' in other && other.clusterName === clusterName && other !== cluster
    && (Stack.of(other) === stack || (Stack.of(other).environment === stack.environment && !stack.environment.includes('unknown-'))));
  return [cluster, ...others];
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
 * The cluster for managed node groups.
 *
 * A cluster of the same stack is returned as it is, so that the CDK can add the node role to its aws-auth ConfigMap. Any other cluster is
 * referred to by name: EKS admits the nodes by an access entry, and nothing in the stack of the cluster may depend on the nodes.
 */
export function nodegroupCluster(scope: Construct, cluster: Cluster): eks.ICluster {
  if (isEksV1(cluster) && !ownedInOtherStack(scope, cluster)) {
    return cluster;
  }
  return eks.Cluster.fromClusterAttributes(scope, 'Cluster', { clusterName: cluster.clusterName, vpc: cluster.vpc });
}

/** Fails if the cluster admits nodes only by its aws-auth ConfigMap. Of an imported cluster, that is not known. */
export function checkAccessEntries(scope: Construct, cluster: Cluster): void {
  if (isEksV1(cluster) && cluster instanceof eks.Cluster
    && (cluster.authenticationMode ?? eks.AuthenticationMode.CONFIG_MAP) === eks.AuthenticationMode.CONFIG_MAP) {
    fail(scope, "'cluster' admits nodes only by its aws-auth ConfigMap, and nodes of Karpenter need an access entry;"
      + " create it with 'authenticationMode' API or API_AND_CONFIG_MAP, got CONFIG_MAP");
  }
}

/** The load balancer controller of the cluster, if the cluster construct installs it: its webhook refuses Services until it is ready. */
export function albControllerOf(cluster: Cluster): IConstruct[] {
  const controller = (cluster as eks.Cluster | eksv2.Cluster).albController;
  return controller ? [controller] : [];
}

const NETWORK_ADDONS = ['vpc-cni', 'kube-proxy', 'coredns'];

/** Whether a cluster of this app is in EKS Auto Mode. Of an imported cluster, that is not known. */
export function inAutoMode(cluster: Cluster): boolean {
  return cluster.node.children.some((child) => CfnResource.isCfnResource(child) && child.cfnResourceType === 'AWS::EKS::Cluster'
    && ((child as eks.CfnCluster).computeConfig as eks.CfnCluster.ComputeConfigProperty | undefined)?.enabled === true);
}

/**
 * The add-ons without which managed node groups have no network, if the cluster certainly lacks them: a cluster of this app in EKS Auto Mode.
 *
 * Complete only at the end of synthesis, because add-ons can be created after the nodes.
 */
export function missingNetworkAddons(cluster: Cluster): string[] {
  if (!inAutoMode(cluster)) {
    return [];
  }
  const addons = cluster.node.root.node.findAll()
    .filter((construct): construct is eks.CfnAddon => CfnResource.isCfnResource(construct) && construct.cfnResourceType === 'AWS::EKS::Addon');
  const installed = addons.filter(({ clusterName }) => clusterName === cluster.clusterName).map(({ addonName }) => addonName);
  return NETWORK_ADDONS.filter((addon) => !installed.includes(addon));
}
