import { Duration, Fn, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { importedCluster, importedVpc, newStack, Props, remoteSecret, synthAirflow, valuesOf } from './util';
import {
  AirflowChart, AirflowDatabase, AirflowExecutor, AirflowImage, AirflowLogs, AirflowNodePools, AirflowOnEks, AirflowRole, AirflowSecret,
  AirflowVariable, AlbIngressOptions, AlbListenerPort, ApiServerAutoscaling, CeleryBroker, GitAuth, GitSyncOptions, KnownHosts, SecretsBackend,
  WorkerAutoscaling,
} from '../src';

const { HTTP, HTTPS } = elbv2.ApplicationProtocol;
const { KUBERNETES } = AirflowExecutor;

const CHARTS: [string, () => AirflowChart][] = [['official', () => AirflowChart.official()], ['community', () => AirflowChart.community()]];

const ada = { username: 'ada', email: 'ada@example.com' };
const bob = { username: 'bob', email: 'bob@example.com' };

const certificate = (stack: Stack, arn = 'arn:aws:acm:eu-central-1:123456789012:certificate/1') => acm.Certificate.fromCertificateArn(stack, 'Certificate', arn);
const tls = (options: AlbIngressOptions, arn?: string) => (stack: Stack) => ({ ingress: { host: 'a.example.com', certificate: certificate(stack, arn), ...options } });
const ports = (...listenerPorts: AlbListenerPort[]) => tls({ listenerPorts });

const ssh = (repository: string, ...lines: string[]) => (stack: Stack) => ({
  gitSync: { repository, auth: GitAuth.ssh({ privateKey: remoteSecret(stack, 'key'), knownHosts: lines.length > 0 ? KnownHosts.of(...lines) : undefined }) },
});
const git = (options: Partial<GitSyncOptions>) => ({ gitSync: { repository: 'https://github.com/example/dags.git', ...options } });

const fileSystem = (stack: Stack) => new efs.FileSystem(stack, 'FileSystem', { vpc: importedVpc(new Stack(stack, 'Other')) });
const workers = (options: object) => ({ workers: options });

/** What types refuse in TypeScript. */
const any = (value: unknown): any => value;

const QUANTITY = "must be a Kubernetes quantity such as '512Mi' or '2Gi', got";
const CPU = "must be a Kubernetes quantity such as '500m' or '2', got";
const GRACE = "'workers.terminationGracePeriod' must be from 2 to 14 minutes in whole seconds, because the function that deletes the deployment stops after 15 minutes, got";
const READY = "'readyTimeout' must be from 1 second to 14 minutes in whole seconds, because the function that waits stops after 15 minutes, got";
const NO_WORKERS = 'needs an executor with Celery workers, got AirflowExecutor.KUBERNETES; remove it, or use AirflowExecutor.CELERY_KUBERNETES';
const LABEL = 'must be lower case letters, digits, and - inside, beginning with a letter, got';
const RESERVED = "'namespace' must be one of its own, which the deployment creates and deletes, got";
const URL = "'gitSync.repository' must be a URL such as 'git@host:group/repository.git' or 'https://host/group/repository.git', got";
const REVISION = 'must be a name in the repository, without spaces, got';
const CIDR = "'ingress.inboundCidrs' must be a list of CIDR blocks such as '192.0.2.0/24', got";
const HOST = 'must be a host name in lower case, without a scheme, a path and *, got';
const ACM = "'ingress.certificate' must be a certificate of AWS Certificate Manager, got";
const WAF = "'ingress.webAclArn' must be the ARN of a regional web ACL of AWS WAF, got";
const REGION = 'must be in the Region of the deployment (eu-central-1), as its load balancer is, got';
const EXISTING = "has no effect together with 'persistence.fileSystem', which already exists; set it where you create the file system";
const TAG = 'must be a tag of at most 128 letters, digits, and _ . - inside, got';
const REPOSITORY = 'must be a repository without a scheme and a tag, which is an argument of its own, got';
const JSON_OBJECT = 'must be a JSON object such as \'{"region_name": "eu-central-1"}\', got';

type Row = [input: string, props: Props, message: string];

const TYPES: Row[] = [
  ['another object as cluster', (stack) => ({ cluster: any(importedVpc(new Stack(stack, 'Other'))) }),
    "'cluster' must be a cluster of aws-eks or aws-eks-v2, such as eks.Cluster.fromClusterAttributes(), got the construct 'Data/Other/Vpc'"],
  ['a name as cluster', { cluster: any('prod') }, "'cluster' must be a cluster of aws-eks or aws-eks-v2, such as eks.Cluster.fromClusterAttributes(), got 'prod'"],
  ['no cluster', { cluster: any(undefined) }, "'cluster' must be a cluster of aws-eks or aws-eks-v2, such as eks.Cluster.fromClusterAttributes(), got undefined"],
  ['a factory that is not called', { nodePools: any(() => undefined) }, "'nodePools' must be made by a method such as AirflowNodePools.managedNodeGroups(), got a function"],
  ['text as image', { image: any('apache/airflow:3.3.2') }, "'image' must be made by a method such as AirflowImage.fromRegistry('apache/airflow', '3.3.2'), got 'apache/airflow:3.3.2'"],
  ['a map as secrets backend', { secretsBackend: any({}) }, "'secretsBackend' must be made by a method such as SecretsBackend.secretsManager('airflow'), got an object of the type Object"],
  ['an unknown executor', { executor: any('SequentialExecutor') }, "'executor' must be one of AirflowExecutor, got 'SequentialExecutor'"],
  ['a number as component', { scheduler: any(2) }, "'scheduler' must be an object with names and values, got 2"],
  ['a map as users', { users: any({ ada }) }, "'users' must be a list, got an object of the type Object"],
  ['an empty item', { users: [ada, any(null)] }, "'users' must not contain an empty item, got null as item 1"],
  ['text as role', { users: [{ ...ada, role: any('Admin') }] },
    "'users.ada.role' must be an AirflowRole with a name, got 'Admin'; use AirflowRole.ADMIN, or AirflowRole.of() with the name of a role"],
  ['a role without a name', { users: [{ ...ada, role: AirflowRole.of('') }] },
    "'users.ada.role' must be an AirflowRole with a name, got AirflowRole.of(''); use AirflowRole.ADMIN, or AirflowRole.of() with the name of a role"],
  ['a map as broker', { broker: any({ memory: '1Gi' }) }, "'broker' must be made by a method such as CeleryBroker.inCluster(), got an object of the type Object"],
  ['an ARN as secret', { environmentSecrets: { LICENSE: AirflowSecret.fromSecretsManager(any('arn:aws:...')) } },
    "'environmentSecrets.LICENSE' must be made from a secret of aws-secretsmanager, got 'arn:aws:...'; use Secret.fromSecretCompleteArn()"],
  ['a number as environment variable', { environment: { PORT: any(8080) } }, "'environment.PORT' must be text, got 8080"],
  ['a variable of the process that is not set', { environment: { STAGE: any(undefined) } }, "'environment.STAGE' must be text, got undefined"],
  ['a number as option', { config: { 'core.parallelism': any(64) } }, "'config.core.parallelism' must be text, got 64"],
  ['a number as variable', { variables: [AirflowVariable.of('limit', any(5))] }, "'variables.limit' must be text, got 5"],
  ['a number as duration', { readyTimeout: any(600) }, "'readyTimeout' must be a Duration such as Duration.minutes(2), got 600"],
  ['a number as retention', { databaseCleanup: { retention: any(90) } }, "'databaseCleanup.retention' must be a Duration such as Duration.minutes(2), got 90"],
  ['a map as autoscaling', workers({ autoscaling: { maxReplicas: 3 } }), "'workers.autoscaling' must be made by a method such as WorkerAutoscaling.onMemory(), got an object of the type Object"],
  ['a map as autoscaling of the API server', { apiServer: { autoscaling: any({ maxReplicas: 3 }) } },
    "'apiServer.autoscaling' must be made by a method such as ApiServerAutoscaling.onCpu(), got an object of the type Object"],
  ['no options of autoscaling', workers({ autoscaling: WorkerAutoscaling.onMemory(any({})) }), "'workers.autoscaling.maxReplicas' must be a whole number of at least 1, got NaN"],
  ['a map as variable', { variables: [any({ key: 'a', value: 'b' })] }, "'variables.a' must be made by AirflowVariable.of() or AirflowVariable.fromSecret(), got another object"],
  ['text as CIDR blocks', { ingress: { inboundCidrs: any('10.0.0.0/8') } }, "'ingress.inboundCidrs' must be a list, got '10.0.0.0/8'"],
  ['an ARN as certificate', { ingress: { host: 'a.example.com', certificate: any('arn:aws:acm:eu-central-1:1:certificate/1') } },
    "'ingress.certificate' must be a certificate of AWS Certificate Manager, got 'arn:aws:acm:eu-central-1:1:certificate/1'; use acm.Certificate.fromCertificateArn()"],
  ['an unknown scheme', { ingress: { scheme: any('public') } }, "'ingress.scheme' must be one of eks.AlbScheme, got 'public'"],
  ['text as host keys', (stack) => ({
    gitSync: { repository: 'git@github.com:a/b.git', auth: GitAuth.ssh({ privateKey: remoteSecret(stack, 'key'), knownHosts: any('github.com ssh-rsa AAAA') }) },
  }), "'knownHosts' of 'gitSync.auth' must be made by KnownHosts.of(), got 'github.com ssh-rsa AAAA'"],
  ['a map as Git credentials', git({ auth: any({}) }), "'gitSync.auth' must be made by GitAuth.ssh() or GitAuth.http(), got an object of the type Object"],
];

const QUANTITIES: Row[] = [
  ['memory in GB', { scheduler: { memory: '2GB' } }, `'scheduler.memory' ${QUANTITY} '2GB'`],
  ['memory with a space', { scheduler: { memory: '2 Gi' } }, `'scheduler.memory' ${QUANTITY} '2 Gi'`],
  ['memory as a number', { scheduler: { memory: any(512) } }, `'scheduler.memory' ${QUANTITY} 512`],
  ['empty memory', { scheduler: { memory: '' } }, `'scheduler.memory' ${QUANTITY} ''`],
  ['negative memory', { triggerer: { memoryLimit: '-1Gi' } }, `'triggerer.memoryLimit' ${QUANTITY} '-1Gi'`],
  ['CPU in words', { scheduler: { cpu: '1 core' } }, `'scheduler.cpu' ${CPU} '1 core'`],
  ['CPU in fractions of a milli', { scheduler: { cpu: '0.0001' } }, `'scheduler.cpu' ${CPU} '0.0001'`],
  ['half a replica', { scheduler: { replicas: 0.5 } }, "'scheduler.replicas' must be a whole number of at least 1, got 0.5"],
  ['negative replicas', { triggerer: { replicas: -1 } }, "'triggerer.replicas' must be a whole number of at least 1, got -1"],
  ['half a maximum', workers({ autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 2.5 }) }), "'workers.autoscaling.maxReplicas' must be a whole number of at least 1, got 2.5"],
  ['a maximum below the default minimum', { apiServer: { autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 1 }) } },
    "'apiServer.autoscaling.maxReplicas' must be at least 'apiServer.replicas' (2), got 1"],
  ['no percent', workers({ autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 3, targetMemoryPercent: 0 }) }),
    "'workers.autoscaling.targetMemoryPercent' must be a whole number of at least 1, got 0"],
  ['negative retries', workers({ defaultTaskRetries: -1 }), "'workers.defaultTaskRetries' must be a whole number of at least 0, got -1"],
  ['a grace period in parts of a second', workers({ terminationGracePeriod: Duration.millis(150_500) }), `${GRACE} 150.5 seconds`],
  ['a short grace period', workers({ terminationGracePeriod: Duration.seconds(119) }), `${GRACE} 119 seconds`],
  ['a timeout in parts of a second', { readyTimeout: Duration.millis(1500) }, `${READY} 1.5 seconds`],
  ['a retention in parts of a day', { databaseCleanup: { retention: Duration.hours(36) } }, "'databaseCleanup.retention' must be a whole number of days, at least 1, got 1.5 days"],
  ['a pool with less than no limit', { pools: [{ name: 'a', slots: -2 }] }, "'pools.a.slots' must be a whole number of at least -1, got -2"],
  ['a pool with half a slot', { pools: [{ name: 'a', slots: 0.5 }] }, "'pools.a.slots' must be a whole number of at least -1, got 0.5"],
  ['a pool without slots', { pools: [any({ name: 'a' })] }, "'pools.a.slots' must be a whole number of at least -1, got NaN"],
  ['port 0', { connections: [{ id: 'a', type: 'http', port: 0 }] }, "'connections.a.port' must be a whole number from 1 to 65535, got 0"],
  ['a high port', { connections: [{ id: 'a', type: 'http', port: 65536 }] }, "'connections.a.port' must be a whole number from 1 to 65535, got 65536"],
];

