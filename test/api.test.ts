import { execFileSync } from 'child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'fs';
import { join } from 'path';
import { gunzipSync } from 'zlib';
import { Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Json, synthAirflow, synthCommunity } from './util';
import {
  AirflowChart, AirflowDatabase, AirflowLogs, AirflowNodePools, AirflowOnEksProps, AirflowSecret, CeleryBroker, EfsCsiDriver, GitAuth, PgBouncer,
  WorkerAutoscaling,
} from '../src';

const ROOT = join(__dirname, '..');

/** The assembly of the sources as they are now. */
function assembly(): Json {
  const file = join(ROOT, '.jsii.gz');
  const changed = Math.max(...readdirSync(join(ROOT, 'src'), { recursive: true }).map((name) => statSync(join(ROOT, 'src', String(name))).mtimeMs));
  if (!existsSync(file) || statSync(file).mtimeMs < changed) {
    execFileSync(process.execPath, [require.resolve('jsii/bin/jsii'), '--silence-warnings=reserved-word', '--compress-assembly'], { cwd: ROOT, stdio: 'pipe' });
  }
  return JSON.parse(gunzipSync(readFileSync(file)).toString());
}

jest.setTimeout(120_000);

let types: Json[];
let members: { of: Json; name: string; member: Json }[];

beforeAll(() => {
  types = Object.values<Json>(assembly().types);
  const initializerOf = ({ initializer }: Json) => initializer ? [{ ...initializer, name: 'constructor' }] : [];
  members = types.flatMap((of) => [...initializerOf(of), ...of.properties ?? [], ...of.methods ?? [], ...of.members ?? []]
    .map((member) => ({ of, name: `${of.name}.${member.name}`, member })));
});

const namesOf = (found: Json[]): string[] => found.map(({ name }) => name).sort();

/** The values of a member that have a type: its own, its parameters, its result. */
function valuesOf({ name, member }: { name: string; member: Json }): { name: string; types: Json[] }[] {
  const values = [
    { name, type: member.type },
    { name, type: member.returns?.type },
    ...(member.parameters ?? []).map((parameter: Json) => ({ name: `${name}(${parameter.name})`, type: parameter.type })),
  ];
  return values.filter(({ type }) => type).map((value) => ({ name: value.name, types: nested(value.type) }));
}

/** A reference to a type, and all references inside it. */
function nested(type: Json): Json[] {
  return [type, ...[...type.union?.types ?? [], ...type.collection ? [type.collection.elementtype] : []].flatMap(nested)];
}

test('the types of the API', () => {
  expect(namesOf(types)).toEqual([
    'AirflowChart',
    'AirflowChartOptions',
    'AirflowConnection',
    'AirflowDatabase',
    'AirflowExecutor',
    'AirflowImage',
    'AirflowLogs',
    'AirflowNodePools',
    'AirflowOnEks',
    'AirflowOnEksProps',
    'AirflowPlacement',
    'AirflowPool',
    'AirflowRole',
    'AirflowSecret',
    'AirflowSecretsOptions',
    'AirflowUser',
    'AirflowVariable',
    'AlbIngressClass',
    'AlbIngressOptions',
    'AlbListenerPort',
    'ApiServerAutoscaling',
    'ApiServerOptions',
    'AuroraDatabaseOptions',
    'AutoModeOptions',
    'AutoscalingOptions',
    'BucketLogsOptions',
    'CeleryBroker',
    'CeleryWorkersOptions',
    'ComponentOptions',
    'CpuAutoscalingOptions',
    'DatabaseBackupOptions',
    'DatabaseCleanupOptions',
    'DatabaseSslMode',
    'DatabaseStorageOptions',
    'EfsCsiDriver',
    'EfsCsiDriverInstallation',
    'EfsCsiDriverOptions',
    'ElastiCacheBrokerOptions',
    'EndpointDatabaseOptions',
    'ExistingDatabaseOptions',
    'ExistingNodeClassOptions',
    'ExistingNodesOptions',
    'ExternalSecrets',
    'ExternalSecretsInstallation',
    'FileSystemLogsOptions',
    'GitAuth',
    'GitHttpAuthOptions',
    'GitSshAuthOptions',
    'GitSyncOptions',
    'IAirflowBroker',
    'IAirflowDatabase',
    'IAirflowLogs',
    'IAirflowNodePools',
    'IAirflowPersistence',
    'IAirflowSecrets',
    'IAlbIngress',
    'InClusterBrokerOptions',
    'InClusterDatabaseOptions',
    'KarpenterNodePoolOptions',
    'KarpenterOptions',
    'KarpenterPoolsOptions',
    'Keda',
    'KedaInstallation',
    'KnownHosts',
    'ManagedDatabaseOptions',
    'ManagedNodeGroupsOptions',
    'ManagedNodesOptions',
    'MemoryAutoscalingOptions',
    'NewNodeClassOptions',
    'NodePlacement',
    'NodePoolOptions',
    'PersistenceOptions',
    'PgBouncer',
    'PgBouncerOptions',
    'QueuedTasksAutoscalingOptions',
    'RdsDatabaseOptions',
    'SecretsBackend',
    'SingleNodeGroupOptions',
    'WorkerAutoscaling',
    'WorkerGroupOptions',
    'WorkersOptions',
  ]);
  expect(members.length).toBeGreaterThan(150);
});

