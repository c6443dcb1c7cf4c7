import { KubectlV29Layer } from '@aws-cdk/lambda-layer-kubectl-v29';
import {
  AirflowChart, AirflowImage, AirflowNodePools, AirflowOnEks, AirflowRole, AirflowSecret, AirflowVariable, GitAuth, KnownHosts, WorkerAutoscaling,
} from 'airflow-on-eks';
import { App, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';

const account = '123456789012';
const region = 'ap-northeast-2';

const app = new App();
const stack = new Stack(app, 'AirflowBlog', { env: { account, region } });

// The existing cluster. Its VPC can also be imported by Vpc.fromLookup().
const cluster = eks.Cluster.fromClusterAttributes(stack, 'Cluster', {
  clusterName: 'us-eks',
  clusterSecurityGroupId: 'sg-0a1b2c3d4e5f60001',
  vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0a1b2c3d4e5f60001',
    availabilityZones: ['ap-northeast-2a', 'ap-northeast-2c'],
    privateSubnetIds: ['subnet-0a1b2c3d4e5f60001', 'subnet-0a1b2c3d4e5f60002'],
    privateSubnetRouteTableIds: ['rtb-0a1b2c3d4e5f60001', 'rtb-0a1b2c3d4e5f60002'],
  }),
  openIdConnectProvider: iam.OpenIdConnectProvider.fromOpenIdConnectProviderArn(stack, 'Oidc',
    `arn:aws:iam::${account}:oidc-provider/oidc.eks.${region}.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E`),
  kubectlRoleArn: `arn:aws:iam::${account}:role/us-eks-kubectl`,
  kubectlLayer: new KubectlV29Layer(stack, 'Kubectl'),
});

// Existing secrets: the deploy key of the Git repository, and the credentials that DAGs use.
const deployKey = secretsmanager.Secret.fromSecretNameV2(stack, 'DeployKey', 'airflow/gitlab-deploy-key');
const dagSecrets = secretsmanager.Secret.fromSecretNameV2(stack, 'DagSecrets', 'airflow/dags');

const airflow = new AirflowOnEks(stack, 'Airflow', {
  cluster,
  chart: AirflowChart.community(),
  image: AirflowImage.fromRegistry('apache/airflow', '2.8.4-python3.9'),
  nodePools: AirflowNodePools.managedNodeGroups({
    stateless: { instanceTypes: [new ec2.InstanceType('c5a.xlarge'), new ec2.InstanceType('c5a.large')], minSize: 2, maxSize: 2 },
    workers: { instanceTypes: [new ec2.InstanceType('c5a.2xlarge'), new ec2.InstanceType('c5.2xlarge')], minSize: 1, maxSize: 3 },
    database: { instanceTypes: [new ec2.InstanceType('c5a.xlarge')], minSize: 1, maxSize: 1 },
    keyPair: ec2.KeyPair.fromKeyPairName(stack, 'KeyPair', 'prod-airflow'),
    clusterAutoscaler: true,
  }),
  workers: { replicas: 2, autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 16 }) },
  gitSync: {
    repository: 'git@gitlab.cloudopz.co:devops/airflow-dags.git',
    branch: 'master',
    auth: GitAuth.ssh({
      privateKey: AirflowSecret.fromSecretsManager(deployKey),
      knownHosts: KnownHosts.of('gitlab.cloudopz.co ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDD18bjpsGTussTrWvrU9LzqDdb0DJ5XVlOvmv4E+svIN6ItUvS3UrNNKiABs9IlexsEnDTdYTfZkV14Ft7f79lTeLKqvEJowF6RZg1SDOtW4ljPxRUh8n8MgGftI37m3baRYBqdsSbTebjfDRkykgI3k5AW+Lw9syeckncL3ZLAUQ894bh/uIqu4tCP59UlxZ43B6n6nna9g+ZFz/EGCsQTxPsTUIy13Lrgeh6kLQk77zvxdz838/JDH7ELdmd1nwCJIXOKhFwwSDkRUAkHgVSHWsFZdfNM4Na3TRBR0IUCnEqwDuEqSlTh1yfv1oymu6FeA/JaiTgfhvDVleB4wSx'),
    }),
  },
  users: [
    { username: 'admin', role: AirflowRole.ADMIN, email: 'admin@vinceredev.com' },
    { username: 'airflow', role: AirflowRole.USER, email: 'airflow@vinceredev.com' },
    { username: 'viewer', role: AirflowRole.VIEWER, email: 'viewer@vinceredev.com' },
  ],
  connections: [{
    id: 'slack', type: 'http', host: 'https://hooks.slack.com/services', password: AirflowSecret.fromSecretsManager(dagSecrets, 'slack_webhook'),
  }],
  variables: [AirflowVariable.of('environment', 'dev')],
  environmentSecrets: {
    CLH_PASSWORD: AirflowSecret.fromSecretsManager(dagSecrets, 'clh-password'),
    TTDB_USER: AirflowSecret.fromSecretsManager(dagSecrets, 'ttdb_user'),
    TTDB_PASSWORD: AirflowSecret.fromSecretsManager(dagSecrets, 'ttdb_password'),
  },
  config: { 'scheduler.dag_dir_list_interval': '60' },
  ingress: {
    host: 'airflow.vinceredev.com',
    certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate',
      `arn:aws:acm:${region}:${account}:certificate/b8299bf5-ae3b-4f69-8f6c-0a1b2c3d4e5f`),
    groupName: 'dev',
    groupOrder: 9,
    labels: { dev: 'airflow' },
  },
});

// DAGs read Amazon S3 with the role of the Airflow pods. Other pods on the same nodes do not get this permission.
airflow.role.addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('AmazonS3ReadOnlyAccess'));
