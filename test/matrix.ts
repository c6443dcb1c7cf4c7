import { Duration, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { USER_FILES } from './user-files';
import { ChartUnderTest, remoteSecret } from './util';
import {
  AirflowDatabase, AirflowExecutor, AirflowImage, AirflowLogs, AirflowNodePools,
  AirflowOnEksProps, AirflowPlacement, AirflowSecret, AirflowVariable, ApiServerAutoscaling, CeleryBroker, DatabaseSslMode, GitAuth,
  KnownHosts, NodePlacement, SecretsBackend, WorkerAutoscaling,
} from '../src';

const ssh = (stack: Stack, knownHosts?: KnownHosts) => ({
  repository: 'git@github.com:example/dags.git', subPath: 'dags', auth: GitAuth.ssh({ privateKey: remoteSecret(stack, 'deploy-key'), knownHosts }),
});

const http = (stack: Stack) => ({
  repository: 'https://gitlab.example.com/data/dags.git',
  auth: GitAuth.http({ username: remoteSecret(stack, 'git', 'user'), password: remoteSecret(stack, 'git', 'token') }),
});

const certificate = (stack: Stack) => acm.Certificate.fromCertificateArn(stack, 'Certificate', `arn:aws:acm:${stack.region}:${stack.account}:certificate/1`);

/** Existing nodes: a taint with a value, one without a value, and no taint. */
const OWN_NODES: AirflowPlacement = {
  stateless: { labels: { team: 'data' }, taints: [{ key: 'team', value: 'data', effect: eks.TaintEffect.NO_SCHEDULE }] },
  workers: { labels: { team: 'data', size: 'big' }, taints: [{ key: 'spot', effect: eks.TaintEffect.NO_EXECUTE }] },
  database: { labels: { team: 'data', disk: 'fast' } },
};

/** Nodes of the user's, for one group of workers. */
const GPU_NODES: NodePlacement = { labels: { pool: 'gpu' }, taints: [{ key: 'nvidia.com/gpu', effect: eks.TaintEffect.NO_SCHEDULE }] };

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);

const pool = (deployment: string, type: string) => ({
  labels: { 'role': 'airflow', 'airflow-deployment': deployment, type }, taints: [{ key: 'dedicated', value: 'airflow', effect: eks.TaintEffect.NO_SCHEDULE }],
});
const all = pool('airflow', 'af-all');

/** The nodes that are created by default. */
export const poolsOf = (deployment: string): AirflowPlacement =>
  ({ stateless: pool(deployment, 'af-stateless'), workers: pool(deployment, 'af-stateful'), database: pool(deployment, 'af-db') });

/** Props of an Airflow deployment, and the expectations that differ from the defaults. */
export interface Case {
  readonly props: (stack: Stack) => Partial<AirflowOnEksProps>;
  readonly placement?: AirflowPlacement;
  /** Whether all secrets are Kubernetes Secrets that already exist, so that no operator is needed. */
  readonly withoutOperator?: boolean;
  readonly existingSecrets?: Record<string, string[]>;
  readonly existingClaims?: string[];
  /** Whether no pod has a volume for logs. */
  readonly logsInBucket?: boolean;
  /** The claim of the database, if it is not that on the file system. */
  readonly databaseClaim?: string;
  /** Whether the database is outside the cluster, so that PgBouncer runs on the nodes for stateless components. */
  readonly databaseOutside?: boolean;
  /** The nodes of the group of workers `gpu`. */
  readonly gpu?: NodePlacement;
  /** The charts to which the case applies, by the beginning of their names; all charts if not set. */
  readonly only?: string;
}