test('each symbol is documented in a sentence', () => {
  const symbols = [...types.map((type) => ({ name: type.name, member: type })), ...members.filter(({ member }) => member.name !== 'constructor')];
  expect(namesOf(symbols.filter(({ member }) => !/\.$/.test(member.docs?.summary ?? '')))).toEqual([]);
});

test('each parameter is documented', () => {
  const undocumented = members.filter(({ member }) => member.name !== 'constructor')
    .flatMap(({ name, member }) => (member.parameters ?? []).filter(({ docs }: Json) => !docs?.summary).map((parameter: Json) => `${name}(${parameter.name})`));
  expect(undocumented).toEqual([]);
});

test('each optional property of a struct has a default, and no other property has one', () => {
  const properties = members.filter(({ of }) => of.datatype);
  expect(namesOf(properties.filter(({ member }) => (member.docs?.default !== undefined) !== (member.optional === true)))).toEqual([]);
});

test("each default is a value, or begins with '- '", () => {
  const defaults = members.filter(({ member }) => member.docs?.default !== undefined)
    .map(({ name, member }) => ({ name, text: member.docs.default as string }));
  expect(defaults.length).toBeGreaterThan(80);
  expect(defaults.filter(({ text }) => !/^(- \S.*|true|false|\d+|'[^']*'|[A-Za-z]\w*(\.\w+)+(\([^)]*\))?)$/s.test(text))).toEqual([]);
});

test('what is exported can be used alone', () => {
  const constructs = types.filter(({ base }) => base === 'constructs.Construct');
  expect(namesOf(constructs)).toEqual(['AirflowOnEks', 'EfsCsiDriver', 'ExternalSecrets', 'Keda']);
  // All other classes have static factories, and the cluster-wide constructs cannot be created twice by mistake.
  expect(namesOf(types.filter(({ initializer }) => initializer))).toEqual(['AirflowOnEks']);
  const factories = types.filter(({ kind, initializer }) => kind === 'class' && !initializer)
    .map(({ name, methods, properties }) => ({ name, static: [...methods ?? [], ...properties ?? []].some((member) => member.static) }));
  expect(factories.filter((factory) => !factory.static)).toEqual([]);
});

test('an interface is behavioral if and only if its name begins with I', () => {
  const interfaces = types.filter(({ kind }) => kind === 'interface');
  expect(namesOf(interfaces.filter(({ datatype }) => !datatype))).toEqual(['IAirflowBroker', 'IAirflowDatabase', 'IAirflowLogs', 'IAirflowNodePools', 'IAirflowPersistence', 'IAirflowSecrets', 'IAlbIngress']);
  expect(namesOf(interfaces.filter(({ name, datatype }) => datatype && /^I[A-Z]/.test(name)))).toEqual([]);
});

test("no union but 'cluster'", () => {
  expect(namesOf(members.flatMap(valuesOf).filter((value) => value.types.some(({ union }) => union)))).toEqual([
    'AirflowOnEksProps.cluster', 'EfsCsiDriver.getOrCreate(cluster)', 'ExternalSecrets.getOrCreate(cluster)', 'Keda.getOrCreate(cluster)',
  ]);
});

test("no any but in 'helmValues'", () => {
  const untyped = members.flatMap(valuesOf).filter((value) => value.types.some(({ primitive }) => primitive === 'any' || primitive === 'json'));
  expect(namesOf(untyped)).toEqual(['AirflowOnEksProps.helmValues']);
});

test('the fixture of the examples imports every class', () => {
  const fixture = readFileSync(join(ROOT, 'rosetta/default.ts-fixture'), 'utf8');
  const imported = /import \{([^}]*)\} from 'airflow-on-eks'/.exec(fixture)![1].split(',').map((name) => name.trim()).filter((name) => name);
  expect(namesOf(types.filter(({ kind }) => kind !== 'interface')).filter((name) => !imported.includes(name))).toEqual([]);
});

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** How a program in a language sets a property, or calls a method of a class. */
const USES: Record<string, { file: RegExp; property: (name: string) => string; call: (name: string) => string }> = {
  typescript: { file: /\bapp\.ts$/, property: (name) => `${name}[:,]`, call: (name) => `\\.${name}\\(` },
  python: { file: /\bapp\.py$/, property: (name) => `\\b${snakeCase(name)}("|=)`, call: (name) => `\\.${snakeCase(name)}\\(` },
  java: { file: /App\.java$/, property: (name) => `\\.${name}\\(`, call: (name) => `\\.${name}\\(` },
};

test.each(Object.entries(USES))('the %s apps of test:consumers use every property and method', (language, { file, property, call }) => {
  const programs = ['examples/quickstart', 'examples/blog', 'examples/auto-mode', 'test/consumers/features'].map((app) => {
    const folder = join(ROOT, app, language);
    const [program] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => file.test(name) && !name.includes('node_modules'));
    return readFileSync(join(folder, program), 'utf8');
  }).join();
  const unused = members.filter(({ of, member }) => {
    const use = of.datatype ? property(member.name) : of.methods?.includes(member) ? call(member.name) : undefined;
    return use && !new RegExp(use).test(programs);
  });
  // The first one needs a folder with a Dockerfile. The second one is not for imitation.
  expect(namesOf(unused)).toEqual(['AirflowImage.fromAsset', 'KnownHosts.insecureAcceptAny']);
});

