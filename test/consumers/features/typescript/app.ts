// All that a language can get wrong: both types of cluster, nested props, enums, durations and sizes, maps of anything.
// The apps of the other languages are its translations, and must make the same templates.
import {
  AirflowChart, AirflowExecutor, AirflowImage, AirflowOnEks, AirflowRole, AirflowSecret, AlbIngressScheme, AlbIngressTargetType,
  EfsCsiDriverSetup, ExternalSecretsSetup, GitAuth, KnownHosts,
} from 'airflow-on-eks';
import { App, CfnOutput, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as eksv2 from 'aws-cdk-lib/aws-eks-v2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';

const account = '123456789012';
const region = 'eu-central-1';

const app = new App();

function vpcOf(stack: Stack): ec2.IVpc {
  return ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-1',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    privateSubnetIds: ['subnet-1', 'subnet-2'],
    privateSubnetRouteTableIds: ['rtb-1', 'rtb-2'],
  });
}

function oidcOf(stack: Stack): iam.IOpenIdConnectProvider {
  return iam.OpenIdConnectProvider.fromOpenIdConnectProviderArn(stack, 'Oidc',
    `arn:aws:iam::${account}:oidc-provider/oidc.eks.${region}.amazonaws.com/id/EXAMPLE`);
}

const first = new Stack(app, 'EksV1', { env: { account, region } });
const cluster = eks.Cluster.fromClusterAttributes(first, 'Cluster', {
  clusterName: 'prod',
  vpc: vpcOf(first),
  clusterSecurityGroupId: 'sg-1',
  openIdConnectProvider: oidcOf(first),
  kubectlProvider: eks.KubectlProvider.fromKubectlProviderAttributes(first, 'Provider', {
    functionArn: `arn:aws:lambda:${region}:${account}:function:kubectl`,
    kubectlRoleArn: `arn:aws:iam::${account}:role/kubectl`,
    handlerRole: iam.Role.fromRoleArn(first, 'HandlerRole', `arn:aws:iam::${account}:role/handler`),
  }),
});

switch (app.node.tryGetContext('bad')) {
  case 'sizes':
    new AirflowOnEks(first, 'Airflow', { cluster, nodePools: { workers: { minSize: 2, maxSize: 1 } } });
    break;
  case 'auth':
    new AirflowOnEks(first, 'Airflow', {
      cluster,
      gitSync: {
        repository: 'https://github.com/example/dags.git',
        auth: GitAuth.ssh({ privateKey: AirflowSecret.fromKubernetesSecret('git', 'key') }),
      },
    });
    break;
  case 'cluster':
    new AirflowOnEks(first, 'Airflow', { cluster: eksv2.Cluster.fromClusterAttributes(first, 'Bare', { clusterName: 'bare' }) });
    break;
}

const secret = secretsmanager.Secret.fromSecretNameV2(first, 'Secret', 'airflow/dags');
const airflow = new AirflowOnEks(first, 'Airflow', {
  cluster,
  namespace: 'data',
  chart: AirflowChart.community({ airflowVersion: '2.9.3' }),
  executor: AirflowExecutor.CELERY_KUBERNETES,
  image: AirflowImage.fromRegistry('apache/airflow', '2.9.3-python3.11'),
  pipPackages: ['apache-airflow-providers-slack==8.6.0'],
  nodePools: {
    stateless: { instanceTypes: [new ec2.InstanceType('m6g.large')], capacityType: eks.CapacityType.ON_DEMAND, diskSize: Size.gibibytes(50) },
    workers: { minSize: 0, maxSize: 5, labels: { team: 'data', stage: 'prod' }, tags: { cost: 'data' } },
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('CloudWatchAgentServerPolicy')],
  },
  workers: { replicas: 3, autoscaling: { maxReplicas: 8, targetMemoryPercent: 70 }, memory: '4Gi', terminationGracePeriod: Duration.minutes(20) },
  gitSync: {
    repository: 'ssh://git@git.example.com:7999/data/dags.git',
    subPath: 'dags',
    depth: 0,
    period: Duration.seconds(30),
    auth: GitAuth.ssh({
      privateKey: AirflowSecret.fromSecretsManager(secret, 'deploy-key'),
      knownHosts: KnownHosts.of('git.example.com ssh-ed25519 AAAA', 'git.example.com ecdsa-sha2-nistp256 BBBB'),
    }),
  },
  persistence: {
    logsSize: Size.gibibytes(100),
    databaseSize: Size.mebibytes(1536),
    removalPolicy: RemovalPolicy.DESTROY,
    lifecyclePolicy: efs.LifecyclePolicy.AFTER_30_DAYS,
    throughputMode: efs.ThroughputMode.BURSTING,
    automaticBackups: false,
  },
  efsCsiDriver: EfsCsiDriverSetup.ALL_NODES,
  externalSecrets: ExternalSecretsSetup.EXISTING,
  users: [{ username: 'ada', email: 'ada@example.com', role: AirflowRole.of('Auditor'), password: AirflowSecret.fromSecretsManager(secret, 'ada') }],
  connections: [{ id: 'warehouse', type: 'postgres', host: 'db.example.com', port: 5432, password: AirflowSecret.fromSecretsManager(secret, 'db') }],
  variables: [{ key: 'stage', value: 'prod' }, { key: 'hook', secret: AirflowSecret.fromSecretsManager(secret, 'hook') }],
  pools: [{ name: 'warehouse', slots: 4 }],
  config: { 'core.parallelism': '64', 'scheduler.parsing_processes': '2', 'webserver.navbar_color': '#123456' },
  environment: { TZ: 'UTC', STAGE: 'prod', HTTP_PROXY: 'http://proxy.example.com' },
  extraSecrets: {
    'slack-webhook': AirflowSecret.fromSecretsManager(secret, 'slack'),
    'api_user': AirflowSecret.fromSecretsManager(secret, 'user'),
    'cache': AirflowSecret.fromKubernetesSecret('cache', 'url'),
  },
  ingress: {
    host: 'airflow.example.com',
    certificate: acm.Certificate.fromCertificateArn(first, 'Certificate', `arn:aws:acm:${region}:${account}:certificate/1`),
    scheme: AlbIngressScheme.INTERNET_FACING,
    targetType: AlbIngressTargetType.IP,
    listenPorts: [{ protocol: 'HTTP', port: 80 }, { protocol: 'HTTPS', port: 443 }],
    inboundCidrs: ['192.0.2.0/24'],
    annotations: { 'alb.ingress.kubernetes.io/ssl-redirect': '443', 'example.com/owner': 'data' },
  },
  values: {
    scheduler: { podAnnotations: { 'example.com/a': '1', 'example.com/b': '2' }, logCleanup: { enabled: false } },
    flower: { extraVolumes: [{ name: 'scratch', emptyDir: { sizeLimit: '1Gi' } }], podDisruptionBudget: { enabled: true, minAvailable: 1 } },
  },
  removedValues: ['scheduler.livenessProbe', 'web.readinessProbe'],
  helmTimeout: Duration.minutes(10),
});

