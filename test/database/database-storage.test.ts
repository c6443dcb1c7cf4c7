import { Size } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AirflowDatabase, AirflowLogs, AirflowNodePools, DatabaseStorageOptions } from '../../src';
import { manifestOf, objectsOf, synthAirflow, synthCommunity } from '../util';

const synthWith = (storage: DatabaseStorageOptions, props = {}) => synthAirflow({ database: AirflowDatabase.inCluster({ storage }), ...props });

type Template = ReturnType<typeof synthWith>['template'];
const claimOf = (template: Template) => objectsOf(template, 'PersistentVolumeClaim').find(({ metadata }) => metadata.name.includes('postgresql'))!;
const classOf = (template: Template) => objectsOf(template, 'StorageClass').find(({ metadata }) => metadata.name === 'airflow-database');
const podOf = (template: Template) => objectsOf(template, 'StatefulSet').find(({ metadata }) => metadata.name === 'airflow-postgresql')!.spec.template.spec;

test('defaults: no volume but that on the file system', () => {
  const { template } = synthAirflow();
  expect(claimOf(template).spec.storageClassName).toBe('');
  expect(classOf(template)).toBeUndefined();
});

test('defaults of a volume: encrypted, retained, expandable, and in the zone of its first pod', () => {
  const { template } = synthWith({});
  expect(manifestOf(template, 'AirflowDatabaseManifest').objects.slice(0, 2)).toEqual(['StorageClass/airflow-database', 'PersistentVolumeClaim/data-airflow-postgresql-0']);
  expect(classOf(template)).toMatchObject({
    provisioner: 'ebs.csi.aws.com', parameters: { type: 'gp3', encrypted: 'true' }, reclaimPolicy: 'Retain', allowVolumeExpansion: true, volumeBindingMode: 'WaitForFirstConsumer',
  });
  expect(claimOf(template).spec).toEqual({ accessModes: ['ReadWriteOnce'], storageClassName: 'airflow-database', resources: { requests: { storage: '20Gi' } } });
});

test('defaults of a volume: the user of the database can write to it, with settings for a disk', () => {
  const { securityContext, volumes, containers: [{ command }] } = podOf(synthWith({}).template);
  expect(securityContext).toMatchObject({ runAsUser: 1001, fsGroup: 1001, fsGroupChangePolicy: 'OnRootMismatch' });
  expect(volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: 'data-airflow-postgresql-0' } });
  expect(command.join()).not.toMatch(/wal_init_zero|wal_compression|checkpoint_timeout/);
  expect(podOf(synthAirflow().template).containers[0].command).toEqual(expect.arrayContaining(['wal_init_zero=off', 'wal_compression=on', 'checkpoint_timeout=15min']));
});

test('defaults of a volume: the warning is of its zone, not of a network file system', () => {
  const { stack } = synthWith({});
  const annotations = Annotations.fromStack(stack);
  annotations.hasWarning('/Data/Airflow/Database', Match.stringLikeRegexp('only to nodes in the Availability Zone of its volume.*airflow-on-eks:inClusterDatabase'));
  annotations.hasNoWarning('/Data/Airflow/Database', Match.stringLikeRegexp('network file system'));
});

test('custom: with the logs on the file system, that has no claim of the database', () => {
  const { airflow, template } = synthWith({});
  expect([airflow.persistence!.databaseAccessPoint, airflow.persistence!.databaseClaimName]).toEqual([undefined, undefined]);
  template.resourceCountIs('AWS::EFS::AccessPoint', 1);
});

test.each([['synthAirflow', synthAirflow], ['synthCommunity', synthCommunity]])('custom: with the logs in a bucket, there is no file system and no driver: %s', (_name, synth) => {
  const { airflow, template } = synth({ database: AirflowDatabase.inCluster({ storage: {} }), logs: AirflowLogs.inBucket() });
  expect([airflow.persistence, airflow.fileSystem]).toEqual([undefined, undefined]);
  expect(JSON.stringify(template.toJSON())).not.toMatch(/AWS::EFS|aws-efs-csi-driver/);
});

test('custom: in EKS Auto Mode, its own driver', () => {
  expect(classOf(synthWith({}, { nodePools: AirflowNodePools.autoMode() }).template)!.provisioner).toBe('ebs.csi.eks.amazonaws.com');
});

test('custom: a size and a storage class', () => {
  const { template } = synthWith({ size: Size.gibibytes(100), storageClassName: 'gp3-encrypted' });
  expect(claimOf(template).spec).toMatchObject({ storageClassName: 'gp3-encrypted', resources: { requests: { storage: '100Gi' } } });
  expect(classOf(template)).toBeUndefined();
});

test.each<[string, DatabaseStorageOptions, string]>([
  ['the size is not in whole GiB', { size: Size.mebibytes(1536) }, "'database.storage.size' must be a whole number of GiB of at least 1, got 1.5 GiB"],
  ['the size is a number', { size: 20 as any }, "'database.storage.size' must be a Size such as Size.gibibytes(20), got 20"],
  ['the name of the storage class is not one', { storageClassName: 'GP3' }, "'database.storage.storageClassName' must be the name of a storage class, got 'GP3'"],
])('fails when %s', (_name, storage, message) => {
  expect(() => synthWith(storage)).toThrow(new Error(`Data/Airflow: ${message}`));
});
