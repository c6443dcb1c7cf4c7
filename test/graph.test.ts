import { KubectlV29Layer } from '@aws-cdk/lambda-layer-kubectl-v29';
import { KubectlV35Layer } from '@aws-cdk/lambda-layer-kubectl-v35';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as eksv2 from 'aws-cdk-lib/aws-eks-v2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import {
  ACCOUNT, CHARTS_UNDER_TEST, ChartUnderTest, CLUSTERS, importedCluster, Json, newApp, newStack, REGION, remoteSecret, synthAirflow,
} from './util';
import { AirflowDatabase, AirflowNodePools, AirflowOnEks, AirflowOnEksProps, EfsCsiDriverInstallation, ExternalSecretsInstallation, WorkerAutoscaling } from '../src';

/** The order in which CloudFormation creates resources; it deletes them in the reverse order. */
class Graph {
  private readonly resources: Record<string, Json>;
  private readonly edges = new Map<string, Set<string>>();

  constructor(template: Json) {
    this.resources = template.Resources;
    for (const [id, resource] of Object.entries(this.resources)) {
      const named = [...[resource.DependsOn ?? []].flat(), ...this.references(resource)];
      this.edges.set(id, new Set(named.filter((to) => to in this.resources && to !== id)));
    }
  }

  /** The logical IDs of the resources of a type, below a path of construct IDs. */
  public find(type: string, path = ''): string[] {
    return Object.entries(this.resources).filter(([id, { Type }]) => Type === type && id.startsWith(path)).map(([id]) => id);
  }

  public typeOf(id: string): string {
    return this.resources[id].Type;
  }

  /** Everything that is created before a resource. */
  public before(id: string, seen = new Set<string>()): Set<string> {
    for (const to of this.edges.get(id) ?? []) {
      if (!seen.has(to)) {
        this.before(to, seen.add(to));
      }
    }
    return seen;
  }

  public cycles(): string[] {
    return [...this.edges.keys()].filter((id) => this.before(id).has(id));
  }

  private references(value: any): string[] {
    if (typeof value !== 'object' || value === null) {
      return [];
    }
    const { 'Ref': ref, 'Fn::GetAtt': attribute, 'Fn::Sub': sub } = value;
    return [
      ...typeof ref === 'string' ? [ref] : [],
      ...attribute ? [Array.isArray(attribute) ? attribute[0] : String(attribute).split('.')[0]] : [],
      ...sub ? [...String(Array.isArray(sub) ? sub[0] : sub).matchAll(/\$\{([^!.}]+)/g)].map(([, id]) => id) : [],
      ...Object.values(value).flatMap((child) => this.references(child)),
    ];
  }
}

const HELM = 'Custom::AWSCDK-EKS-HelmChart';
const MANIFEST = 'Custom::AWSCDK-EKS-KubernetesResource';
const AWAITED = 'Custom::AWSCDK-EKS-KubernetesObjectValue';

