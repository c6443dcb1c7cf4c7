// Uses each kind of API that jsii translates: both types of cluster, nested props, factories, enums of the CDK, durations and sizes,
// maps of any values, attributes. The apps in the other languages are translations of this one and must create the same templates.
import {
  AirflowChart, AirflowDatabase, AirflowExecutor, AirflowImage, AirflowLogs, AirflowNodePools, AirflowOnEks, AirflowRole, AirflowSecret,
  AirflowVariable, AlbIngressClass, ApiServerAutoscaling, CeleryBroker, DatabaseSslMode, EfsCsiDriver, EfsCsiDriverInstallation, ExternalSecrets,
  ExternalSecretsInstallation, GitAuth, Keda, KedaInstallation, KnownHosts, PgBouncer, SecretsBackend, WorkerAutoscaling,
} from 'airflow-on-eks';
import { App, CfnOutput, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as eksv2 from 'aws-cdk-lib/aws-eks-v2';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as rds from 'aws-cdk-lib/aws-rds';
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

function clusterV2Of(stack: Stack): eksv2.ICluster {
  return eksv2.Cluster.fromClusterAttributes(stack, 'Cluster', {
    clusterName: 'prod',
    vpc: vpcOf(stack),
    clusterSecurityGroupId: 'sg-1',
    openIdConnectProvider: oidcOf(stack),
    kubectlProvider: eksv2.KubectlProvider.fromKubectlProviderAttributes(stack, 'Provider', {
      serviceToken: `arn:aws:lambda:${region}:${account}:function:kubectl`,
    }),
  });
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
    new AirflowOnEks(first, 'Airflow', {
      cluster,
      nodePools: AirflowNodePools.managedNodeGroups({ workers: { minSize: 2, maxSize: 1 } }),
    });
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
  chart: AirflowChart.community({ chartVersion: '8.9.0', airflowVersion: '2.9.3' }),
  executor: AirflowExecutor.CELERY_KUBERNETES,
  image: AirflowImage.fromRegistry('apache/airflow', '2.9.3-python3.11'),
  pipPackages: ['apache-airflow-providers-slack==8.6.0'],
  nodePools: AirflowNodePools.managedNodeGroups({
    stateless: { instanceTypes: [new ec2.InstanceType('m6g.large')], capacityType: eks.CapacityType.ON_DEMAND, diskSize: Size.gibibytes(50) },
    workers: { minSize: 0, maxSize: 5, labels: { team: 'data', stage: 'prod' }, tags: { cost: 'data' } },
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('CloudWatchAgentServerPolicy')],
  }),
  apiServer: { replicas: 3, cpu: '250m', memory: '2Gi', memoryLimit: '4Gi' },
  scheduler: { replicas: 1, memory: '1536Mi' },
  triggerer: { replicas: 2 },
  workers: {
    replicas: 3,
    cpu: '500m',
    memory: '4Gi',
    memoryLimit: '6Gi',
    autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 8, targetMemoryPercent: 70 }),
    terminationGracePeriod: Duration.minutes(12),
    defaultTaskRetries: 1,
  },
  logs: AirflowLogs.onFileSystem({ retention: Duration.days(30) }),
  broker: CeleryBroker.elastiCache({
    nodeType: new ec2.InstanceType('m7g.large'), multiAz: false, engineVersion: '9.0', vpcSubnets: { availabilityZones: ['eu-central-1a'] },
  }),
  database: AirflowDatabase.rds({
    engineVersion: rds.PostgresEngineVersion.VER_16_10,
    instanceType: new ec2.InstanceType('r7g.large'),
    allocatedStorage: Size.gibibytes(50),
    maxAllocatedStorage: Size.gibibytes(200),
    multiAz: true,
    subnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
    encryptionKey: kms.Key.fromKeyArn(first, 'Key', `arn:aws:kms:${region}:${account}:key/1`),
    parameters: { log_min_duration_statement: '1000' },
  }),
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
    removalPolicy: RemovalPolicy.DESTROY,
    lifecyclePolicy: efs.LifecyclePolicy.AFTER_30_DAYS,
    throughputMode: efs.ThroughputMode.BURSTING,
    automaticBackups: false,
  },
  efsCsiDriver: EfsCsiDriverInstallation.onAllNodes(),
  externalSecrets: ExternalSecretsInstallation.existing(),
  secrets: { apiSecretKey: AirflowSecret.fromSecretsManager(secret, 'api'), brokerPassword: AirflowSecret.fromSecretsManager(secret, 'broker') },
  secretsBackend: SecretsBackend.secretsManager('airflow'),
  users: [{
    username: 'ada',
    email: 'ada@example.com',
    firstName: 'Ada',
    lastName: 'King',
    role: AirflowRole.of('Auditor'),
    password: AirflowSecret.fromSecretsManager(secret, 'ada'),
  }],
  connections: [{
    id: 'warehouse',
    type: 'postgres',
    description: 'Reports',
    host: 'db.example.com',
    port: 5432,
    schema: 'reports',
    login: 'airflow',
    password: AirflowSecret.fromSecretsManager(secret, 'db'),
    extra: '{"sslmode": "require"}',
  }],
  variables: [AirflowVariable.of('stage', 'prod'), AirflowVariable.fromSecret('hook', AirflowSecret.fromSecretsManager(secret, 'hook'))],
  pools: [{ name: 'warehouse', slots: 4, description: 'Connections to the warehouse' }],
  config: { 'core.parallelism': '64', 'scheduler.parsing_processes': '2', 'webserver.navbar_color': '#123456' },
  environment: { TZ: 'UTC', STAGE: 'prod', HTTP_PROXY: 'http://proxy.example.com' },
  environmentSecrets: {
    SLACK_WEBHOOK: AirflowSecret.fromSecretsManager(secret, 'slack'),
    API_USER: AirflowSecret.fromSecretsManager(secret, 'user'),
    CACHE: AirflowSecret.fromKubernetesSecret('cache', 'url'),
  },
  ingress: {
    host: 'airflow.example.com',
    certificate: acm.Certificate.fromCertificateArn(first, 'Certificate', `arn:aws:acm:${region}:${account}:certificate/1`),
    scheme: eks.AlbScheme.INTERNET_FACING,
    targetType: elbv2.TargetType.INSTANCE,
    listenerPorts: [{ protocol: elbv2.ApplicationProtocol.HTTP, port: 80 }, { protocol: elbv2.ApplicationProtocol.HTTPS, port: 443 }],
    sslPolicy: elbv2.SslPolicy.TLS13_RES,
    inboundCidrs: ['192.0.2.0/24'],
    annotations: { 'alb.ingress.kubernetes.io/ssl-redirect': '443', 'example.com/owner': 'data' },
  },
  helmValues: {
    scheduler: { podAnnotations: { 'example.com/a': '1', 'example.com/b': '2' } },
    flower: { extraVolumes: [{ name: 'scratch', emptyDir: { sizeLimit: '1Gi' } }], podDisruptionBudget: { enabled: true, minAvailable: 1 } },
  },
  removedHelmValues: ['scheduler.livenessProbe', 'web.readinessProbe'],
  readyTimeout: Duration.minutes(10),
});

