import { RemovalPolicy } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import { awaitedOf, importedCluster, Json, manifestOf, newStack, objectsOf, releasesOf, synthAirflow } from './util';
import { AirflowDatabase, AirflowLogs, AirflowOnEks, EfsCsiDriverInstallation, PersistenceOptions } from '../src';

const synth = (persistence?: PersistenceOptions) => synthAirflow({ persistence });

test('defaults: encrypted, elastic, backed up, and retained unless its creation fails', () => {
  const { template } = synth();
  template.hasResource('AWS::EFS::FileSystem', {
    Properties: {
      Encrypted: true,
      ThroughputMode: 'elastic',
      BackupPolicy: { Status: 'ENABLED' },
      LifecyclePolicies: [{ TransitionToIA: 'AFTER_14_DAYS' }],
    },
    DeletionPolicy: 'RetainExceptOnCreate',
    UpdateReplacePolicy: 'Retain',
  });
  template.resourceCountIs('AWS::EFS::MountTarget', 2);
  template.hasResourceProperties('AWS::EC2::SecurityGroup', { GroupDescription: 'File system of the Airflow deployment airflow' });
});

test('defaults: NFS from the nodes only', () => {
  const { template, stack, airflow } = synth();
  const ingress = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress'))
    .filter(({ Properties }) => JSON.stringify(Properties.GroupId).includes('Persistence'));
  expect(ingress).toHaveLength(1);
  expect(ingress[0].Properties).toMatchObject({
    FromPort: 2049, ToPort: 2049, IpProtocol: 'tcp', SourceSecurityGroupId: stack.resolve(airflow.connections.securityGroups[0].securityGroupId),
  });
});

test('defaults: only the node role can mount, and only encrypted', () => {
  const { template, stack, airflow } = synth();
  const fileSystemArn = stack.resolve((airflow.fileSystem as efs.FileSystem).fileSystemArn);
  template.hasResourceProperties('AWS::IAM::Policy', {
    Roles: [stack.resolve(airflow.nodePools.role.roleName)],
    PolicyDocument: { Statement: [{ Action: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'], Effect: 'Allow', Resource: fileSystemArn }] },
  });
  const [{ Properties: { FileSystemPolicy } }] = Object.values(template.findResources('AWS::EFS::FileSystem'));
  expect(FileSystemPolicy.Statement.filter(({ Effect }: Json) => Effect === 'Allow')).toEqual([]);
  expect(FileSystemPolicy.Statement).toEqual([expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })]);
});

test('defaults: one access point per purpose', () => {
  const { template } = synth();
  template.resourceCountIs('AWS::EFS::AccessPoint', 2);
  template.hasResourceProperties('AWS::EFS::AccessPoint', {
    PosixUser: { Uid: '50000', Gid: '0' },
    RootDirectory: { Path: '/airflow/logs', CreationInfo: { OwnerUid: '50000', OwnerGid: '0', Permissions: '0775' } },
  });
  template.hasResourceProperties('AWS::EFS::AccessPoint', {
    PosixUser: { Uid: '1001', Gid: '1001' },
    RootDirectory: { Path: '/airflow/data', CreationInfo: { OwnerUid: '1001', OwnerGid: '1001', Permissions: '0700' } },
  });
});

test('defaults: claims and volumes are bound by name', () => {
  const { template, airflow } = synth();
  const byName = (kind: string): Record<string, Json> =>
    Object.fromEntries(objectsOf(template, kind).map((object) => [object.metadata.name, object]));
  const [claims, volumes] = [byName('PersistentVolumeClaim'), byName('PersistentVolume')];
  const { logsClaimName, databaseClaimName, storageClassName } = airflow.persistence!;
  expect([logsClaimName, databaseClaimName, storageClassName]).toEqual(['airflow-logs', 'data-airflow-postgresql', 'airflow-efs']);
  expect(Object.keys(claims)).toEqual([logsClaimName, databaseClaimName!]);
  for (const [name, { metadata, spec }] of Object.entries(claims)) {
    expect(metadata.namespace).toBe('airflow');
    expect(spec).toMatchObject({ volumeName: name, storageClassName: '', accessModes: ['ReadWriteMany'] });
    expect(volumes[name].spec).toMatchObject({
      claimRef: { namespace: 'airflow', name }, storageClassName: '', mountOptions: ['tls', 'iam'], persistentVolumeReclaimPolicy: 'Retain',
    });
    expect(volumes[name].spec.csi.volumeHandle).toMatch(/^<AirflowPersistenceFileSystem\w+>::<AirflowPersistence(Logs|Database)AccessPoint\w+>$/);
  }
  expect([claims[logsClaimName!], claims[databaseClaimName!]].map(({ spec }) => spec.resources.requests.storage)).toEqual(['1Gi', '8Gi']);
  expect(objectsOf(template, 'StorageClass')).toEqual([expect.objectContaining({
    provisioner: 'efs.csi.aws.com', reclaimPolicy: 'Retain', parameters: expect.objectContaining({ provisioningMode: 'efs-ap', uid: '50000', gid: '0' }),
  })]);
});

// A claim is deleted only when no pod uses it, so that the namespace, which is deleted after it, has no running pods.
test('defaults: a manifest of its own for the claims, which a retry overwrites', () => {
  expect(manifestOf(synth().template, 'AirflowPersistence')).toEqual({
    objects: [
      'StorageClass/airflow-efs',
      'PersistentVolume/airflow-logs', 'PersistentVolumeClaim/airflow-logs',
      'PersistentVolume/data-airflow-postgresql', 'PersistentVolumeClaim/data-airflow-postgresql',
    ],
    overwrite: true,
  });
});

test('defaults: waits until both claims are bound, because the scheduler would look at their pods again only after minutes', () => {
  const { stack, template } = synthAirflow();
  const awaited = awaitedOf(stack);
  for (const [id, name] of [['LogsClaimBound', 'airflow-logs'], ['DatabaseClaimBound', 'data-airflow-postgresql']]) {
    expect(awaited[`Airflow/Persistence/${id}`]).toMatchObject({
      ObjectType: 'persistentvolumeclaim', ObjectName: name, ObjectNamespace: 'airflow', JsonPath: '.status.capacity.storage', TimeoutSeconds: 120,
    });
  }
  const dependencies: string[][] = Object.values(template.findResources('Custom::AWSCDK-EKS-HelmChart', { Properties: { Release: 'airflow' } })).map(({ DependsOn }) => DependsOn);
  expect(dependencies[0].filter((id) => /ClaimBound/.test(id))).toHaveLength(2);
});

test('custom', () => {
  const { template } = synth({
    removalPolicy: RemovalPolicy.DESTROY,
    lifecyclePolicy: efs.LifecyclePolicy.AFTER_90_DAYS,
    throughputMode: efs.ThroughputMode.BURSTING,
    automaticBackups: false,
  });
  template.hasResource('AWS::EFS::FileSystem', {
    Properties: { ThroughputMode: 'bursting', LifecyclePolicies: [{ TransitionToIA: 'AFTER_90_DAYS' }], BackupPolicy: Match.absent() },
    DeletionPolicy: 'Delete',
  });
});

test("custom: the user's own file system", () => {
  const { template, airflow, stack } = synthAirflow((scope) => ({
    persistence: {
      fileSystem: efs.FileSystem.fromFileSystemAttributes(scope, 'Files', {
        fileSystemId: 'fs-1', securityGroup: ec2.SecurityGroup.fromSecurityGroupId(scope, 'FilesSecurityGroup', 'sg-2'),
      }),
    },
  }));
  template.resourceCountIs('AWS::EFS::FileSystem', 0);
  template.resourceCountIs('AWS::EFS::AccessPoint', 2);
  template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
    GroupId: 'sg-2', FromPort: 2049, SourceSecurityGroupId: stack.resolve(airflow.connections.securityGroups[0].securityGroupId),
  });
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: [Match.objectLike({ Action: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'] })] },
  });
  expect(objectsOf(template, 'PersistentVolume').map(({ spec }) => spec.csi.volumeHandle)).toEqual([expect.stringMatching(/^fs-1::</), expect.stringMatching(/^fs-1::</)]);
});