/** The parts of an Airflow deployment `Airflow` on a cluster `Cluster`. */
function partsOf(graph: Graph): Record<string, string[]> {
  return {
    'the namespace': graph.find(MANIFEST, 'AirflowNamespace'),
    'the claims': graph.find(MANIFEST, 'AirflowPersistence'),
    'the bound claims': graph.find(AWAITED, 'AirflowPersistence'),
    'the secrets': graph.find(MANIFEST, 'AirflowSecretsManifest'),
    'the copies of secrets': graph.find(AWAITED, 'AirflowSecretsSynchronized'),
    'the broker': graph.find(MANIFEST, 'AirflowBroker'),
    'the ready broker': graph.find(AWAITED, 'AirflowBroker'),
    'the database': graph.find(MANIFEST, 'AirflowDatabase'),
    'the ready database': graph.find(AWAITED, 'AirflowDatabase'),
    'PgBouncer': graph.find(MANIFEST, 'AirflowPgBouncer'),
    'the ready PgBouncer': graph.find(AWAITED, 'AirflowPgBouncer'),
    'the release': graph.find(HELM, 'AirflowRelease'),
    'the ready workloads': graph.find(AWAITED, 'AirflowReady'),
    'the ingress': graph.find(MANIFEST, 'AirflowIngress'),
    'the nodes': graph.find('AWS::EKS::Nodegroup', 'AirflowNodePools'),
    'the permissions of the nodes': graph.find('AWS::IAM::Policy', 'AirflowPersistence'),
    'the rules between the nodes': graph.find('AWS::EC2::SecurityGroupIngress', 'AirflowNodePools'),
    'the file system': graph.find('AWS::EFS::FileSystem', 'AirflowPersistence'),
    'the access to the file system': graph.find('AWS::EC2::SecurityGroupIngress', 'AirflowPersistence'),
    'the mount targets': graph.find('AWS::EFS::MountTarget', 'AirflowPersistence'),
    'the access points': graph.find('AWS::EFS::AccessPoint', 'AirflowPersistence'),
    'the driver': graph.find(HELM, 'ClusterAirflowEfsCsiDriver'),
    'the operator': graph.find(HELM, 'ClusterAirflowExternalSecrets'),
    'the definitions of the operator': graph.find(AWAITED, 'ClusterAirflowExternalSecrets'),
    'KEDA': graph.find(HELM, 'ClusterAirflowKeda'),
    'the definition of KEDA': graph.find(AWAITED, 'ClusterAirflowKeda'),
    'the permissions of the store': graph.find('AWS::IAM::Policy', 'AirflowSecretsRole'),
    'the load balancer controller': graph.find(HELM).filter((id) => id.includes('AlbController')), // the CDK creates it beside the cluster
  };
}

/** Each part with one that must be created before it, and deleted after it. */
const EDGES: [string, string][] = [
  ['the definitions of the operator', 'the operator'],
  ['the namespace', 'the operator'], // removes its finalizers, also after a deployment that failed
  ['the namespace', 'the nodes'], // on which the operator may run
  ['the namespace', 'the rules between the nodes'],
  ['the namespace', 'KEDA'],
  ['the definition of KEDA', 'KEDA'],
  ['the release', 'the definition of KEDA'],
  ['the claims', 'the namespace'],
  ['the claims', 'the driver'],
  ['the claims', 'the file system'],
  ['the claims', 'the access points'],
  ['the claims', 'the permissions of the nodes'], // until no pod uses a claim any more
  ['the claims', 'the access to the file system'],
  ['the bound claims', 'the claims'],
  ['the secrets', 'the namespace'],
  ['the secrets', 'the operator'],
  ['the secrets', 'the definitions of the operator'],
  ['the secrets', 'the permissions of the store'],
  ['the copies of secrets', 'the secrets'],
  ['the database', 'the namespace'],
  ['the database', 'the bound claims'],
  ['the database', 'the secrets'],
  ['the database', 'the nodes'],
  ['the database', 'the mount targets'],
  ['the ready database', 'the database'],
  ['PgBouncer', 'the namespace'],
  ['PgBouncer', 'the secrets'],
  ['PgBouncer', 'the nodes'],
  ['the ready PgBouncer', 'PgBouncer'],
  ['the broker', 'the namespace'],
  ['the broker', 'the nodes'],
  ['the ready broker', 'the broker'],
  ['the release', 'the broker'], // which the workers need until they have stopped
  ['the release', 'the namespace'],
  ['the release', 'the claims'],
  ['the release', 'the bound claims'], // else the scheduler looks at their pods again only after minutes
  ['the release', 'the secrets'],
  ['the release', 'the copies of secrets'],
  ['the release', 'the nodes'],
  ['the release', 'the permissions of the nodes'],
  ['the release', 'the rules between the nodes'],
  ['the release', 'the file system'],
  ['the release', 'the access to the file system'],
  ['the release', 'the mount targets'],
  ['the release', 'the access points'],
  ['the release', 'the driver'],
  ['the ready workloads', 'the release'],
  ['the ingress', 'the release'],
];