// The attributes.
s3.Bucket.fromBucketName(first, 'Bucket', 'example-data').grantRead(airflow);
airflow.connections.allowFrom(ec2.Peer.ipv4('192.0.2.0/24'), ec2.Port.tcp(9102), 'Metrics');
airflow.broker!.connections!.allowFrom(ec2.Peer.ipv4('192.0.2.0/24'), ec2.Port.tcp(6379), 'Monitoring');
new CfnOutput(first, 'Url', { value: airflow.url });
new CfnOutput(first, 'Workers', { value: airflow.nodePools.workers!.nodegroupName });
new CfnOutput(first, 'FernetKey', { value: airflow.secrets.fernetKey!.secretArn });
new CfnOutput(first, 'Versions', { value: `${airflow.chart.chartVersion} ${airflow.chart.airflowVersion}` });
new CfnOutput(first, 'Logs', { value: `${airflow.fileSystem!.fileSystemId} ${airflow.persistence!.logsClaimName!}` });

const second = new Stack(app, 'EksV2', { env: { account, region } });
const clusterV2 = clusterV2Of(second);
EfsCsiDriver.getOrCreate(clusterV2, { allNodes: true });
ExternalSecrets.getOrCreate(clusterV2);

const credentials = secretsmanager.Secret.fromSecretNameV2(second, 'Credentials', 'airflow/git');
const official = new AirflowOnEks(second, 'Airflow', {
  cluster: clusterV2,
  chart: AirflowChart.official(),
  executor: AirflowExecutor.KUBERNETES,
  image: AirflowImage.fromEcrRepository(ecr.Repository.fromRepositoryName(second, 'Repository', 'airflow'), '3.3.2'),
  nodePools: AirflowNodePools.existing({
    stateless: {
      labels: { role: 'data', zone: 'private' },
      taints: [
        { key: 'dedicated', value: 'data', effect: eks.TaintEffect.NO_SCHEDULE },
        { key: 'spot', effect: eks.TaintEffect.PREFER_NO_SCHEDULE },
      ],
    },
    database: { labels: { role: 'database' } },
    nodeRole: iam.Role.fromRoleArn(second, 'NodeRole', `arn:aws:iam::${account}:role/nodes`),
  }),
  dagProcessor: { replicas: 2, memoryLimit: '2Gi' },
  logs: AirflowLogs.inBucket({ prefix: 'logs', retention: Duration.days(365) }),
  persistence: {
    fileSystem: efs.FileSystem.fromFileSystemAttributes(second, 'FileSystem', {
      fileSystemId: 'fs-1', securityGroup: ec2.SecurityGroup.fromSecurityGroupId(second, 'FileSystemGroup', 'sg-3'),
    }),
  },
  gitSync: {
    repository: 'https://git.example.com/data/dags.git',
    auth: GitAuth.http({
      username: AirflowSecret.fromSecretsManager(credentials, 'username'), password: AirflowSecret.fromSecretsManager(credentials, 'password'),
    }),
  },
  pgBouncer: PgBouncer.disabled(),
  secrets: { fernetKey: AirflowSecret.fromKubernetesSecret('keys', 'fernet-key') },
  helmValues: { scheduler: { podAnnotations: { 'example.com/a': '1' } } }, // the other languages add a null, which jsii drops
});
new CfnOutput(second, 'AdminPassword', { value: official.secrets.userPasswords.admin.secretArn });