const pool = (options: object) => ({ nodePools: AirflowNodePools.managedNodeGroups({ workers: options }) });
const existing = (options: object) => ({ nodePools: AirflowNodePools.existing(any(options)) });

const NODES: Row[] = [
  ['a malformed instance type', pool({ instanceTypes: [new ec2.InstanceType('large')] }), "'nodePools.workers.instanceTypes' must be instance types such as 'm7a.xlarge', got 'large'"],
  ['text as instance type', pool({ instanceTypes: [any('m7a.xlarge')] }),
    "'nodePools.workers.instanceTypes' must contain an ec2.InstanceType such as new ec2.InstanceType('m7a.xlarge'), got 'm7a.xlarge'"],
  ['a label with a space', pool({ labels: { team: 'data platform' } }),
    "'nodePools.workers.labels.team' must be a value of a label (at most 63 letters, digits, and - _ . inside), got 'data platform'"],
  ['a tag with a secret', pool({ tags: { password: 'x' } }),
    "'nodePools.workers.tags.password' must not contain a secret in plain text; store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()"],
  ['existing nodes without a role', existing({ stateless: { labels: {} } }), "'nodePools.nodeRole' must be an IAM role, got undefined; use iam.Role.fromRoleName()"],
];

const GIT: Row[] = [
  ['a path', git({ repository: '/srv/dags.git' }), `${URL} '/srv/dags.git'`],
  ['a host without a repository', git({ repository: 'https://github.com' }), `${URL} 'https://github.com'`],
  ['another protocol', git({ repository: 'git://github.com/a/b.git' }), `${URL} 'git://github.com/a/b.git'`],
  ['a URL with a space', git({ repository: 'https://github.com/a b.git' }), `${URL} 'https://github.com/a b.git'`],
  ['SSH without a user', ssh('github.com:example/dags.git'), "'gitSync.repository' must name the user in an SSH URL, such as 'git@host:group/repository.git', got 'github.com:example/dags.git'"],
  ['an SSH URL without a user', ssh('ssh://github.com/example/dags.git'),
    "'gitSync.repository' must name the user in an SSH URL, such as 'git@host:group/repository.git', got 'ssh://github.com/example/dags.git'"],
  ['host keys of another port', ssh('ssh://git@git.example.com:7999/dags.git', '[git.example.com]:22022 ssh-ed25519 AAAA'),
    "'knownHosts' of 'gitSync.auth' must have a line for '[git.example.com]:7999', got lines for '[git.example.com]:22022';"
    + ' use KnownHosts.of() with the output of: ssh-keyscan -p 7999 git.example.com'],
  ['host keys of a port for a URL without one', ssh('git@git.example.com:dags.git', '[git.example.com]:7999 ssh-ed25519 AAAA'),
    "'knownHosts' of 'gitSync.auth' must have a line for 'git.example.com', got lines for '[git.example.com]:7999';"
    + ' use KnownHosts.of() with the output of: ssh-keyscan git.example.com'],
  ['an empty branch', git({ branch: '' }), `'gitSync.branch' ${REVISION} ''`],
  ['an empty revision', git({ revision: '' }), `'gitSync.revision' ${REVISION} ''`],
  ['a branch with a space', git({ branch: 'my branch' }), `'gitSync.branch' ${REVISION} 'my branch'`],
  ['a branch that is an option', git({ branch: '--upload-pack=x' }), `'gitSync.branch' ${REVISION} '--upload-pack=x'`],
  ['no period', git({ period: Duration.seconds(0) }), "'gitSync.period' must be a whole number of seconds, at least 1, got 0 seconds"],
  ['a period in parts of a second', git({ period: Duration.millis(500) }), "'gitSync.period' must be a whole number of seconds, at least 1, got 0.5 seconds"],
  ['a negative depth', git({ depth: -1 }), "'gitSync.depth' must be a whole number of at least 0, got -1"],
  ['a path outside the repository', git({ subPath: '../dags' }), "'gitSync.subPath' must be a path in the repository, without a leading or trailing /, got '../dags'"],
];