const CLUSTERS_OF_ALL_KINDS: Record<string, (scope: Construct) => AirflowOnEksProps['cluster']> = {
  ...CLUSTERS,
  'aws-eks, with its load balancer controller': (scope) => new eks.Cluster(scope, 'Cluster', {
    version: eks.KubernetesVersion.V1_33, defaultCapacity: 0, kubectlLayer: new KubectlV29Layer(scope, 'Kubectl'), albController: { version: eks.AlbControllerVersion.V3_2_2 },
  }),
  'aws-eks-v2, with its load balancer controller': (scope) => new eksv2.Cluster(scope, 'Cluster', {
    version: eksv2.KubernetesVersion.V1_33,
    defaultCapacityType: eksv2.DefaultCapacityType.NODEGROUP,
    defaultCapacity: 0,
    kubectlProviderOptions: { kubectlLayer: new KubectlV35Layer(scope, 'Kubectl') },
    albController: { version: eksv2.AlbControllerVersion.V3_2_2 },
  }),
};

/** Whether the number of workers can follow the queued tasks. */
const hasKeda = (chart: string) => chart !== 'community';

function graphOf(make: (scope: Construct) => AirflowOnEksProps['cluster'], { chart, name }: ChartUnderTest): Graph {
  const stack = newStack();
  const workers = hasKeda(name) ? { autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 4 }) } : {};
  new AirflowOnEks(stack, 'Airflow', {
    cluster: make(stack), chart: chart(), ingress: {}, workers, environmentSecrets: { STRIPE: remoteSecret(stack, 'stripe') },
  });
  return new Graph(Template.fromStack(stack).toJSON());
}

test('the graph has all kinds of edges, over several steps', () => {
  const type = 'AWS::CDK::Metadata';
  const graph = new Graph({
    Resources: {
      A: { Type: type, DependsOn: 'B' },
      B: { Type: type, Properties: { x: [{ Ref: 'C' }, { Ref: 'AWS::Region' }] } },
      C: { Type: type, Properties: { x: { 'Fn::GetAtt': ['D', 'Arn'] } } },
      D: { Type: type, Properties: { x: { 'Fn::Sub': 'a-${E}-${!F}-${AWS::Region}' } } },
      E: { Type: type },
      F: { Type: type, DependsOn: ['G'] },
      G: { Type: type, Properties: { x: { 'Fn::Sub': '${F.Arn}' } } },
    },
  });
  expect([...graph.before('A')].sort()).toEqual(['B', 'C', 'D', 'E']);
  expect(graph.cycles()).toEqual(['F', 'G']);
});

const ALL = CHARTS_UNDER_TEST.flatMap((chart) => Object.entries(CLUSTERS_OF_ALL_KINDS).map(([name, make]) => ({ name, make, chart })));