type Props = (optional: any, stack: Stack) => Partial<AirflowOnEksProps>;
const nodeRole = (stack: Stack) => iam.Role.fromRoleName(stack, 'NodeRole', 'nodes');
const databaseSecret = (stack: Stack) => secretsmanager.Secret.fromSecretNameV2(stack, 'DatabaseSecret', 'database');
const key = AirflowSecret.fromKubernetesSecret('mine', 'gitSshKey');

/** For each struct, a deployment with its required properties and `optional`. */
const STRUCTS: Record<string, Record<string, Props>> = {
  AirflowOnEksProps: { 'the deployment': (optional) => optional },
  AirflowChartOptions: {
    'the official chart': (optional) => ({ chart: AirflowChart.official(optional) }),
    'the community chart': (optional) => ({ chart: AirflowChart.community(optional) }),
  },
  ComponentOptions: {
    apiServer: (apiServer) => ({ apiServer }),
    scheduler: (scheduler) => ({ scheduler }),
    dagProcessor: (dagProcessor) => ({ dagProcessor }),
    triggerer: (triggerer) => ({ triggerer }),
  },
  WorkersOptions: { workers: (workers) => ({ workers }) },
  CeleryWorkersOptions: { workers: (workers) => ({ workers }) },
  WorkerGroupOptions: { 'a group of workers': (optional) => ({ chart: AirflowChart.official(), workers: { groups: [{ name: 'gpu', ...optional }] } }) },
  ApiServerOptions: { apiServer: (apiServer) => ({ apiServer }) },
  AutoscalingOptions: { 'workers.autoscaling': (optional) => ({ workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 4, ...optional }) } }) },
  CpuAutoscalingOptions: { 'workers.autoscaling': (optional) => ({ workers: { autoscaling: WorkerAutoscaling.onCpu({ maxReplicas: 4, ...optional }) } }) },
  QueuedTasksAutoscalingOptions: { 'workers.autoscaling': (optional) => ({ chart: AirflowChart.official(), workers: { autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 4, ...optional }) } }) },
  MemoryAutoscalingOptions: { 'workers.autoscaling': (optional) => ({ workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 4, ...optional }) } }) },
  ManagedNodeGroupsOptions: { nodePools: (optional) => ({ nodePools: AirflowNodePools.managedNodeGroups(optional) }) },
  NodePoolOptions: Object.fromEntries(['stateless', 'workers', 'database'].map((pool): [string, Props] =>
    [`nodePools.${pool}`, (optional) => ({ nodePools: AirflowNodePools.managedNodeGroups({ [pool]: optional }) })])),
  ManagedNodesOptions: { 'nodePools, managed': (optional) => ({ nodePools: AirflowNodePools.managedNodeGroups(optional) }) },
  SingleNodeGroupOptions: { 'a single node group': (optional) => ({ nodePools: AirflowNodePools.singleNodeGroup(optional) }) },
  KarpenterOptions: { 'nodePools, Karpenter': (optional) => ({ nodePools: AirflowNodePools.karpenter(optional) }) },
  KarpenterPoolsOptions: { 'nodePools, three NodePools': (optional) => ({ nodePools: AirflowNodePools.karpenter(optional) }) },
  NewNodeClassOptions: { 'nodePools, a node class': (optional) => ({ nodePools: AirflowNodePools.karpenter(optional) }) },
  KarpenterNodePoolOptions: { 'nodePools.workers, Karpenter': (workers) => ({ nodePools: AirflowNodePools.karpenter({ workers }) }) },
  AutoModeOptions: { 'nodePools, Auto Mode': (optional) => ({ nodePools: AirflowNodePools.autoMode(optional) }) },
  ExistingNodeClassOptions: {
    'nodePools.nodeClass': (optional, stack) =>
      ({ nodePools: AirflowNodePools.karpenter({ nodeClass: { name: 'default', nodeRole: nodeRole(stack), ...optional } }) }),
  },
  ExistingNodesOptions: {
    'existing nodes': (optional, stack) => ({ nodePools: AirflowNodePools.existing({ stateless: { labels: {} }, nodeRole: nodeRole(stack), ...optional }) }),
  },
  NodePlacement: {
    'a placement': (optional, stack) => ({ nodePools: AirflowNodePools.existing({ stateless: { labels: {}, ...optional }, nodeRole: nodeRole(stack) }) }),
  },
  InClusterDatabaseOptions: { database: (optional) => ({ database: AirflowDatabase.inCluster(optional) }) },
  DatabaseBackupOptions: { 'backups of the database': (backup) => ({ database: AirflowDatabase.inCluster({ backup }) }) },
  DatabaseStorageOptions: { 'the volume of the database': (storage) => ({ database: AirflowDatabase.inCluster({ storage }) }) },
  ManagedDatabaseOptions: { database: (optional) => ({ database: AirflowDatabase.aurora(optional) }) },
  AuroraDatabaseOptions: { database: (optional) => ({ database: AirflowDatabase.aurora(optional) }) },
  RdsDatabaseOptions: { database: (optional) => ({ database: AirflowDatabase.rds(optional) }) },
  ExistingDatabaseOptions: {
    'an existing cluster': (optional, stack) => ({
      database: AirflowDatabase.fromCluster(rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Existing', {
        clusterIdentifier: 'airflow', clusterEndpointAddress: 'db.example.com', port: 5432,
      }), databaseSecret(stack), optional),
    }),
  },
  EndpointDatabaseOptions: {
    'an existing database': (optional, stack) => ({ database: AirflowDatabase.fromEndpoint({ host: 'db.example.com', credentials: databaseSecret(stack), ...optional }) }),
  },
  PgBouncerOptions: { pgBouncer: (optional) => ({ pgBouncer: PgBouncer.enabled(optional) }) },
  FileSystemLogsOptions: { logs: (optional) => ({ logs: AirflowLogs.onFileSystem(optional) }) },
  BucketLogsOptions: { logs: (optional) => ({ logs: AirflowLogs.inBucket(optional) }) },
  InClusterBrokerOptions: { broker: (optional) => ({ broker: CeleryBroker.inCluster(optional) }) },
  ElastiCacheBrokerOptions: { broker: (optional) => ({ broker: CeleryBroker.elastiCache(optional) }) },
  GitSyncOptions: { gitSync: (optional) => ({ gitSync: { repository: 'https://example.com/dags.git', ...optional } }) },
  GitSshAuthOptions: {
    'gitSync.auth': (optional) => ({ gitSync: { repository: 'git@github.com:example/dags.git', auth: GitAuth.ssh({ privateKey: key, ...optional }) } }),
  },
  PersistenceOptions: { persistence: (persistence) => ({ persistence }) },
  EfsCsiDriverOptions: {
    'the EFS CSI driver': (optional, stack) => {
      EfsCsiDriver.getOrCreate(stack.node.findChild('Cluster') as eks.Cluster, optional);
      return {};
    },
  },
  AirflowSecretsOptions: { secrets: (secrets) => ({ secrets }) },
  DatabaseCleanupOptions: { databaseCleanup: (databaseCleanup) => ({ databaseCleanup }) },
  AirflowUser: { 'a user': (optional) => ({ users: [{ username: 'joe', email: 'joe@example.com', ...optional }] }) },
  AirflowConnection: { 'a connection': (optional) => ({ connections: [{ id: 'a', type: 'http', ...optional }] }) },
  AirflowPool: { 'a pool': (optional) => ({ pools: [{ name: 'a', slots: 1, ...optional }] }) },
  AlbIngressOptions: {
    'ingress': (ingress) => ({ ingress }),
    'ingress with a certificate': (optional, stack) => ({
      ingress: { ...optional, host: 'a.example.com', certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', 'arn:aws:acm:eu-central-1:1:certificate/1') },
    }),
  },
};