const INGRESS: Row[] = [
  ['no ports', ports(), "'ingress.listenerPorts' must contain at least one port, got none; remove it for the default port"],
  ['port 0', ports({ protocol: HTTPS, port: 0 }), "'ingress.listenerPorts' must be a whole number from 1 to 65535, got 0"],
  ['half a port', ports({ protocol: HTTPS, port: 443.5 }), "'ingress.listenerPorts' must be a whole number from 1 to 65535, got 443.5"],
  ['a port for two protocols', ports({ protocol: HTTPS, port: 443 }, { protocol: HTTP, port: 443 }), "'ingress.listenerPorts' must contain each name only once, got '443' twice"],
  ['another protocol', ports({ protocol: any('TLS'), port: 443 }), "'ingress.listenerPorts' must have the protocol HTTP or HTTPS, got 'TLS'"],
  ['no CIDR blocks', { ingress: { inboundCidrs: [] } }, "'ingress.inboundCidrs' must contain at least one CIDR block, got none, which would admit all addresses; remove it to do so"],
  ['an address', { ingress: { inboundCidrs: ['10.0.0.1'] } }, `${CIDR} '10.0.0.1'`],
  ['an address that does not exist', { ingress: { inboundCidrs: ['10.0.0.256/32'] } }, `${CIDR} '10.0.0.256/32'`],
  ['a block that is too small', { ingress: { inboundCidrs: ['10.0.0.0/33'] } }, `${CIDR} '10.0.0.0/33'`],
  ['two blocks in one', { ingress: { inboundCidrs: ['10.0.0.0/8,192.168.0.0/16'] } }, `${CIDR} '10.0.0.0/8,192.168.0.0/16'`],
  ['a wildcard host', { ingress: { host: '*.example.com' } }, `'ingress.host' ${HOST} '*.example.com'`],
  ['a host that is too long', { ingress: { host: `${'a.'.repeat(126)}com` } }, `'ingress.host' ${HOST} '${'a.'.repeat(126)}com'`],
  ['an empty host', { ingress: { host: '' } }, `'ingress.host' ${HOST} ''`],
  ['one host for two', { ingress: { host: 'a.example.com', flowerHost: 'a.example.com' } }, "'ingress.flowerHost' must differ from 'ingress.host', got 'a.example.com' for both"],
  ['a health check without /', { ingress: { healthCheckPath: 'health' } }, "'ingress.healthCheckPath' must be a path that begins with /, got 'health'"],
  ['a group in upper case', { ingress: { groupName: 'Data_Team' } }, "'ingress.groupName' must be at most 63 lowercase letters, digits, - and ., got 'Data_Team'"],
  ['a certificate of another Region', tls({}, 'arn:aws:acm:us-east-1:123456789012:certificate/1'),
    `'ingress.certificate' ${REGION} 'arn:aws:acm:us-east-1:123456789012:certificate/1'`],
  ['another ARN as certificate', tls({}, 'arn:aws:s3:::bucket'), `${ACM} 'arn:aws:s3:::bucket'`],
  ['a certificate authority', tls({}, 'arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/1'), `${ACM} 'arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/1'`],
  ['a web ACL of CloudFront', { ingress: { webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/1' } }, `${WAF} 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/1'`],
  ['a web ACL of another Region', { ingress: { webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/1' } },
    `'ingress.webAclArn' ${REGION} 'arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/1'`],
  ['a name as web ACL', { ingress: { webAclArn: 'airflow' } }, `${WAF} 'airflow'`],
  ['a label with a space', { ingress: { labels: { team: 'data platform' } } },
    "'ingress.labels.team' must be a value of a label (at most 63 letters, digits, and - _ . inside), got 'data platform'"],
  ['a number as annotation', { ingress: { annotations: { 'example.com/a': any(1) } } }, "'ingress.annotations.example.com/a' must be text, got 1"],
];

const NAMES: Row[] = [
  ['a namespace that begins with a digit', { namespace: '1data' }, `'namespace' ${LABEL} '1data'`],
  ['a number as namespace', { namespace: any(1) }, `'namespace' ${LABEL} 1`],
  ...['default', 'kube-system', 'kube-public', 'amazon-cloudwatch', 'external-secrets', 'keda'].map((namespace): Row =>
    [`the namespace ${namespace}`, { namespace }, `${RESERVED} '${namespace}'; use a name such as 'airflow'`]),
  ['users that differ only in case', { users: [ada, { ...bob, username: 'ADA' }] }, "'users' must contain each name only once, got 'ada' twice"],
  ['users that share a key', { users: [{ ...ada, username: 'ada@b' }, { ...bob, username: 'ada.b' }] },
    "the key 'airflow-ada.b-password' of the Kubernetes Secret 'airflow-secret' has two values; rename one of the user, the connection or the environment secret"],
  ['a user name that is a token', { users: [{ ...ada, username: Fn.importValue('User') }] },
    "'users.username' must be known at synthesis, because the ID of the password derives from it, got a token"],
  ['a connection without a type', { connections: [{ id: 'a', type: '' }] }, "'connections.a.type' must be a connection type such as 'postgres', got ''"],
  ['extra that is no JSON', { connections: [{ id: 'a', type: 'http', extra: 'timeout=5' }] }, `'connections.a.extra' ${JSON_OBJECT} 'timeout=5'`],
  ['extra that is a list', { connections: [{ id: 'a', type: 'http', extra: '[]' }] }, `'connections.a.extra' ${JSON_OBJECT} '[]'`],
  ['a pool without a name', { pools: [{ name: '', slots: 1 }] }, "'pools.name' must be text of 1 to 256 characters, got ''"],
  ['an image with its tag', { image: AirflowImage.fromRegistry('apache/airflow:3.3.2', '3.3.2') }, `'image' ${REPOSITORY} 'apache/airflow:3.3.2'`],
  ['an image with a scheme', { image: AirflowImage.fromRegistry('https://quay.io/a/b', 'v1') }, `'image' ${REPOSITORY} 'https://quay.io/a/b'`],
  ['an image in upper case', { image: AirflowImage.fromRegistry('Example/Airflow', 'v1') }, `'image' ${REPOSITORY} 'Example/Airflow'`],
  ['a tag with a space', { image: AirflowImage.fromRegistry('a/b', 'v 1') }, `'image' ${TAG} 'v 1'`],
  ['a prefix with a *', { secretsBackend: SecretsBackend.secretsManager('air*') },
    "'secretsBackend' must be a prefix of secret names without a leading or trailing /, got 'air*'"],
];

const WITHOUT_EFFECT: Row[] = [
  ...Object.entries({
    replicas: 3,
    autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 3 }),
    terminationGracePeriod: Duration.minutes(5),
  }).map(([option, value]): Row => [`workers.${option} without workers`, { executor: KUBERNETES, workers: { [option]: value } }, `'workers.${option}' ${NO_WORKERS}`]),
  ...Object.entries({
    removalPolicy: RemovalPolicy.DESTROY,
    lifecyclePolicy: efs.LifecyclePolicy.AFTER_7_DAYS,
    throughputMode: efs.ThroughputMode.BURSTING,
    automaticBackups: false,
  }).map(([option, value]): Row =>
    [`persistence.${option} of a given file system`, (stack) => ({ persistence: { fileSystem: fileSystem(stack), [option]: value } }), `'persistence.${option}' ${EXISTING}`]),
  ['provisioned throughput', { persistence: { throughputMode: efs.ThroughputMode.PROVISIONED } },
    "'persistence.throughputMode' must be ELASTIC or BURSTING, got PROVISIONED; create the file system yourself and specify 'persistence.fileSystem'"],
  ['an ID as file system', { persistence: { fileSystem: any('fs-1') } },
    "'persistence.fileSystem' must be a file system of aws-efs, got 'fs-1'; use efs.FileSystem.fromFileSystemAttributes()"],
];

/** Values of another kind, which the deployment itself refuses, before any part reads them. */
const KINDS: Row[] = [
  ['text as ingress class', { ingress: { ingressClass: any('alb') } },
    "'ingress.ingressClass' must be made by a method such as AlbIngressClass.existing('alb'), got 'alb'"],
  ['an ARN as role', { nodePools: AirflowNodePools.karpenter({ controllerRole: any('arn:aws:iam::1:role/a') }) },
    "'nodePools.controllerRole' must be a construct such as Role.fromRoleName(), got 'arn:aws:iam::1:role/a'"],
  ['a number as size', { nodePools: AirflowNodePools.karpenter({ diskSize: any(50) }) }, "'nodePools.diskSize' must be a Size such as Size.gibibytes(20), got 50"],
  ['a number as size of a node group', { nodePools: AirflowNodePools.managedNodeGroups({ workers: { diskSize: any(50) } }) },
    "'nodePools.workers.diskSize' must be a Size such as Size.gibibytes(20), got 50"],
  ['a capacity type in lower case', { nodePools: AirflowNodePools.managedNodeGroups({ workers: { capacityType: any('spot') } }) },
    "'nodePools.workers.capacityType' must be one of eks.CapacityType, got 'spot'"],
  ['a capacity type of Karpenter in lower case', { nodePools: AirflowNodePools.karpenter({ database: { capacityTypes: [any('on-demand')] } }) },
    "'nodePools.database.capacityTypes' must be one of eks.CapacityType, got 'on-demand'"],
  ['a number as node group', { nodePools: AirflowNodePools.singleNodeGroup(any(3)) }, "'nodePools' must be an object with names and values, got 3"],
  ['no endpoint', { database: AirflowDatabase.fromEndpoint(any(undefined)) }, "'database' must be an object with names and values, got undefined"],
  ['a name as credentials', { database: AirflowDatabase.fromEndpoint({ host: 'db.example.com', credentials: any('database') }) },
    "'database.credentials' must be a construct such as Secret.fromSecretNameV2(), got 'database'"],
  ['text as condition', { database: AirflowDatabase.aurora({ multiAz: any('yes') }) }, "'database.multiAz' must be true or false, got 'yes'"],
  ['text as instance type of a database', { database: AirflowDatabase.rds({ instanceType: any('t4g.medium') }) },
    "'database.instanceType' must be an ec2.InstanceType such as new ec2.InstanceType('m7a.xlarge'), got 't4g.medium'"],
  ['a list as subnets', { broker: CeleryBroker.elastiCache({ vpcSubnets: any(['subnet-1']) }) }, "'broker.vpcSubnets' must be an object with names and values, got a list"],
  ['a name as bucket', { logs: AirflowLogs.inBucket({ bucket: any('logs') }) }, "'logs.bucket' must be a construct such as Bucket.fromBucketName(this, 'Bucket', 'name'), got 'logs'"],
  ['null as options', { logs: AirflowLogs.onFileSystem(any(null)) }, "'logs' must be an object with names and values, got null"],
  ['a removal policy in lower case', { persistence: { removalPolicy: any('delete') } }, "'persistence.removalPolicy' must be one of RemovalPolicy, got 'delete'"],
];

/** The construct that checks a prop. */
function partOf(message: string): string {
  return /^'ingress\.(?!\w+' must be a list,)/.test(message) ? '/Ingress' : /^'nodePools\.workers/.test(message) ? '/NodePools' : '';
}

test.each(KINDS)('fails when there is %s', (_input, props, message) => {
  expect(() => synthAirflow(props)).toThrow(new Error(`Data/Airflow: ${message}`));
});

describe.each(CHARTS)('with the %s chart', (_chart, chart) => {
  test.each([...TYPES, ...QUANTITIES, ...NODES, ...GIT, ...INGRESS, ...NAMES, ...WITHOUT_EFFECT])('fails when there is %s', (_input, props, message) => {
    const stack = newStack();
    expect(() => new AirflowOnEks(stack, 'Airflow', {
      cluster: importedCluster(stack), chart: chart(), ...typeof props === 'function' ? props(stack) : props,
    })).toThrow(new Error(`Data/Airflow${partOf(message)}: ${message}`));
  });
});

test.each([
  ['a host alone', 'git.example.com'], ['no key', 'git.example.com ssh-ed25519'], ['a key that is cut', 'git.example.com ssh-ed25519 AA..'],
])('fails when a line of the host keys has %s', (_name, line) => {
  expect(() => KnownHosts.of(line)).toThrow(new Error(
    `KnownHosts: 'lines' must each have a host, a key type and a key, as ssh-keyscan prints them, got '${line}'`));
});

test('fails when the VPC of the cluster has no private subnets', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  Object.defineProperty(cluster, 'vpc', { value: new ec2.Vpc(stack, 'Public', { subnetConfiguration: [{ name: 'a', subnetType: ec2.SubnetType.PUBLIC }] }) });
  expect(() => new AirflowOnEks(stack, 'Airflow', { cluster })).toThrow(new Error(
    "Data/Airflow/NodePools: 'nodePools.stateless.subnets' must be set, because the VPC of the cluster has no private subnets with a route to the internet, got none;"
    + ' use { subnetType: ec2.SubnetType.PUBLIC }, or the subnets of your nodes'));
});

test.each<[string, () => AirflowChart, string, string]>([
  ['official', () => AirflowChart.official(), '2.11.2', '3.3.2'], ['community', () => AirflowChart.community(), '2.9.3-python3.11', '2.8.4'],
])('fails when the image of the Airflow project has another version than the %s chart', (_name, chart, tag, version) => {
  const props = (repository: string) => ({ chart: chart(), image: AirflowImage.fromRegistry(repository, tag) });
  const other = tag.replace(/-.*/, '');
  expect(() => synthAirflow(props('ghcr.io/apache/airflow'))).toThrow(new Error(
    `Data/Airflow: 'image' must contain the Airflow version of 'chart' (${version}), got the tag '${tag}'; set 'airflowVersion' of 'chart' to '${other}'`));
  const { stack } = synthAirflow(props('example/airflow'));
  expect(Annotations.fromStack(stack).findWarning('/Data/Airflow', Match.stringLikeRegexp('airflow-on-eks:imageVersion'))).toHaveLength(1);
});

const token = Fn.importValue('Value');

const ODD: [string, Props][] = [
  ['a namespace of one letter', { namespace: 'a' }],
  ['a namespace that looks like a number', { namespace: 'a1-2' }],
  ['no users', { users: [] }],
  ['empty maps', { config: {}, environment: {}, environmentSecrets: {}, helmValues: {}, workers: {}, persistence: {}, secrets: {} }],
  ['undefined options', { namespace: undefined, users: undefined, workers: { replicas: undefined }, gitSync: undefined, ingress: undefined }],
  ['an empty environment variable', { environment: { EMPTY: '' } }],
  ['tokens as text', { environment: { A: token }, config: { 'core.x': token }, variables: [AirflowVariable.of('a', token)] }],
  ['a token as port', { connections: [{ id: 'a', type: 'http', host: token, port: Token.asNumber({ Ref: 'Port' }) }] }],
  ['a user name that is an address', { users: [{ ...ada, username: 'ada@example.com' }] }],
  ['whole quantities in other units', { scheduler: { cpu: '0.5', memory: '1.5Gi' }, triggerer: { memory: '536870912' } }],
  ['a period in another unit', git({ period: Duration.millis(2000) })],
  ['SSH without .git, by a user of its own', ssh('deploy@github.com:example/dags')],
  ['SSH on another port with the host alone', ssh('ssh://git@git.example.com:7999/dags.git', 'git.example.com ssh-ed25519 AAAA')],
  ['host keys of a pattern, and of a certificate authority', ssh('git@git.example.com:dags.git', '@cert-authority *.example.com ssh-ed25519 AAAA comment')],
  ['host keys of other hosts beside ours', ssh('git@git.example.com:dags.git', 'github.com ssh-rsa AAAA', 'git.example.com ssh-rsa AAAA')],
  ['a branch with slashes', git({ branch: 'feature/a-b_c.d#1' })],
  ['a repository without a path below the host', git({ repository: 'https://git.example.com/dags' })],
  ['a pool without a limit, and one without slots', { pools: [{ name: 'default_pool', slots: -1 }, { name: 'closed', slots: 0 }] }],
  ['a port of a registry', { image: AirflowImage.fromRegistry('localhost:5000/a__b/c-d', 'V1_2') }],
  ['a tag that counts something else', { image: AirflowImage.fromRegistry('example/airflow', '2024.11.1') }],
  ['an IPv6 block, and one of all addresses', { ingress: { inboundCidrs: ['2001:db8::/32', '0.0.0.0/0'] } }],
  ['tokens in the ingress', { ingress: { inboundCidrs: [token], webAclArn: token, groupName: token, healthCheckPath: token } }],
  ['a server certificate of IAM', tls({}, 'arn:aws:iam::123456789012:server-certificate/a')],
  ['retries without workers', { executor: KUBERNETES, workers: { defaultTaskRetries: 1 } }],
  ['a second stack of text with $, {{ and quotes', { environment: { A: '$(B) {{ c }} "d" \\ \n' } }],
];

describe.each(CHARTS)('with the %s chart', (_chart, chart) => {
  test.each(ODD)('accepts %s', (_input, props) => {
    expect(() => synthAirflow((stack) => ({ chart: chart(), ...typeof props === 'function' ? props(stack) : props }))).not.toThrow();
  });
});

test.each<[string, (stack: Stack) => object, string]>([
  ['the default port', tls({}), 'https://a.example.com'],
  ['another port', ports({ protocol: HTTPS, port: 8443 }), 'https://a.example.com:8443'],
  ['HTTPS beside HTTP', ports({ protocol: HTTP, port: 8080 }, { protocol: HTTPS, port: 443 }), 'https://a.example.com'],
  ['HTTP although there is a certificate', ports({ protocol: HTTP, port: 80 }), 'http://a.example.com'],
])('the URL with %s', (_name, props, url) => {
  const { airflow, template } = synthAirflow(props);
  expect([airflow.url, valuesOf(template).config.api.base_url]).toEqual([url, url]);
});

test.each<[string, AlbIngressOptions, number]>([
  ['HTTP beside HTTPS', {}, 1], ['HTTP that is redirected to HTTPS', { annotations: { 'alb.ingress.kubernetes.io/ssl-redirect': '443' } }, 0],
])('warnings about %s', (_name, options, count) => {
  const { stack } = synthAirflow(tls({ listenerPorts: [{ protocol: HTTP, port: 80 }, { protocol: HTTPS, port: 443 }], ...options }));
  expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('airflow-on-eks:ingressHttpBesideHttps'))).toHaveLength(count);
});
