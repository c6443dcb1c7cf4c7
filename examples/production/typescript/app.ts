import { KubectlV36Layer } from '@aws-cdk/lambda-layer-kubectl-v36';
import { AirflowDatabase, AirflowLogs, AirflowNodePools, AirflowOnEks, AirflowSecret, CeleryBroker, GitAuth } from 'airflow-on-eks';
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { AlbScheme, CapacityType } from 'aws-cdk-lib/aws-eks';
import * as eks from 'aws-cdk-lib/aws-eks-v2';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as wafv2 from 'aws-cdk-lib/aws-wafv2';

const app = new App();
const stack = new Stack(app, 'AirflowProduction', { env: { region: 'eu-central-1' } });

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

const firewall = new wafv2.CfnWebACL(stack, 'Firewall', {
  scope: 'REGIONAL',
  defaultAction: { allow: {} },
  visibilityConfig: { cloudWatchMetricsEnabled: true, metricName: 'airflow', sampledRequestsEnabled: true },
  rules: [{
    name: 'common',
    priority: 0,
    overrideAction: { none: {} },
    statement: { managedRuleGroupStatement: { vendorName: 'AWS', name: 'AWSManagedRulesCommonRuleSet' } },
    visibilityConfig: { cloudWatchMetricsEnabled: true, metricName: 'airflow-common', sampledRequestsEnabled: true },
  }],
});

const airflow = new AirflowOnEks(stack, 'Airflow', {
  cluster,
  nodePools: AirflowNodePools.managedNodeGroups({
    workers: { capacityType: CapacityType.ON_DEMAND, minSize: 2, maxSize: 6 },
    clusterAutoscaler: true,
  }),
  workers: { replicas: 4 },
  database: AirflowDatabase.aurora({ multiAz: true, passwordRotation: Duration.days(30) }),
  broker: CeleryBroker.elastiCache({ multiAz: true }),
  logs: AirflowLogs.inBucket({ retention: Duration.days(90) }),
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
    scheme: AlbScheme.INTERNET_FACING,
    inboundCidrs: ['203.0.113.0/24'],
    webAclArn: firewall.attrArn,
  },
});

new CfnOutput(stack, 'Url', { value: airflow.url });