test('the feature flag for anonymous access does not change the defaults', () => {
  const policies = [true, false].map((flag) => {
    const stack = newStack({ '@aws-cdk/aws-efs:denyAnonymousAccess': flag });
    new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack) });
    return Object.values(Template.fromStack(stack).findResources('AWS::EFS::FileSystem'))[0].Properties.FileSystemPolicy;
  });
  expect(policies[0]).toEqual(policies[1]);
});

test('the names and paths of two deployments differ', () => {
  const { airflow: { persistence }, template } = synthAirflow({ namespace: 'data' });
  expect([persistence!.logsClaimName, persistence!.databaseClaimName, persistence!.storageClassName]).toEqual(['data-logs', 'data-data-postgresql', 'data-efs']);
  const paths = Object.values(template.findResources('AWS::EFS::AccessPoint')).map(({ Properties }) => Properties.RootDirectory.Path);
  expect(paths.sort()).toEqual(['/data/data', '/data/logs']);
  expect(objectsOf(template, 'StorageClass')[0].parameters.basePath).toBe('/data/volumes');
});

describe('without logs and database on a file system', () => {
  const managed = { database: AirflowDatabase.aurora(), logs: AirflowLogs.inBucket() };

  test('defaults: no file system, and no driver for it', () => {
    const { airflow, template } = synthAirflow(managed);
    template.resourceCountIs('AWS::EFS::FileSystem', 0);
    expect(objectsOf(template).filter(({ kind }) => kind.startsWith('PersistentVolume') || kind === 'StorageClass')).toEqual([]);
    expect(releasesOf(template).map(({ chart }) => chart)).not.toContain('aws-efs-csi-driver');
    expect([airflow.persistence, airflow.fileSystem]).toEqual([undefined, undefined]);
  });

  test('custom: a file system for the volumes of DAGs', () => {
    const { airflow, template } = synthAirflow({ ...managed, persistence: {} });
    template.resourceCountIs('AWS::EFS::FileSystem', 1);
    template.resourceCountIs('AWS::EFS::AccessPoint', 0);
    expect(objectsOf(template, 'StorageClass').map(({ metadata }) => metadata.name)).toEqual(['airflow-efs']);
    expect(releasesOf(template).map(({ chart }) => chart)).toContain('aws-efs-csi-driver');
    expect(airflow.fileSystem).toBe(airflow.persistence!.fileSystem);
  });

  test('fails when the driver is to be installed for nothing', () => {
    expect(() => synthAirflow({ ...managed, efsCsiDriver: EfsCsiDriverInstallation.onAllNodes() })).toThrow("Data/Airflow: 'efsCsiDriver' has no effect,"
      + " because neither the logs nor the database are on a file system; remove it, or set 'persistence'");
  });
});
