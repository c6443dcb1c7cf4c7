// What both apps start from: a cluster that exists already, and secrets that are in AWS Secrets Manager already.
const { KubectlV29Layer } = require('@aws-cdk/lambda-layer-kubectl-v29');
const { App, Stack } = require('aws-cdk-lib');
const acm = require('aws-cdk-lib/aws-certificatemanager');
const ec2 = require('aws-cdk-lib/aws-ec2');
const eks = require('aws-cdk-lib/aws-eks');
const iam = require('aws-cdk-lib/aws-iam');
const secretsmanager = require('aws-cdk-lib/aws-secretsmanager');

const account = '123456789012';
const region = 'eu-central-1';

/** Makes N stacks, one of each, by `deploy(stack, given)`, and synthesizes them into CDK_OUTDIR. */
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

/** KUBECTL says who runs kubectl and helm: `own` is a function of this app, `existing` one that came with the cluster. */
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