// The other ways to create nodes and to run the database and the broker.
const third = new Stack(app, 'Nodes', { env: { account, region } });
const sharedCluster = clusterV2Of(third);
Keda.getOrCreate(sharedCluster);
const urls = secretsmanager.Secret.fromSecretNameV2(third, 'Urls', 'airflow/urls');
const karpenter = new AirflowOnEks(third, 'Karpenter', {
  cluster: sharedCluster,
  namespace: 'karpenter-data',
  nodePools: AirflowNodePools.karpenter({
    stateless: { architecture: ec2.InstanceArchitecture.ARM_64, instanceFamilies: ['m7g', 'c7g'] },
    workers: { instanceSizes: ['xlarge', '2xlarge'], capacityTypes: [eks.CapacityType.SPOT], maxVcpus: 64 },
    subnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
    diskSize: Size.gibibytes(40),
    amiAlias: 'bottlerocket@latest',
    controllerRole: iam.Role.fromRoleArn(third, 'ControllerRole', `arn:aws:iam::${account}:role/karpenter`),
  }),
  apiServer: { replicas: 1, autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 4, targetCpuPercent: 70 }) },
  workers: {
    concurrency: 8,
    autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 6, targetCpuPercent: 60, scaleDownStabilization: Duration.minutes(10) }),
  },
  efsCsiDriver: EfsCsiDriverInstallation.onAirflowNodes(),
  externalSecrets: ExternalSecretsInstallation.onAnyNode(),
  database: AirflowDatabase.inCluster({
    cpu: '1',
    memory: '2Gi',
    storage: { size: Size.gibibytes(50), storageClassName: 'gp3' },
    backup: { prefix: 'dumps', schedule: '0 */6 * * *', retention: Duration.days(14), maxSize: Size.gibibytes(10) },
  }),
  pgBouncer: PgBouncer.enabled({ replicas: 2, memory: '128Mi', poolSize: 40 }),
  broker: CeleryBroker.inCluster({ cpu: '200m', memory: '1Gi' }),
  databaseCleanup: { retention: Duration.days(30) },
  gitSync: {
    repository: 'https://git.example.com/data/dags.git',
    revision: 'v1.0',
    caBundle: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    proxy: 'http://proxy.example.com:3128',
    environment: { GITSYNC_SUBMODULES: 'off', GITSYNC_STALE_WORKTREE_TIMEOUT: '10m' },
  },
});
new CfnOutput(third, 'Placement', { value: karpenter.nodePools.placement.workers.labels.type });
new CfnOutput(third, 'Broker', { value: karpenter.broker!.hostname! });