// What others ask of it.
s3.Bucket.fromBucketName(first, 'Bucket', 'example-data').grantRead(airflow);
airflow.connections.allowFrom(ec2.Peer.ipv4('192.0.2.0/24'), ec2.Port.tcp(9102), 'Metrics');
new CfnOutput(first, 'Url', { value: airflow.url });
new CfnOutput(first, 'Workers', { value: airflow.nodePools!.workers.nodegroupName });
new CfnOutput(first, 'FernetKey', { value: airflow.secrets.fernetKey!.secretArn });
new CfnOutput(first, 'Versions', { value: `${airflow.chart.chartVersion} ${airflow.chart.airflowVersion}` });
new CfnOutput(first, 'Logs', { value: `${airflow.fileSystem.fileSystemId} ${airflow.persistence.logsClaimName}` });

const second = new Stack(app, 'EksV2', { env: { account, region } });
new AirflowOnEks(second, 'Airflow', {
  cluster: eksv2.Cluster.fromClusterAttributes(second, 'Cluster', {
    clusterName: 'prod',
    vpc: vpcOf(second),
    clusterSecurityGroupId: 'sg-1',
    openIdConnectProvider: oidcOf(second),
    kubectlProvider: eksv2.KubectlProvider.fromKubectlProviderAttributes(second, 'Provider', {
      serviceToken: `arn:aws:lambda:${region}:${account}:function:kubectl`,
    }),
  }),
  chart: AirflowChart.community(),
  executor: AirflowExecutor.KUBERNETES,
  image: AirflowImage.fromEcrRepository(ecr.Repository.fromRepositoryName(second, 'Repository', 'airflow'), '2.8.4'),
  existingNodes: {
    stateless: { labels: { role: 'data', zone: 'private' }, tolerations: [{ key: 'dedicated', value: 'data', effect: 'NoSchedule' }] },
    nodeRole: iam.Role.fromRoleArn(second, 'NodeRole', `arn:aws:iam::${account}:role/nodes`),
  },
  persistence: {
    fileSystem: efs.FileSystem.fromFileSystemAttributes(second, 'FileSystem', {
      fileSystemId: 'fs-1', securityGroup: ec2.SecurityGroup.fromSecurityGroupId(second, 'FileSystemGroup', 'sg-3'),
    }),
  },
  gitSync: {
    repository: 'https://git.example.com/data/dags.git',
    auth: GitAuth.http({
      username: AirflowSecret.fromKubernetesSecret('git', 'username'), password: AirflowSecret.fromKubernetesSecret('git', 'password'),
    }),
  },
  secrets: { fernetKey: AirflowSecret.fromKubernetesSecret('keys', 'fernet') },
  values: { scheduler: { podAnnotations: { 'example.com/a': '1' } } }, // the other languages add a null, which is lost on the way
});
