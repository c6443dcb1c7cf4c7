import { KubectlV36Layer } from '@aws-cdk/lambda-layer-kubectl-v36';
import { AirflowOnEks, AirflowSecret, GitAuth } from 'airflow-on-eks';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eks from 'aws-cdk-lib/aws-eks-v2';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';

const app = new App();
const stack = new Stack(app, 'AirflowQuickstart');

const cluster = new eks.Cluster(stack, 'Cluster', {
  version: eks.KubernetesVersion.of('1.36'),
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 }),
  defaultCapacityType: eks.DefaultCapacityType.NODEGROUP,
  defaultCapacity: 0,
  kubectlProviderOptions: { kubectlLayer: new KubectlV36Layer(stack, 'Kubectl') },
  albController: { version: eks.AlbControllerVersion.V3_2_2 },
});

// Nodes for pods that do not belong to Airflow, such as CoreDNS.
cluster.addNodegroupCapacity('System', {
  instanceTypes: [new ec2.InstanceType('m5.large')],
  amiType: eks.NodegroupAmiType.AL2023_X86_64_STANDARD,
});

const airflow = new AirflowOnEks(stack, 'Airflow', {
  cluster,
  gitSync: {
    repository: 'git@github.com:example/airflow-dags.git',
    auth: GitAuth.ssh({
      privateKey: AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'DeployKey', 'airflow/deploy-key')),
    }),
  },
  ingress: {
    host: 'airflow.example.com',
    certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate',
      'arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'),
  },
});

new CfnOutput(stack, 'Url', { value: airflow.url });
