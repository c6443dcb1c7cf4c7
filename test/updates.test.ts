import { readFileSync } from 'fs';
import { fullDiff } from '@aws-cdk/cloudformation-diff';
import { RemovalPolicy, Size, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as eks from 'aws-cdk-lib/aws-eks';
import { Construct } from 'constructs';
import { importedCluster, Json, newStack, objectsOf, Props, resourcesOf } from './util';
import { AirflowChart, AirflowDatabase, AirflowNodePools, AirflowOnEks, DatabaseStorageOptions, ApiServerAutoscaling, NodePoolOptions } from '../src';

/**
 * The fields that Kubernetes refuses to change.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/apis/core/validation/validation.go ValidatePersistentVolumeUpdate, ValidatePersistentVolumeClaimUpdate
 * @see https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/apis/storage/validation/validation.go ValidateStorageClassUpdate
 */
const IMMUTABLE: Record<string, (object: Json) => Json> = {
  StorageClass: ({ provisioner, parameters, reclaimPolicy, volumeBindingMode }) => ({ provisioner, parameters, reclaimPolicy, volumeBindingMode }),
  PersistentVolume: ({ spec: { csi, volumeMode, nodeAffinity } }) => ({ csi, volumeMode, nodeAffinity }),
  PersistentVolumeClaim: ({ spec: { resources, volumeAttributesClassName, ...spec } }) => spec,
};

function synth(props: Props, tags: Record<string, string> = {}): Json {
  const stack = newStack();
  Object.entries(tags).forEach(([key, value]) => Tags.of(stack).add(key, value));
  new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack), ...typeof props === 'function' ? props(stack) : props });
  return Template.fromStack(stack).toJSON();
}

const VERBS: Record<string, string> = {
  WILL_UPDATE: 'updates', WILL_CREATE: 'creates', WILL_REPLACE: 'replaces', MAY_REPLACE: 'may replace', WILL_DESTROY: 'deletes', WILL_ORPHAN: 'retains',
};

const nameOf = (id: string) => id.replace(/^Airflow|[0-9A-F]{8}$/g, '');

/** The logical IDs of resources, each with what CloudFormation does to it. The library knows nothing of custom resources, which are updated. */
function impactsOf(before: Json, after: Json): Record<string, string> {
  const { changes } = fullDiff(before, after).resources;
  const impacts = Object.entries<Json>(changes).filter(([, change]) => change.isDifferent).map(([id, { changeImpact }]) => [id, VERBS[changeImpact] ?? 'updates']);
  return Object.fromEntries(impacts);
}

/** What changes node groups through their launch templates, whose newest version they have. */
function newVersions(before: Json, after: Json, impacts: Record<string, string>): string[] {
  const replaced = Object.keys(impacts).filter((id) => impacts[id] === 'replaces');
  const groups = Object.entries<Json>(after.Resources).filter(([id, { Type }]) => Type === 'AWS::EKS::Nodegroup' && id in before.Resources);
  return groups.flatMap(([id, { Properties }]) => {
    const template: string = Properties.LaunchTemplate.Id.Ref;
    const data = JSON.stringify(after.Resources[template]);
    if (!impacts[template] && !replaced.some((other) => data.includes(`"${other}"`))) {
      return [];
    }
    // EKS refuses a new version together with any other change: https://github.com/aws/containers-roadmap/issues/1258
    return impacts[id] === undefined ? [`replaces the nodes of ${nameOf(id)}`] : impacts[id] === 'updates' ? [`fails at ${nameOf(id)}`] : [];
  });
}

/** The objects whose change Kubernetes refuses. */
function refusals(before: Json, after: Json): string[] {
  return Object.entries(IMMUTABLE).flatMap(([kind, fieldsOf]) => objectsOf(before, kind).filter((old) => {
    const found = objectsOf(after, kind).find(({ metadata }) => metadata.name === old.metadata.name);
    return found && JSON.stringify(fieldsOf(found)) !== JSON.stringify(fieldsOf(old));
  }).map(({ metadata }) => `fails at ${kind}/${metadata.name}`));
}

