// The modules of the measured checkout, and what the app starts from: an existing cluster, secret and certificate.
const { createRequire } = require('module');
const { join, resolve } = require('path');

/** Loads a module as the checkout does, so that the app and the library share one copy of the CDK. `.` is the library. */
exports.load = createRequire(join(resolve(process.env.BENCH_CHECKOUT ?? join(__dirname, '..')), 'package.json'));

const { KubectlV29Layer } = exports.load('@aws-cdk/lambda-layer-kubectl-v29');
const { App, Stack } = exports.load('aws-cdk-lib');
const acm = exports.load('aws-cdk-lib/aws-certificatemanager');
const ec2 = exports.load('aws-cdk-lib/aws-ec2');
const eks = exports.load('aws-cdk-lib/aws-eks');
const iam = exports.load('aws-cdk-lib/aws-iam');
const secretsmanager = exports.load('aws-cdk-lib/aws-secretsmanager');

const account = '123456789012';
const region = 'eu-central-1';

/** Creates N stacks, calls `deploy(stack, existing)` for each, and synthesizes them into CDK_OUTDIR. */
exports.synthesize = (deploy) => {
  const app = new App({ outdir: process.env.CDK_OUTDIR });
  for (let n = 0; n < Number(process.env.N ?? 1); n++) {
    const stack = new Stack(app, `Data${n}`, { env: { account, region } });
    deploy(stack, {
      cluster: importCluster(stack),
      deployKey: secretsmanager.Secret.fromSecretNameV2(stack, 'DeployKey', 'airflow/deploy-key'),
      certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', `arn:aws:acm:${region}:${account}:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9`),
    });
  }
  app.synth();
};

/** With KUBECTL=existing, the cluster has a kubectl provider. Otherwise, the stack creates one. */
function importCluster(stack) {
  const kubectlRoleArn = `arn:aws:iam::${account}:role/kubectl`;
  const kubectl = process.env.KUBECTL === 'existing' ? {
    kubectlProvider: eks.KubectlProvider.fromKubectlProviderAttributes(stack, 'Provider', {
      functionArn: `arn:aws:lambda:${region}:${account}:function:kubectl`,
      kubectlRoleArn,
      handlerRole: iam.Role.fromRoleArn(stack, 'HandlerRole', `arn:aws:iam::${account}:role/kubectl-handler`),
    }),
  } : { kubectlRoleArn, kubectlLayer: new KubectlV29Layer(stack, 'Kubectl') };
  return eks.Cluster.fromClusterAttributes(stack, 'Cluster', {
    clusterName: 'prod',
    clusterSecurityGroupId: 'sg-0a1b2c3d4e5f60001',
    vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: 'vpc-0a1b2c3d4e5f60001',
      availabilityZones: [`${region}a`, `${region}b`],
      privateSubnetIds: ['subnet-0a1b2c3d4e5f60001', 'subnet-0a1b2c3d4e5f60002'],
    }),
    openIdConnectProvider: iam.OpenIdConnectProvider.fromOpenIdConnectProviderArn(stack, 'Oidc',
      `arn:aws:iam::${account}:oidc-provider/oidc.eks.${region}.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E`),
    ...kubectl,
  });
}
