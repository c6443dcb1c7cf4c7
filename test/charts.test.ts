import { execFileSync } from 'child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as YAML from 'yaml';
import { Expectations, violations } from './rendered';
import { CHARTS, CHARTS_UNDER_TEST, ChartUnderTest, HELMS, Json, objectsOf, render, synthAirflow } from './util';
import { AirflowExecutor, AirflowOnEksProps, AirflowPlacement, AirflowSecret, AlbIngressTargetType, EfsCsiDriverSetup, GitAuth } from '../src';

const EFS_CSI_DRIVER = 'aws-efs-csi-driver-4.4.1';
const EXTERNAL_SECRETS = 'external-secrets-2.9.0';

/** Says it where nobody can overlook it, and in the report of the tests. */
function skipped(): void {
  const message = 'NO CHART WAS RENDERED: set AIRFLOW_CHARTS to a folder of unpacked charts, named <chart>-<version>';
  console.warn(`${'!'.repeat(message.length)}\n${message}\n${'!'.repeat(message.length)}`);
  test.skip(message, () => undefined);
}

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

interface Case {
  readonly props: (stack: Stack) => Partial<AirflowOnEksProps>;
  readonly placement?: AirflowPlacement;
  readonly existingSecrets?: Record<string, string[]>;
  readonly kinds?: string[];
}

/** Each option that changes what the charts render, at least once. */
const MATRIX: Record<string, Case> = {
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
  'one of each, packages, metadata': {
    props: (stack) => ({
      webServers: 1,
      schedulers: 1,
      workers: { replicas: 1 },
      pipPackages: ['apache-airflow-providers-slack'],
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
    props: () => ({
      secrets: {
        fernetKey: own('fernet'), webserverSecretKey: own('webserver'), jwtSecret: own('jwt'),
        databasePassword: own('postgresql-password'), redisPassword: own('redis-password'), flowerPassword: own('flower'),
      },
      users: [{ username: 'admin', email: 'admin@example.com', password: own('admin') }],
      gitSync: { repository: 'git@github.com:example/dags.git', auth: GitAuth.ssh({ privateKey: own('git') }) },
    }),
    existingSecrets: { mine: OWN_KEYS },
  },
};

const TAINT = { key: 'dedicated', value: 'airflow', effect: 'NoSchedule' };
const pool = (type: string) => ({ labels: { role: 'airflow', type }, tolerations: [TAINT] });
const POOLS: AirflowPlacement = { stateless: pool('af-stateless'), workers: pool('af-stateful'), database: pool('af-db') };

/** The keys that a chart comes with are published, and so known to everybody. */
function publishedKeys(folder: string): string[] {
  const keys: string[] = [];
  YAML.visit(YAML.parseDocument(readFileSync(join(CHARTS!, folder, 'values.yaml'), 'utf8')), {
    Pair: (_, { key, value }) => {
      const text = YAML.isScalar(value) && String(value.value);
      // Names of keys are made of these characters; keys themselves rarely are.
      if (text && /(key|password|secret)$/i.test(String(key)) && /[^\w.-]/.test(text)) {
        keys.push(text);
      }
    },
  });
  return keys;
}

function expectations(chart: ChartUnderTest, { placement = POOLS, existingSecrets }: Pick<Case, 'placement' | 'existingSecrets'> = {}): Expectations {
  return {
    pools: (['stateless', 'workers', 'database'] as const).map((name) => [chart.workloads[name], placement[name].labels]),
    taints: placement.stateless.tolerations!,
    mounts: [{ ...chart.logs, claim: 'airflow-logs' }, { ...chart.database, claim: 'data-airflow-postgresql' }],
    forbiddenText: publishedKeys(chart.folder),
    existingSecrets,
  };
}

/** An example as its users run it, without the CLI. */
function synthExample(name: string, stack: string): Json {
  const outdir = mkdtempSync(join(tmpdir(), 'example-'));
  execFileSync(process.execPath, [
    '-r', 'ts-node/register/transpile-only', '-r', 'tsconfig-paths/register', `examples/${name}/typescript/app.ts`,
  ], { env: { ...process.env, CDK_OUTDIR: outdir, CDK_VALIDATION: 'false', TS_NODE_PROJECT: 'tsconfig.dev.json' }, stdio: 'pipe', cwd: join(__dirname, '..') });
  return JSON.parse(readFileSync(join(outdir, `${stack}.template.json`), 'utf8'));
}

/** Folders of charts as they are in Git lack the archives of what they depend on; what we switch off needs none. */
function withoutDependencies(folder: string): string {
  const copy = join(mkdtempSync(join(tmpdir(), 'chart-')), folder);
  cpSync(join(CHARTS!, folder), copy, { recursive: true });
  const file = join(copy, 'Chart.yaml');
  const chart = YAML.parseDocument(readFileSync(file, 'utf8'));
  chart.delete('dependencies');
  writeFileSync(file, chart.toString());
  return copy;
}

jest.setTimeout(120_000);

describe('the real charts', () => {
  if (!CHARTS) {
    return skipped();
  }

  describe.each(Object.entries(HELMS))('under %s', (_helm, helm) => {
    describe.each(CHARTS_UNDER_TEST)('the $name chart', (chart) => {
      test.each(Object.entries(MATRIX))('%s', (_name, { props, ...expected }) => {
        const { template } = synthAirflow((stack) => ({ chart: chart.chart(), ...props(stack) }));
        expect(violations(render(helm(), chart.folder, template), expectations(chart, expected))).toEqual([]);
        expect(objectsOf(template, 'ExternalSecret').length === 0).toBe(expected.existingSecrets !== undefined);
      });
    });

    test('the keys that are published with the community chart are known', () => {
      expect(publishedKeys('airflow-community-8.9.0')).toHaveLength(2);
    });

    test.each([['blog', 'AirflowBlog'], ['quickstart', 'AirflowQuickstart']])('the example %s', (name, stack) => {
      const chart = CHARTS_UNDER_TEST.find((candidate) => candidate.name === 'community')!;
      expect(violations(render(helm(), chart.folder, synthExample(name, stack)), expectations(chart))).toEqual([]);
    });

    test('the EFS CSI driver runs on the nodes of Airflow only', () => {
      const { template } = synthAirflow();
      expect(violations(render(helm(), EFS_CSI_DRIVER, template, 'aws-efs-csi-driver'), {
        pools: [[/^(Deployment\/efs-csi-controller|DaemonSet\/efs-csi-node)$/, { role: 'airflow' }]], taints: [TAINT],
      })).toEqual([]);
    });

    test('the EFS CSI driver runs on all nodes', () => {
      const { template } = synthAirflow({ efsCsiDriver: EfsCsiDriverSetup.ALL_NODES });
      expect(violations(render(helm(), EFS_CSI_DRIVER, template, 'aws-efs-csi-driver'), {
        pools: [[/^(Deployment\/efs-csi-controller|DaemonSet\/efs-csi-node)$/, {}]], taints: [TAINT, { key: 'any', value: 'other', effect: 'NoExecute' }],
      })).toEqual([]);
    });

    test('the External Secrets operator runs on whatever node there is', () => {
      const { template } = synthAirflow();
      expect(violations(render(helm(), withoutDependencies(EXTERNAL_SECRETS), template, 'external-secrets'), {
        pools: [[/^Deployment\/external-secrets$/, {}]], taints: [TAINT],
      })).toEqual([]);
    });
  });
});