describe('undefined is the default', () => {
  /** The optional properties of a struct and of those that it extends. */
  const optionalOf = (struct: string): string[] => members
    .filter(({ of, member }) => of.name === struct && member.optional)
    .map(({ member }) => member.name)
    .concat((types.find(({ name }) => name === struct)!.interfaces ?? []).flatMap((base: string) => optionalOf(base.split('.').at(-1)!)));

  test('of each struct with optional properties', () => {
    expect(namesOf(types.filter(({ name, datatype }) => datatype && optionalOf(name).length > 0))).toEqual(Object.keys(STRUCTS).sort());
  });

  const ROWS = Object.entries(STRUCTS)
    .flatMap(([struct, rows]) => Object.entries(rows).map(([name, props]): [string, string, Props] => [struct, name, props]));

  test.each(ROWS)('%s: %s', (struct, name, props) => {
    const undefineds = Object.fromEntries(optionalOf(struct).map((property) => [property, undefined]));
    expect(Object.keys(undefineds).length).toBeGreaterThan(0);
    // The community chart has no DAG processor, and is not the default of `chart`.
    for (const synth of ['dagProcessor', 'the deployment'].includes(name) ? [synthAirflow] : [synthAirflow, synthCommunity]) {
      const [given, absent] = [undefineds, {}].map((optional) => synth((stack) => props(optional, stack)).template.toJSON());
      expect(given).toEqual(absent);
    }
  });
});