function changesOf(before: Json, after: Json): string[] {
  const impacts = impactsOf(before, after);
  return [
    ...Object.entries(impacts).map(([id, verb]) => `${verb} ${nameOf(id)}`), ...newVersions(before, after, impacts), ...refusals(before, after),
  ].sort();
}

const workers = (pool: NodePoolOptions) => ({ nodePools: AirflowNodePools.managedNodeGroups({ workers: pool }) });
const onVolume = (storage: DatabaseStorageOptions) => ({ database: AirflowDatabase.inCluster({ storage }) });
const importedFiles = (scope: Construct) => efs.FileSystem.fromFileSystemAttributes(scope, 'Files', {
  fileSystemId: 'fs-9', securityGroup: ec2.SecurityGroup.fromSecurityGroupId(scope, 'FilesSecurityGroup', 'sg-9'),
});
const NEW_VERSION = ['replaces the nodes of NodePoolsWorkers', 'updates NodePoolsWorkersLaunchTemplate'];
const READY = ['ApiServer', 'DagProcessor', 'Flower', 'Scheduler', 'Triggerer', 'Workers'];
const RELEASE = [...READY.map((part) => `updates Ready${part}`), 'updates Release'];

/** The props that change, and what then happens, by the first cell of a row in the README. */
const ROWS: Record<string, { before?: Props; after: Props; tags?: Record<string, string>; changes: string[] | { fails: string } }[]> = {
  '`instanceTypes`, `capacityType`, `amiType`, `subnets` of a pool': [
    { after: workers({ instanceTypes: [new ec2.InstanceType('m7a.2xlarge')] }), changes: ['replaces NodePoolsWorkers'] },
    { after: workers({ subnets: { subnetFilters: [ec2.SubnetFilter.byIds(['subnet-2'])] } }), changes: ['replaces NodePoolsWorkers'] },
    { after: workers({ amiType: eks.NodegroupAmiType.BOTTLEROCKET_X86_64 }), changes: ['replaces NodePoolsWorkers', 'updates NodePoolsWorkersLaunchTemplate'] },
    { after: workers({ capacityType: eks.CapacityType.ON_DEMAND }), changes: ['replaces NodePoolsWorkers', ...RELEASE] },
  ],
  '`diskSize`, `tags` of a pool': [
    { after: workers({ diskSize: Size.gibibytes(100) }), changes: NEW_VERSION },
    { after: workers({ tags: { CostCenter: '42' } }), changes: NEW_VERSION },
  ],
  '`minSize`, `maxSize` of a pool': [{ after: workers({ minSize: 2, maxSize: 8 }), changes: ['updates NodePoolsWorkers'] }],
  '`labels` of a pool': [{ after: workers({ labels: { team: 'data' } }), changes: ['updates NodePoolsWorkers'] }],
  '`diskSize` or `tags`, together with `minSize`, `maxSize` or `labels` of the same pool, or with tags of the stack': [
    { after: workers({ diskSize: Size.gibibytes(100), maxSize: 8 }), changes: ['fails at NodePoolsWorkers', 'updates NodePoolsWorkers', 'updates NodePoolsWorkersLaunchTemplate'] },
  ],
  'tags of the stack': [{
    after: {},
    tags: { CostCenter: '42' },
    changes: [
      'ClusterAirflowEfsCsiDriverRole', 'NodePoolsDatabase', 'NodePoolsRole', 'NodePoolsSecurityGroup', 'NodePoolsStateless', 'NodePoolsWorkers',
      'PersistenceDatabaseAccessPoint', 'PersistenceFileSystem', 'PersistenceLogsAccessPoint', 'PersistenceSecurityGroup', 'Role', 'SecretsApiSecretKey',
      'SecretsBrokerPassword', 'SecretsDatabasePassword', 'SecretsFernetKey', 'SecretsFlowerPassword', 'SecretsJwtSecret', 'SecretsPasswordadmin', 'SecretsRole',
    ].map((name) => `updates ${name}`),
  }],
  '`replicas`, `cpu`, `memory`, `config`, `environment`, `airflowVersion`': [
    { after: { scheduler: { cpu: '1', memory: '2Gi' } }, changes: RELEASE },
    { after: { scheduler: { replicas: 3 } }, changes: ['updates PgBouncerManifest', 'updates PgBouncerReady', ...RELEASE] }, // a larger pool
    { after: { config: { 'core.parallelism': '64' }, environment: { STAGE: 'dev' } }, changes: RELEASE },
    { after: { chart: AirflowChart.official({ airflowVersion: '3.2.2' }) }, changes: RELEASE },
  ],
  '`workers.groups`, the first one is added or the last one removed': [{
    after: { workers: { groups: [{ name: 'reports' }] } },
    changes: ['creates ReadyWorkersreports', 'updates PgBouncerManifest', 'updates PgBouncerReady', ...RELEASE].sort(),
  }],
  '`autoscaling` is added': [{ after: { apiServer: { autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 2 }) } }, changes: RELEASE }],
  '`ingress`': [{ after: { ingress: {} }, changes: ['creates IngressManifest', ...RELEASE] }],
  '`removalPolicy`, `lifecyclePolicy`, `throughputMode`, `automaticBackups` of `persistence`': [
    { removalPolicy: RemovalPolicy.DESTROY },
    { lifecyclePolicy: efs.LifecyclePolicy.AFTER_30_DAYS, throughputMode: efs.ThroughputMode.BURSTING, automaticBackups: false },
  ].map((persistence) => ({ after: { persistence }, changes: ['updates PersistenceFileSystem'] })),
  '`persistence.fileSystem`': [{
    after: (stack) => ({ persistence: { fileSystem: importedFiles(stack) } }),
    changes: {
      fails: 'PersistentVolume/airflow-logs, PersistentVolume/data-airflow-postgresql, StorageClass/airflow-efs',
    },
  }],
  '`storage.size` of the in-cluster database': [{
    before: onVolume({}), after: onVolume({ size: Size.gibibytes(100) }), changes: ['updates DatabaseManifest', 'updates DatabaseReady'],
  }],
  '`storage` of the in-cluster database, added or removed': [{
    after: onVolume({}),
    changes: [
      'deletes PersistenceDatabaseAccessPoint', 'deletes PersistenceDatabaseClaimBound', 'updates DatabaseManifest', 'updates DatabaseReady', 'updates PersistenceManifest',
      'updates PgBouncerManifest', 'updates Release', // only what they wait for
    ],
  }],
  '`namespace`': [{ after: { namespace: 'data' }, changes: { fails: 'NodePoolsDatabase, NodePoolsStateless, NodePoolsWorkers' } }],
};