describe.each(ALL)('$chart.name chart on $name', ({ name, make, chart }) => {
  const ownsController = name.includes('controller');
  let graph: Graph;
  let parts: Record<string, string[]>;
  beforeAll(() => {
    graph = graphOf(make, chart);
    parts = partsOf(graph);
  });

  test('all parts exist', () => {
    const missing = Object.keys(parts).filter((part) => parts[part].length === 0);
    expect(missing).toEqual([...hasKeda(chart.name) ? [] : ['KEDA', 'the definition of KEDA'], ...ownsController ? [] : ['the load balancer controller']]);
    expect(parts['the nodes']).toHaveLength(3);
  });

  test('there is no cycle', () => {
    expect(graph.cycles()).toEqual([]);
  });

  test.each([
    ...EDGES,
    // It deletes load balancers, and its webhook refuses Services until it is ready.
    ...ownsController ? ['the ingress', 'the release', 'the broker', 'the database', 'PgBouncer', ...hasKeda(chart.name) ? ['KEDA'] : []]
      .map((part) => [part, 'the load balancer controller']) : [],
  ])('%s is created after %s', (later, earlier) => {
    for (const id of parts[later]) {
      expect([...graph.before(id)]).toEqual(expect.arrayContaining(parts[earlier]));
    }
  });

  test('only the namespace, and all that is in it, wait for nodes', () => {
    // In the stack of the cluster, the CDK lets its load balancer controller wait for all nodes, and KEDA, which has Services, waits for that.
    const ofKeda = ownsController ? [...parts.KEDA, ...parts['the definition of KEDA']] : [];
    const waiting = [HELM, MANIFEST, AWAITED].flatMap((type) => graph.find(type)).filter((id) => !id.includes('AlbController') && !ofKeda.includes(id))
      .filter((id) => parts['the nodes'].some((node) => graph.before(id).has(node)));
    const contents = ['the claims', 'the bound claims', 'the secrets', 'the copies of secrets', 'the database', 'the ready database', 'PgBouncer', 'the ready PgBouncer',
      'the broker', 'the ready broker', 'the release', 'the ready workloads', 'the ingress'].flatMap((part) => parts[part]);
    expect(waiting.sort()).toEqual([...parts['the namespace'], ...contents].sort());
    for (const id of contents) {
      expect([...graph.before(id)]).toEqual(expect.arrayContaining(parts['the namespace']));
    }
  });

  test('a deletion waits for as few resources as possible, one after the other', () => {
    // Without what the CDK creates with the cluster.
    const inCluster = [HELM, MANIFEST, AWAITED].flatMap((type) => graph.find(type)).filter((id) => !/AlbController|AwsAuth/.test(id));
    const afterOne = (id: string): string[] => inCluster.filter((later) => graph.before(later).has(id));
    const steps = (id: string): number => 1 + Math.max(0, ...afterOne(id).map(steps));
    // The ready workloads or the ingress, the release, the bound claims, the claims, the namespace, and the operator, which removes its finalizers.
    expect(Math.max(...inCluster.map(steps))).toBe(6);
  });

  test('nodes wait only for resources that are created quickly', () => {
    const types = parts['the nodes'].flatMap((node) => [...graph.before(node)].filter((id) => id.startsWith('Airflow')).map((id) => graph.typeOf(id)));
    expect([...new Set(types)].sort()).toEqual(['AWS::EC2::LaunchTemplate', 'AWS::EC2::SecurityGroup', 'AWS::IAM::Role']);
  });

  test('the driver and the operator do not depend on an Airflow deployment, so that they outlive it', () => {
    for (const id of [...parts['the driver'], ...parts['the operator'], ...parts['the definitions of the operator']]) {
      expect([...graph.before(id)].filter((before) => before.startsWith('Airflow'))).toEqual([]);
    }
  });
});

test('nodes that already exist: the release is created after their permission to mount', () => {
  const stack = newStack();
  new AirflowOnEks(stack, 'Airflow', {
    cluster: importedCluster(stack),
    nodePools: AirflowNodePools.existing({
      stateless: { labels: { team: 'data' } }, nodeRole: iam.Role.fromRoleArn(stack, 'NodeRole', `arn:aws:iam::${ACCOUNT}:role/nodes`),
    }),
  });
  const graph = new Graph(Template.fromStack(stack).toJSON());
  const [release] = graph.find(HELM, 'AirflowRelease');
  const policies = graph.find('AWS::IAM::Policy', 'AirflowPersistence');
  expect(policies).toHaveLength(1);
  expect([...graph.before(release)]).toEqual(expect.arrayContaining([...policies, ...graph.find('AWS::EC2::SecurityGroupIngress')]));
});