const autoMode = new AirflowOnEks(third, 'AutoMode', {
  cluster: sharedCluster,
  namespace: 'auto-data',
  nodePools: AirflowNodePools.autoMode({
    nodeClass: { name: 'default', nodeRole: iam.Role.fromRoleArn(third, 'AutoRole', `arn:aws:iam::${account}:role/auto`) },
    database: { capacityTypes: [eks.CapacityType.ON_DEMAND] },
  }),
  apiServer: { autoscaling: ApiServerAutoscaling.onMemory({ maxReplicas: 3 }) },
  workers: {
    replicas: 0,
    queues: ['default', 'reports'],
    autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 4, pollingInterval: Duration.seconds(15) }),
    groups: [{
      name: 'gpu',
      queues: ['training'],
      replicas: 1,
      memory: '12Gi',
      concurrency: 1,
      placement: { labels: { pool: 'gpu' }, taints: [{ key: 'nvidia.com/gpu', effect: eks.TaintEffect.NO_SCHEDULE }] },
      extendedResources: { 'nvidia.com/gpu': '1' },
    }],
  },
  keda: KedaInstallation.onAnyNode(),
  secrets: {
    jwtSecret: AirflowSecret.fromSecretsManager(urls, 'jwt'),
    databasePassword: AirflowSecret.fromSecretsManager(urls, 'database'),
    flowerPassword: AirflowSecret.fromSecretsManager(urls, 'flower'),
  },
  connections: [{
    id: 'api',
    type: 'http',
    loginSecret: AirflowSecret.fromSecretsManager(urls, 'login'),
    extraSecret: AirflowSecret.fromSecretsManager(urls, 'extra'),
  }],
  ingress: {
    ingressClass: AlbIngressClass.autoMode(),
    host: 'airflow.example.org',
    flowerHost: 'flower.example.org',
    healthCheckPath: '/api/v2/monitor/health',
    webAclArn: `arn:aws:wafv2:${region}:${account}:regional/webacl/airflow/1`,
  },
});
new CfnOutput(third, 'LoadBalancer', { value: autoMode.ingress!.loadBalancerDnsName });

const single = new AirflowOnEks(third, 'Single', {
  cluster: sharedCluster,
  namespace: 'single-data',
  nodePools: AirflowNodePools.singleNodeGroup({
    instanceTypes: [new ec2.InstanceType('m7i.2xlarge')], subnets: { availabilityZones: ['eu-central-1a'] }, clusterAutoscaler: true,
  }),
  logs: AirflowLogs.inBucket({ bucket: s3.Bucket.fromBucketName(third, 'LogBucket', 'example-logs') }),
  database: AirflowDatabase.aurora({
    engineVersion: rds.AuroraPostgresEngineVersion.VER_16_10,
    minCapacity: 1,
    maxCapacity: 8,
    backupRetention: Duration.days(14),
    deletionProtection: false,
    removalPolicy: RemovalPolicy.DESTROY,
    passwordRotation: Duration.days(30),
    certificateAuthorities: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  }),
  broker: CeleryBroker.fromUrl(AirflowSecret.fromSecretsManager(urls, 'broker')),
});
new CfnOutput(third, 'NodeRole', { value: single.nodePools.role.roleName });
new CfnOutput(third, 'Database', { value: single.database.hostname });

// Databases that already exist.
const fourth = new Stack(app, 'Databases', { env: { account, region } });
const databaseCluster = clusterV2Of(fourth);
const databaseCredentials = secretsmanager.Secret.fromSecretNameV2(fourth, 'Credentials', 'airflow/database');
const databaseGroup = ec2.SecurityGroup.fromSecurityGroupId(fourth, 'DatabaseGroup', 'sg-4');
const databases: [id: string, database: AirflowDatabase][] = [
  ['Endpoint', AirflowDatabase.fromEndpoint({
    host: 'db.example.com',
    port: 5433,
    credentials: databaseCredentials,
    securityGroup: databaseGroup,
    database: 'metadata',
    adminCredentials: secretsmanager.Secret.fromSecretNameV2(fourth, 'AdminCredentials', 'airflow/database-admin'),
    sslMode: DatabaseSslMode.VERIFY_CA,
    certificateAuthorities: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  })],
  ['Instance', AirflowDatabase.fromInstance(rds.DatabaseInstance.fromDatabaseInstanceAttributes(fourth, 'DatabaseInstance', {
    instanceIdentifier: 'airflow',
    instanceEndpointAddress: 'airflow.example.eu-central-1.rds.amazonaws.com',
    port: 5432,
    securityGroups: [databaseGroup],
  }), databaseCredentials)],
  ['Aurora', AirflowDatabase.fromCluster(rds.DatabaseCluster.fromDatabaseClusterAttributes(fourth, 'DatabaseCluster', {
    clusterIdentifier: 'airflow',
    clusterEndpointAddress: 'airflow.cluster-example.eu-central-1.rds.amazonaws.com',
    port: 5432,
    securityGroups: [databaseGroup],
  }), databaseCredentials)],
];
for (const [id, database] of databases) {
  new AirflowOnEks(fourth, id, {
    cluster: databaseCluster,
    namespace: `on-${id.toLowerCase()}`,
    executor: AirflowExecutor.KUBERNETES,
    nodePools: AirflowNodePools.singleNodeGroup(),
    logs: AirflowLogs.inBucket(),
    database,
  });
}