/** Every option that changes what the charts render, at least once. */
export const MATRIX: Record<string, Case> = {
  'defaults': { props: () => ({}) },
  'Celery, SSH, autoscaling, ingress': {
    props: (stack) => ({
      gitSync: ssh(stack),
      workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 8 }) },
      ingress: { host: 'airflow.example.com', certificate: certificate(stack), flowerHost: 'flower.example.com' },
    }),
  },
  'Celery, HTTP, ingress to the nodes, autoscaled API server': {
    props: (stack) => ({
      apiServer: { replicas: 1, autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 6 }) },
      gitSync: { ...http(stack), branch: 'live' },
      ingress: { host: 'airflow.example.com', certificate: certificate(stack), targetType: elbv2.TargetType.INSTANCE },
    }),
  },
  'Celery, autoscaling without git-sync, users and pools': {
    props: () => ({ workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 3, targetMemoryPercent: 60 }), replicas: 1 }, users: [] }),
  },
  'Kubernetes, SSH without host keys': {
    props: (stack) => ({ executor: AirflowExecutor.KUBERNETES, gitSync: ssh(stack, KnownHosts.insecureAcceptAny()) }),
  },
  'Kubernetes, HTTP, ingress': { props: (stack) => ({ executor: AirflowExecutor.KUBERNETES, gitSync: http(stack), ingress: {} }) },
  'CeleryKubernetes, HTTP, autoscaling': {
    props: (stack) => ({
      executor: AirflowExecutor.CELERY_KUBERNETES, gitSync: http(stack), workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 8 }) },
    }),
  },
  'Local, SSH, ingress': {
    only: 'official',
    props: (stack) => ({ executor: AirflowExecutor.LOCAL, gitSync: ssh(stack), ingress: { host: 'airflow.example.com', certificate: certificate(stack) } }),
    placement: { ...poolsOf('airflow'), workers: pool('airflow', 'af-stateless') },
  },
  'Local, HTTP, on a single node group': {
    only: 'official',
    props: (stack) => ({ executor: AirflowExecutor.LOCAL, gitSync: http(stack), nodePools: AirflowNodePools.singleNodeGroup() }),
    placement: { stateless: all, workers: all, database: all },
  },
  'Local, Karpenter': {
    only: 'official',
    props: () => ({ executor: AirflowExecutor.LOCAL, nodePools: AirflowNodePools.karpenter() }),
    placement: { ...poolsOf('airflow'), workers: pool('airflow', 'af-stateless') },
  },
  'a revision of a public repository, with all commits': {
    props: () => ({
      gitSync: { repository: 'https://github.com/example/dags.git', revision: 'v1.2', depth: 0, period: Duration.seconds(30) },
    }),
  },
  'packages': {
    only: 'community',
    props: () => ({ executor: AirflowExecutor.CELERY_KUBERNETES, pipPackages: ['apache-airflow-providers-slack'] }),
  },
  'another namespace and image': {
    props: () => ({ namespace: 'data-platform', image: AirflowImage.fromRegistry('registry.example.com:5000/data/airflow', 'v7') }),
  },
  'resources, one replica or two': {
    props: () => ({
      apiServer: { replicas: 1, cpu: '500m', memory: '1Gi', memoryLimit: '2Gi' },
      scheduler: { replicas: 1, cpu: '1', memory: '1Gi', memoryLimit: '1Gi' },
      triggerer: { replicas: 2, memory: '512Mi' },
      workers: {
        replicas: 1, cpu: '2', memory: '4Gi', memoryLimit: '8Gi', concurrency: 4, terminationGracePeriod: Duration.minutes(14), defaultTaskRetries: 5,
      },
    }),
  },
  'two DAG processors': { only: 'official', props: () => ({ dagProcessor: { replicas: 2, cpu: '500m', memory: '1Gi', memoryLimit: '2Gi' } }) },
  'metadata, configuration and environment': {
    props: (stack) => ({
      users: [{ username: 'jane.doe', email: 'jane.doe@example.com' }, { username: 'joe', email: 'joe@example.com', password: remoteSecret(stack, 'joe') }],
      connections: [
        { id: 'slack', type: 'http', host: 'https://hooks.example.com', password: remoteSecret(stack, 'slack', 'webhook') },
        { id: 'aws', type: 'aws', extra: '{"region_name": "eu-central-1"}' },
        {
          id: 'warehouse',
          type: 'postgres',
          description: 'cost: 5$',
          host: 'db.example.com',
          port: 5432,
          schema: 'dwh',
          loginSecret: remoteSecret(stack, 'warehouse', 'login'),
          extraSecret: remoteSecret(stack, 'warehouse', 'extra'),
        },
      ],
      variables: [AirflowVariable.of('stage', 'cost: 5$'), AirflowVariable.fromSecret('license', remoteSecret(stack, 'license'))],
      pools: [{ name: 'database', slots: 4, description: 'Few' }],
      environmentSecrets: { DAG_KEY: remoteSecret(stack, 'dag-key') },
      config: { 'core.parallelism': '64' },
      environment: { STAGE: 'dev' },
      secretsBackend: SecretsBackend.secretsManager('airflow'),
    }),
  },
  'values of the user': {
    props: () => ({
      helmValues: { scheduler: { podAnnotations: { team: 'data' } } },
      removedHelmValues: ['scheduler.livenessProbe.timeoutSeconds'],
    }),
  },
  'git-sync behind a proxy, with certificates': {
    props: (stack) => ({
      gitSync: { ...http(stack), caBundle: CERTIFICATE, proxy: 'http://proxy.example.com:3128', environment: { GITSYNC_STALE_WORKTREE_TIMEOUT: '10m' } },
    }),
  },
  'DAGs on a claim': {
    existingClaims: ['dags'],
    props: () => ({ helmValues: { dags: { persistence: { enabled: true, existingClaim: 'dags', accessMode: 'ReadWriteMany' } } } }),
  },
  'an image by its digest, autoscaling by CPU': {
    props: () => ({
      image: AirflowImage.fromRegistry('quay.io/example/airflow', `sha256:${'0a'.repeat(32)}`),
      executor: AirflowExecutor.CELERY_KUBERNETES,
      workers: { autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 8, scaleDownStabilization: Duration.minutes(10) }) },
      gitSync: { repository: 'https://github.com/example/dags.git' },
    }),
  },
  'Celery, KEDA': {
    only: 'official',
    props: () => ({
      workers: {
        replicas: 0, concurrency: 8, autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 8, scaleDownStabilization: Duration.minutes(10) }),
      },
    }),
  },
  'CeleryKubernetes, KEDA': {
    only: 'official',
    props: () => ({
      executor: AirflowExecutor.CELERY_KUBERNETES, workers: { replicas: 1, autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 8 }) },
    }),
  },
  'groups of workers by memory and CPU': {
    only: 'official',
    props: () => ({
      workers: {
        queues: ['default', 'mail'],
        autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 8 }),
        groups: [
          { name: 'small', queues: ['etl.small', 'etl.tiny'], autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 4 }), concurrency: 32 },
          { name: 'gpu', replicas: 1, cpu: '4', memory: '16Gi', memoryLimit: '16Gi', concurrency: 1, placement: GPU_NODES, extendedResources: { 'nvidia.com/gpu': '1' } },
        ],
      },
    }),
    gpu: GPU_NODES,
  },
  'groups of workers by their tasks, both executors': {
    only: 'official',
    props: (stack) => ({
      executor: AirflowExecutor.CELERY_KUBERNETES,
      gitSync: ssh(stack),
      config: { 'operators.default_queue': 'etl' },
      workers: {
        replicas: 1,
        concurrency: 8,
        autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 8 }),
        groups: [
          { name: 'small', replicas: 0, autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 4 }), terminationGracePeriod: Duration.minutes(14) },
          { name: 'gpu', replicas: 0, concurrency: 1, autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 4 }), placement: GPU_NODES },
        ],
      },
    }),
    gpu: GPU_NODES,
  },
  'a group of workers without an autoscaler': {
    only: 'official',
    props: () => ({ workers: { autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 8 }), groups: [{ name: 'small' }] } }),
  },
  ...USER_FILES,
  'network policies': {
    only: 'official',
    props: () => ({
      ingress: { host: 'airflow.example.com', flowerHost: 'flower.example.com' },
      helmValues: { networkPolicies: { enabled: true } },
    }),
  },
  'nodes that already exist': {
    props: (stack) => ({
      nodePools: AirflowNodePools.existing({ ...OWN_NODES, nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes') }),
      executor: AirflowExecutor.CELERY_KUBERNETES,
      gitSync: ssh(stack),
    }),
    placement: OWN_NODES,
  },
  'a single node group': { props: () => ({ nodePools: AirflowNodePools.singleNodeGroup() }), placement: { stateless: all, workers: all, database: all } },
  'Karpenter': { props: () => ({ nodePools: AirflowNodePools.karpenter() }) },
  'Karpenter, existing node class': {
    props: (stack) => ({
      nodePools: AirflowNodePools.karpenter({ nodeClass: { name: 'default', nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes') } }),
      executor: AirflowExecutor.KUBERNETES,
    }),
  },
  'EKS Auto Mode, ingress': { props: () => ({ nodePools: AirflowNodePools.autoMode(), executor: AirflowExecutor.CELERY_KUBERNETES, ingress: {} }) },
  'all secrets in Kubernetes Secrets': {
    only: 'community',
    withoutOperator: true,
    props: () => ({
      secrets: {
        fernetKey: own('fernet'),
        apiSecretKey: own('webserver'),
        jwtSecret: own('jwt'),
        databasePassword: own('postgresql-password'),
        flowerPassword: own('flower'),
      },
      broker: CeleryBroker.fromUrl(own('connection')),
      users: [{ username: 'admin', email: 'admin@example.com', password: own('admin') }],
      gitSync: { repository: 'git@github.com:example/dags.git', auth: GitAuth.ssh({ privateKey: own('git') }) },
    }),
    existingSecrets: { mine: ['fernet', 'webserver', 'jwt', 'postgresql-password', 'connection', 'flower', 'admin', 'git'] },
  },
  'logs in a bucket, both executors': {
    logsInBucket: true,
    props: () => ({ executor: AirflowExecutor.CELERY_KUBERNETES, logs: AirflowLogs.inBucket() }),
  },
  'logs in an existing bucket, Kubernetes': {
    logsInBucket: true,
    props: (stack) => ({ executor: AirflowExecutor.KUBERNETES, logs: AirflowLogs.inBucket({ bucket: Bucket.fromBucketName(stack, 'Logs', 'logs') }) }),
  },
  'the database on an EBS volume, logs in a bucket': {
    logsInBucket: true,
    databaseClaim: 'data-airflow-postgresql-0',
    props: () => ({ database: AirflowDatabase.inCluster({ storage: {} }), logs: AirflowLogs.inBucket() }),
  },
  'backups of the database': { props: () => ({ database: AirflowDatabase.inCluster({ backup: {} }) }) },
  'an existing database': {
    databaseOutside: true,
    props: (stack) => ({
      database: AirflowDatabase.fromEndpoint({ host: 'db.example.com', credentials: Secret.fromSecretNameV2(stack, 'Database', 'database') }),
    }),
  },
  'an existing server without TLS, whose administrator creates the database': {
    databaseOutside: true,
    props: (stack) => ({
      database: AirflowDatabase.fromEndpoint({
        host: 'main-rw.databases.svc',
        credentials: Secret.fromSecretNameV2(stack, 'Database', 'database'),
        adminCredentials: Secret.fromSecretNameV2(stack, 'Admin', 'admin'),
        sslMode: DatabaseSslMode.DISABLE,
      }),
    }),
  },
  'Karpenter, an existing database, KEDA and logs in a bucket': {
    only: 'official',
    databaseOutside: true,
    logsInBucket: true,
    props: (stack) => ({
      nodePools: AirflowNodePools.karpenter({ workers: { instanceFamilies: ['m7i', 'm7a'], capacityTypes: [eks.CapacityType.ON_DEMAND] } }),
      database: AirflowDatabase.fromEndpoint({ host: 'db.example.com', credentials: Secret.fromSecretNameV2(stack, 'Database', 'database') }),
      workers: { replicas: 0, autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 20 }) },
      logs: AirflowLogs.inBucket(),
    }),
  },
  'ElastiCache, both executors': {
    props: () => ({ executor: AirflowExecutor.CELERY_KUBERNETES, broker: CeleryBroker.elastiCache() }),
  },
  'the URL of a broker': { props: (stack) => ({ broker: CeleryBroker.fromUrl(remoteSecret(stack, 'broker', 'url')) }) },
  'keys in Kubernetes Secrets': {
    only: 'official',
    props: () => ({
      secrets: {
        fernetKey: own('fernet-key'),
        jwtSecret: own('jwt-secret'),
        flowerPassword: own('basicAuth'),
      },
      users: [{ username: 'admin', email: 'admin@example.com', password: own('admin') }],
      gitSync: { repository: 'git@github.com:example/dags.git', auth: GitAuth.ssh({ privateKey: own('gitSshKey') }) },
    }),
    existingSecrets: { mine: ['fernet-key', 'jwt-secret', 'basicAuth', 'admin', 'gitSshKey'] },
  },
};

/** The cases that apply to a chart. */
export function casesOf({ name }: ChartUnderTest): [string, Case][] {
  return Object.entries(MATRIX).filter(([, { only = '' }]) => name.startsWith(only));
}
