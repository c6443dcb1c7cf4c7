import { KubectlV35Layer } from '@aws-cdk/lambda-layer-kubectl-v35';
import { App, Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as eksv2 from 'aws-cdk-lib/aws-eks-v2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { ACCOUNT, CLUSTERS, importedCluster, importedVpc, newApp, newStack, objectsOf, REGION } from './util';
import { AirflowNodePools, AirflowOnEks } from '../src';
import { albControllerOf, isEksV1, nodegroupCluster } from '../src/cluster';

test.each(Object.entries(CLUSTERS))('the EKS module of a cluster: %s', (name, make) => {
  expect(isEksV1(make(newStack()))).toBe(name.startsWith('aws-eks,'));
});

describe('the cluster for managed node groups', () => {
  const env = { account: ACCOUNT, region: REGION };

  test.each(['aws-eks, owned', 'aws-eks, imported'])('%s: the cluster itself in its own stack', (name) => {
    const stack = newStack();
    const cluster = CLUSTERS[name](stack);
    expect(nodegroupCluster(stack, cluster)).toBe(cluster);
  });

  test.each(['aws-eks, owned', 'aws-eks-v2, owned', 'aws-eks-v2, imported'])('%s: a reference by name from another stack', (name) => {
    const app = newApp();
    const cluster = CLUSTERS[name](new Stack(app, 'Platform', { env }));
    const reference = nodegroupCluster(new Stack(app, 'Data', { env }), cluster);
    expect(reference).not.toBe(cluster);
    expect([reference.clusterName, reference.vpc]).toEqual([cluster.clusterName, cluster.vpc]);
  });
});

test('a cluster without a load balancer controller of its own', () => {
  expect(albControllerOf(importedCluster(newStack()))).toEqual([]);
});

const VPC = "'vpc' (the VPC of the nodes and the file system)";
const SECURITY_GROUP = "'clusterSecurityGroupId' (the security group of the nodes)";
const PROVIDER = "'openIdConnectProvider' (the OIDC provider, for the IAM roles of pods)";
const KUBECTL = "'kubectlRoleArn' (the role that may use kubectl, or a kubectlProvider), 'kubectlLayer' (the layer with kubectl and helm, or a kubectlProvider)";
const KUBECTL_V2 = "'kubectlProvider' (the provider that runs kubectl and helm)";
const missing = (...attributes: string[]) =>
  new Error(`Data/Airflow: the imported 'cluster' must specify ${attributes.join(', ')}; pass them to fromClusterAttributes()`);

describe('fails with all attributes that an imported cluster lacks', () => {
  test('aws-eks', () => {
    const stack = newStack();
    const cluster = eks.Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'prod' });
    expect(() => new AirflowOnEks(stack, 'Airflow', { cluster })).toThrow(missing(VPC, SECURITY_GROUP, PROVIDER, KUBECTL));
  });

  test('aws-eks-v2', () => {
    const stack = newStack();
    const cluster = eksv2.Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'prod' });
    expect(() => new AirflowOnEks(stack, 'Airflow', { cluster })).toThrow(missing(VPC, SECURITY_GROUP, PROVIDER, KUBECTL_V2));
  });

  test('only those that it lacks', () => {
    const stack = newStack();
    const cluster = eks.Cluster.fromClusterAttributes(stack, 'Cluster', {
      clusterName: 'prod', vpc: importedVpc(stack), clusterSecurityGroupId: 'sg-1', kubectlRoleArn: `arn:aws:iam::${ACCOUNT}:role/kubectl`,
    });
    expect(() => new AirflowOnEks(stack, 'Airflow', { cluster })).toThrow(missing(PROVIDER, "'kubectlLayer' (the layer with kubectl and helm, or a kubectlProvider)"));
  });

  test('before anything is created', () => {
    const stack = newStack();
    const cluster = eks.Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'prod' });
    expect(() => new AirflowOnEks(stack, 'Airflow', { cluster })).toThrow();
    expect(stack.node.findChild('Airflow').node.children).toEqual([]);
  });
});

test.each(Object.entries(CLUSTERS))('a complete cluster: %s', (_name, make) => {
  const stack = newStack();
  expect(() => new AirflowOnEks(stack, 'Airflow', { cluster: make(stack) })).not.toThrow();
});

