import { Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { ChartUnderTest } from './util';
import { AirflowExecutor, AirflowOnEksProps, AirflowPlacement, AirflowSecret, AlbIngressTargetType, GitAuth } from '../src';

const remote = (stack: Stack, id: string, field?: string) =>
  AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, id, `airflow/${id}`), field);

const ssh = (stack: Stack) => ({
  repository: 'git@github.com:example/dags.git', subPath: 'dags', auth: GitAuth.ssh({ privateKey: remote(stack, 'DeployKey') }),
});

const http = (stack: Stack) => ({
  repository: 'https://gitlab.example.com/data/dags.git',
  auth: GitAuth.http({ username: remote(stack, 'Git', 'user'), password: remote(stack, 'GitToken', 'token') }),
});

const certificate = (stack: Stack) => acm.Certificate.fromCertificateArn(stack, 'Certificate', `arn:aws:acm:${stack.region}:${stack.account}:certificate/1`);

/** One pool each, with labels and taints of its owner's taste. */
const OWN_NODES: AirflowPlacement = {
  stateless: { labels: { team: 'data' }, tolerations: [{ key: 'team', value: 'data', effect: 'NoSchedule' }] },
  workers: { labels: { team: 'data', size: 'big' }, tolerations: [{ key: 'team', value: 'data', effect: 'NoSchedule' }] },
  database: { labels: { team: 'data', disk: 'fast' }, tolerations: [{ key: 'team', value: 'data', effect: 'NoSchedule' }] },
};

const OWN_KEYS = ['fernet', 'webserver', 'jwt', 'postgresql-password', 'redis-password', 'flower', 'admin', 'git'];
const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);

/** Props of an Airflow, and what to expect of it that the props do not say. */
export interface Case {
  readonly props: (stack: Stack) => Partial<AirflowOnEksProps>;
  readonly placement?: AirflowPlacement;
  /** Whether each secret is in a Kubernetes Secret: then nothing is there to write any. */
  readonly withoutOperator?: boolean;
  readonly existingSecrets?: Record<string, string[]>;
  /** The charts that can do it, by the start of their names; all if none is said. */
  readonly only?: string;
}

/** Each option that changes what the charts render, at least once. */
export const MATRIX: Record<string, Case> = {
  'defaults': { props: () => ({}) },
  'Celery, SSH, autoscaling, ingress': {
    props: (stack) => ({
      gitSync: ssh(stack), workers: { autoscaling: { maxReplicas: 8 } }, ingress: { host: 'airflow.example.com', certificate: certificate(stack), flowerHost: 'flower.example.com' },
    }),
  },
  'Celery, HTTP, ingress to the nodes': {
    props: (stack) => ({ gitSync: http(stack), ingress: { host: 'airflow.example.com', certificate: certificate(stack), targetType: AlbIngressTargetType.INSTANCE } }),
  },
  'Celery, autoscaling without git-sync': { props: () => ({ workers: { autoscaling: { maxReplicas: 3, targetMemoryPercent: 60 }, replicas: 1 } }) },
  'Kubernetes, SSH': { props: (stack) => ({ executor: AirflowExecutor.KUBERNETES, gitSync: ssh(stack) }) },
  'Kubernetes, HTTP, ingress': { props: (stack) => ({ executor: AirflowExecutor.KUBERNETES, gitSync: http(stack), ingress: {} }) },
  'CeleryKubernetes, HTTP, autoscaling': {
    props: (stack) => ({ executor: AirflowExecutor.CELERY_KUBERNETES, gitSync: http(stack), workers: { autoscaling: { maxReplicas: 8 } } }),
  },
  'a public repository': { props: () => ({ gitSync: { repository: 'https://github.com/example/dags.git' } }) },
  'packages': { only: 'community', props: () => ({ pipPackages: ['apache-airflow-providers-slack'] }) },
  'one of each, metadata': {
    props: (stack) => ({
      webServers: 1,
      schedulers: 1,
      workers: { replicas: 1 },
      users: [{ username: 'jane.doe', email: 'jane.doe@example.com' }, { username: 'joe', email: 'joe@example.com', password: remote(stack, 'Joe') }],
      connections: [
        { id: 'slack', type: 'http', host: 'https://hooks.example.com', password: remote(stack, 'Slack', 'webhook') },
        { id: 'aws', type: 'aws', extra: '{"region_name": "eu-central-1"}' },
      ],
      variables: [{ key: 'stage', value: 'cost: 5$' }, { key: 'license', secret: remote(stack, 'License') }],
      pools: [{ name: 'database', slots: 4 }],
      extraSecrets: { 'dag-key': remote(stack, 'DagKey') },
      config: { 'core.parallelism': '64' },
      environment: { STAGE: 'dev' },
    }),
  },
  'nodes that exist': {
    props: (stack) => ({
      existingNodes: { ...OWN_NODES, nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes') }, executor: AirflowExecutor.CELERY_KUBERNETES, gitSync: ssh(stack),
    }),
    placement: OWN_NODES,
  },
  'all secrets in Kubernetes Secrets': {
    only: 'community',
    withoutOperator: true,
    props: () => ({
      secrets: {
        fernetKey: own('fernet'),
        webserverSecretKey: own('webserver'),
        jwtSecret: own('jwt'),
        databasePassword: own('postgresql-password'),
        redisPassword: own('redis-password'),
        flowerPassword: own('flower'),
      },
      users: [{ username: 'admin', email: 'admin@example.com', password: own('admin') }],
      gitSync: { repository: 'git@github.com:example/dags.git', auth: GitAuth.ssh({ privateKey: own('git') }) },
    }),
    existingSecrets: { mine: OWN_KEYS },
  },
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

/** The cases that a chart can do. */
export function casesOf({ name }: ChartUnderTest): [string, Case][] {
  return Object.entries(MATRIX).filter(([, { only = '' }]) => name.startsWith(only));
}

export const TAINT = { key: 'dedicated', value: 'airflow', effect: 'NoSchedule' };
const pool = (type: string) => ({ labels: { role: 'airflow', type }, tolerations: [TAINT] });

/** The nodes that we make. */
export const POOLS: AirflowPlacement = { stateless: pool('af-stateless'), workers: pool('af-stateful'), database: pool('af-db') };