jest.setTimeout(120_000);

describe.each(Object.entries(ROWS))('%s', (_name, cases) => {
  test.each(cases)('case %#', ({ before = {}, after, tags, changes }) => {
    const found = changesOf(synth(before), synth(after, tags));
    const failed = found.filter((change) => change.startsWith('fails at ')).map((change) => change.replace('fails at ', '')).join(', ');
    expect('fails' in changes ? { fails: failed } : found).toEqual(changes);
  });
});

// EKS needs it to create a node group, and leaves the number of nodes alone without it.
test('the number of nodes can be left to an autoscaler', () => {
  const stack = newStack();
  const { nodePools } = new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack) });
  (nodePools.workers!.node.defaultChild as eks.CfnNodegroup).addPropertyDeletionOverride('ScalingConfig.DesiredSize');
  const after = Template.fromStack(stack).toJSON();
  expect(changesOf(synth({}), after)).toEqual(['updates NodePoolsWorkers']);
  const [workersGroup] = resourcesOf(after, 'AWS::EKS::Nodegroup').filter(({ Labels }) => Labels.type === 'af-stateful');
  expect(workersGroup.ScalingConfig).toEqual({ MinSize: 1, MaxSize: 3 });
});

test('each row is in the table of the README', () => {
  const [, section] = readFileSync('README.md', 'utf8').split('### What you may change later\n');
  const rows = section.split('\n#')[0].split('\n').filter((line) => line.startsWith('| ')).slice(1).map((line) => line.split(' | ')[0].replace(/^\| /, ''));
  expect(rows).toEqual(Object.keys(ROWS));
});