describe('a cluster in EKS Auto Mode', () => {
  const autoMode = (stack: Stack) => new eksv2.Cluster(stack, 'Cluster', {
    version: eksv2.KubernetesVersion.V1_33, kubectlProviderOptions: { kubectlLayer: new KubectlV35Layer(stack, 'Kubectl') },
  });
  const addons = (scope: Stack, cluster: eksv2.ICluster, ...names: string[]) =>
    names.forEach((addonName) => new eksv2.Addon(scope, addonName, { cluster, addonName }));

  test('defaults: NodePools of EKS Auto Mode', () => {
    const stack = newStack();
    new AirflowOnEks(stack, 'Airflow', { cluster: autoMode(stack), ingress: {} });
    const template = Template.fromStack(stack);
    expect(objectsOf(template, 'NodePool')).toHaveLength(3);
    expect(objectsOf(template, 'IngressClass')).toHaveLength(1);
    template.resourceCountIs('AWS::EKS::Nodegroup', 0);
  });

  test('with the add-ons that managed node groups need, also if they are created later', () => {
    const app = newApp();
    const [platform, data] = ['Platform', 'Data'].map((id) => new Stack(app, id, { env: { account: ACCOUNT, region: REGION } }));
    const cluster = autoMode(platform);
    new AirflowOnEks(data, 'Airflow', { cluster, nodePools: AirflowNodePools.managedNodeGroups() });
    addons(platform, cluster, 'vpc-cni', 'kube-proxy', 'coredns');
    expect(() => app.synth()).not.toThrow();
  });

  test('with nodes that the library does not create', () => {
    const stack = newStack();
    const nodeRole = iam.Role.fromRoleName(stack, 'NodeRole', 'nodes');
    new AirflowOnEks(stack, 'Airflow', { cluster: autoMode(stack), nodePools: AirflowNodePools.existing({ stateless: { labels: {} }, nodeRole }) });
    expect(() => App.of(stack)!.synth()).not.toThrow();
  });

  test('fails when managed node groups would lack add-ons', () => {
    const stack = newStack();
    const cluster = autoMode(stack);
    new AirflowOnEks(stack, 'Airflow', { cluster, nodePools: AirflowNodePools.managedNodeGroups() });
    addons(stack, cluster, 'vpc-cni');
    expect(() => App.of(stack)!.synth()).toThrow("[Data/Airflow/NodePools] the nodes that 'nodePools' creates need the add-ons vpc-cni, kube-proxy and"
      + " coredns, which a cluster in EKS Auto Mode does not have, got a 'cluster' without kube-proxy, coredns; use"
      + ' AirflowNodePools.autoMode(), or add an eks.Addon for each');
  });
});

describe('fails when the cluster is', () => {
  const other = { account: ACCOUNT, region: 'us-east-1' };
  const message = (ours: string, theirs: string) => new Error(
    `Data/Airflow: 'cluster' must be created in the account and Region of the deployment (${ours}), got ${theirs}; set the same 'env' for both stacks`);

  test.each(['aws-eks, imported', 'aws-eks-v2, owned'])('in another Region: %s', (name) => {
    const app = newApp();
    const cluster = CLUSTERS[name](new Stack(app, 'Platform', { env: other }));
    expect(() => new AirflowOnEks(new Stack(app, 'Data', { env: { account: ACCOUNT, region: REGION } }), 'Airflow', { cluster }))
      .toThrow(message(`aws://${ACCOUNT}/${REGION}`, `aws://${ACCOUNT}/us-east-1`));
  });

  test('created in an account and Region that are not known', () => {
    const app = newApp();
    const cluster = CLUSTERS['aws-eks-v2, owned'](new Stack(app, 'Platform'));
    expect(() => new AirflowOnEks(new Stack(app, 'Data', { env: other }), 'Airflow', { cluster }))
      .toThrow(message(`aws://${ACCOUNT}/us-east-1`, 'aws://unknown-account/unknown-region'));
  });

  test('in another Stage', () => {
    const app = newApp();
    const cluster = importedCluster(new Stack(new Stage(app, 'Beta'), 'Platform'));
    expect(() => new AirflowOnEks(new Stack(new Stage(app, 'Prod'), 'Data'), 'Airflow', { cluster })).toThrow(new Error(
      "Prod/Data/Airflow: 'cluster' must be in the Stage of the deployment, got a cluster of another Stage; import it in this Stage with fromClusterAttributes()"));
  });
});