test('nodes that already exist: the namespace is created after the operator, and the claims after the driver', () => {
  const graph = new Graph(synthAirflow((stack) => ({
    nodePools: AirflowNodePools.existing({ stateless: { labels: {} }, nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes') }),
  })).template.toJSON());
  const parts = partsOf(graph);
  expect(graph.cycles()).toEqual([]);
  expect([...graph.before(parts['the namespace'][0])]).toEqual(expect.arrayContaining(parts['the operator']));
  expect([...graph.before(parts['the claims'][0])]).toEqual(expect.arrayContaining([...parts['the namespace'], ...parts['the driver']]));
});

test('an existing operator and driver: the namespace is created after the nodes', () => {
  const graph = new Graph(synthAirflow({
    externalSecrets: ExternalSecretsInstallation.existing(), efsCsiDriver: EfsCsiDriverInstallation.existing(),
  }).template.toJSON());
  const parts = partsOf(graph);
  expect([...parts['the operator'], ...parts['the definitions of the operator'], ...parts['the driver']]).toEqual([]);
  expect([...graph.before(parts['the namespace'][0])]).toEqual(expect.arrayContaining(parts['the nodes']));
});

test('backups of the database: the CronJob is created after the nodes, the secrets and the namespace, whose deletion ends its pods', () => {
  const graph = new Graph(synthAirflow({ database: AirflowDatabase.inCluster({ backup: {} }) }).template.toJSON());
  const parts = partsOf(graph);
  const [backups] = graph.find(MANIFEST, 'AirflowDatabaseBackup');
  expect(graph.cycles()).toEqual([]);
  expect([...graph.before(backups)]).toEqual(expect.arrayContaining(
    [...parts['the namespace'], ...parts['the copies of secrets'], ...parts['the nodes'], ...graph.find('AWS::IAM::Role', 'AirflowDatabaseBackup')]));
});

test('two deployments in one stack: removing one changes nothing of the other, which depends on nothing that is deleted', () => {
  const resourcesWith = (...ids: string[]): Record<string, Json> => {
    const stack = newStack();
    const cluster = importedCluster(stack);
    ids.forEach((id) => new AirflowOnEks(stack, id, { cluster, namespace: id.toLowerCase(), ingress: {} }));
    return Template.fromStack(stack).toJSON().Resources;
  };
  const [before, after] = [resourcesWith('One', 'Two'), resourcesWith('Two')];
  const left = Object.keys(after);
  expect(Object.fromEntries(left.map((id) => [id, before[id]]))).toEqual(after);
  const graph = new Graph({ Resources: before });
  expect(graph.cycles()).toEqual([]);
  const deleted = Object.keys(before).filter((id) => !left.includes(id));
  expect(deleted.filter((id) => !id.startsWith('One'))).toEqual([]);
  expect(left.filter((id) => deleted.some((other) => graph.before(id).has(other)))).toEqual([]);
});

test('an existing file system: the release is created after the access to it', () => {
  const stack = newStack();
  const fileSystem = efs.FileSystem.fromFileSystemAttributes(stack, 'Files', {
    fileSystemId: 'fs-1', securityGroup: ec2.SecurityGroup.fromSecurityGroupId(stack, 'FilesSecurityGroup', 'sg-2'),
  });
  new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack), persistence: { fileSystem } });
  const graph = new Graph(Template.fromStack(stack).toJSON());
  const access = graph.find('AWS::EC2::SecurityGroupIngress', 'FilesSecurityGroup');
  expect(access).toHaveLength(1);
  expect([...graph.before(graph.find(HELM, 'AirflowRelease')[0])]).toEqual(expect.arrayContaining(access));
});

test('in another stack: that of the driver and the operator is deployed first', () => {
  const app = newApp();
  const env = { account: ACCOUNT, region: REGION };
  const platform = new Stack(app, 'Platform', { env });
  const data = new Stack(app, 'Data', { env });
  new AirflowOnEks(data, 'Airflow', { cluster: importedCluster(platform), ingress: {} });
  app.synth();
  expect(data.dependencies).toEqual([platform]);
  expect(platform.dependencies).toEqual([]);
  const graph = new Graph(Template.fromStack(data).toJSON());
  expect(graph.cycles()).toEqual([]);
  const parts = partsOf(graph);
  for (const [later, earlier] of EDGES.filter((edge) => edge.every((part) => parts[part].length > 0))) {
    expect([...graph.before(parts[later][0])]).toEqual(expect.arrayContaining(parts[earlier]));
  }
});
