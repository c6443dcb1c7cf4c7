import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AirflowDatabase, AirflowOnEks, AirflowSecret, DatabaseBackupOptions } from '../../src';
import { poolsOf } from '../matrix';
import { ACCOUNT, importedCluster, Json, manifestOf, newApp, objectsOf, REGION, resourcesOf, synthAirflow, synthCommunity } from '../util';

const synthWith = (backup?: DatabaseBackupOptions) => synthAirflow({ database: AirflowDatabase.inCluster({ backup }) });

const cronJobOf = (template: Template): Json => objectsOf(template, 'CronJob').find(({ metadata }) => metadata.name === 'airflow-database-backup')!;
const podOf = (template: Template): Json => cronJobOf(template).spec.jobTemplate.spec.template.spec;

const roleOf = (template: Template): Json => resourcesOf(template, 'AWS::IAM::Role').find(({ Description }) => /^Backup of the database/.test(Description))!;
const statementsOf = (template: Template): Json[] => roleOf(template).Policies.flatMap(({ PolicyDocument }: Json) => PolicyDocument.Statement);

test('defaults: no backups', () => {
  const { airflow, template } = synthAirflow();
  expect(airflow.database.backupBucket).toBeUndefined();
  expect(cronJobOf(template)).toBeUndefined();
  template.resourceCountIs('AWS::S3::Bucket', 0);
});

test('defaults: each night, one at a time, with attempts that end', () => {
  const { template } = synthWith({});
  expect(manifestOf(template, 'AirflowDatabaseBackupManifest')).toEqual({
    objects: ['ServiceAccount/airflow-database-backup', 'CronJob/airflow-database-backup'], overwrite: true,
  });
  const { jobTemplate, ...spec } = cronJobOf(template).spec;
  expect(spec).toEqual({
    schedule: '0 3 * * *',
    timeZone: 'Etc/UTC',
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: 3600,
    successfulJobsHistoryLimit: 1,
    failedJobsHistoryLimit: 3,
  });
  expect(jobTemplate.spec).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 21600 });
});

test('defaults: the whole dump is on the disk before the upload begins', () => {
  const { airflow, stack, template } = synthWith({});
  const [bucket] = Object.keys(template.findResources('AWS::S3::Bucket'));
  expect(stack.resolve(airflow.database.backupBucket!.bucketName)).toEqual({ Ref: bucket });
  const { initContainers: [dump, ...others], containers: [upload], volumes, restartPolicy } = podOf(template);
  expect([others, restartPolicy]).toEqual([[], 'Never']);
  expect(dump.command[2]).toBe('pg_dump --no-password --format=custom --file="/backup/$(date -u +%Y-%m-%dT%H-%M-%SZ).dump"');
  expect(dump.env).toEqual([
    { name: 'PGHOST', value: 'airflow-postgresql.airflow' },
    { name: 'PGPORT', value: '5432' },
    { name: 'PGUSER', value: 'postgres' },
    { name: 'PGDATABASE', value: 'airflow' },
    { name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'airflow-secret', key: 'postgresql-password' } } },
  ]);
  expect(upload.command).toEqual(['aws', 's3', 'cp', '--recursive', '--only-show-errors', '/backup', `s3://<${bucket}>/airflow-database/`]);
  expect(volumes).toContainEqual({ name: 'backup', emptyDir: { sizeLimit: '5Gi' } });
  expect(dump.resources.requests['ephemeral-storage']).toBe('5Gi');
  expect(objectsOf(template, 'StatefulSet').find(({ metadata }) => metadata.name === 'airflow-postgresql')!.spec.template.spec.containers[0].image).toBe(dump.image);
  expect(upload.image).toMatch(/^public\.ecr\.aws\/aws-cli\/aws-cli:2\.\d+\.\d+$/);
});

test('defaults: on the nodes of the database, confined, and an error is the message of the pod', () => {
  const pod = podOf(synthWith({}).template);
  expect(pod).toMatchObject({
    nodeSelector: poolsOf('airflow').database.labels,
    automountServiceAccountToken: false,
    serviceAccountName: 'airflow-database-backup',
    securityContext: { runAsUser: 1001, runAsNonRoot: true, fsGroup: 1001 },
  });
  for (const container of [...pod.initContainers, ...pod.containers]) {
    expect(container).toMatchObject({
      terminationMessagePolicy: 'FallbackToLogsOnError',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true },
    });
  }
});

test('defaults: a private bucket, retained, to which a role of its own may only write', () => {
  const { template } = synthWith({});
  const [[id, bucket]] = Object.entries<Json>(template.findResources('AWS::S3::Bucket'));
  expect(bucket.Properties).toMatchObject({
    BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
    PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
    LifecycleConfiguration: { Rules: [{ ExpirationInDays: 30, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' }] },
  });
  expect([bucket.DeletionPolicy, bucket.UpdateReplacePolicy]).toEqual(['RetainExceptOnCreate', 'Retain']);
  expect(statementsOf(template)).toEqual([{
    Sid: 'Backups',
    Effect: 'Allow',
    Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
    Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [id, 'Arn'] }, '/airflow-database/*']] },
  }]);
  expect(JSON.stringify(roleOf(template).AssumeRolePolicyDocument)).toContain('system:serviceaccount:airflow:airflow-database-backup');
  const role = Object.entries<Json>(template.findResources('AWS::IAM::Role')).find(([, { Properties }]) => /^Backup/.test(Properties.Description))![0];
  const account = objectsOf(template, 'ServiceAccount').find(({ metadata }) => metadata.name === 'airflow-database-backup')!;
  expect(account.metadata.annotations).toEqual({ 'eks.amazonaws.com/role-arn': `<${role}.Arn>` });
});

test('custom: a schedule, a prefix, a retention and a size, and a bucket that is deleted with the stack', () => {
  const { template } = synthWith({
    schedule: '*/30 6-18 * * 1-5', prefix: 'backups/data', retention: Duration.days(365), removalPolicy: RemovalPolicy.DESTROY, maxSize: Size.gibibytes(50),
  });
  expect(cronJobOf(template).spec.schedule).toBe('*/30 6-18 * * 1-5');
  expect(podOf(template).containers[0].command.pop()).toMatch(/^s3:\/\/<AirflowDatabaseBackupBucket\w+>\/backups\/data\/$/);
  expect(podOf(template).volumes).toContainEqual({ name: 'backup', emptyDir: { sizeLimit: '50Gi' } });
  expect(resourcesOf(template, 'AWS::S3::Bucket')[0].LifecycleConfiguration.Rules[0].ExpirationInDays).toBe(365);
  template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  template.resourceCountIs('Custom::S3AutoDeleteObjects', 1);
});

test('custom: an existing bucket of another Region with a key, which is not changed', () => {
  const stack = new Stack();
  const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:123456789012:key/1');
  const bucket = s3.Bucket.fromBucketAttributes(stack, 'Bucket', { bucketName: 'backups', region: 'eu-west-1', encryptionKey });
  const { airflow, template } = synthWith({ bucket });
  expect(airflow.database.backupBucket).toBe(bucket);
  template.resourceCountIs('AWS::S3::Bucket', 0);
  expect(podOf(template).containers[0].command.pop()).toBe('s3://backups/airflow-database/');
  expect(statementsOf(template)).toContainEqual({
    Sid: 'EncryptBackups',
    Effect: 'Allow',
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Resource: 'arn:aws:kms:eu-west-1:123456789012:key/1',
    Condition: { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } },
  });
});

test('custom: a bucket that another stack creates, which does not depend on that of the deployment', () => {
  const app = newApp();
  const [other, data] = ['Other', 'Data'].map((id) => new Stack(app, id, { env: { account: ACCOUNT, region: REGION } }));
  const bucket = new s3.Bucket(other, 'Bucket', { encryptionKey: new kms.Key(other, 'Key') });
  new AirflowOnEks(data, 'Airflow', { cluster: importedCluster(data), database: AirflowDatabase.inCluster({ backup: { bucket } }) });
  app.synth();
  expect([data.dependencies, other.dependencies]).toEqual([[other], []]);
});

test('custom: a password in a Kubernetes Secret', () => {
  const { template } = synthCommunity({
    database: AirflowDatabase.inCluster({ backup: {} }), secrets: { databasePassword: AirflowSecret.fromKubernetesSecret('mine', 'pw') },
  });
  expect(podOf(template).initContainers[0].env).toContainEqual({ name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'mine', key: 'pw' } } });
});

const bucket = () => s3.Bucket.fromBucketName(new Stack(), 'Bucket', 'backups');

test.each<[string, () => DatabaseBackupOptions, string]>([
  ['the schedule has four fields', () => ({ schedule: '0 3 * *' }), "'database.backup.schedule' must be a cron expression of five fields, such as '0 3 * * *', got '0 3 * *'"],
  ['the prefix begins with a slash', () => ({ prefix: '/backups' }), "'database.backup.prefix' must be a prefix of keys without a leading or trailing /, got '/backups'"],
  ['the retention is not in whole days', () => ({ retention: Duration.hours(12) }), "'database.backup.retention' must be a whole number of days, at least 1, got 0.5 days"],
  ['the maximum size is less than a GiB', () => ({ maxSize: Size.mebibytes(512) }), "'database.backup.maxSize' must be a whole number of GiB of at least 1, got 0.5 GiB"],
  ['an existing bucket has a retention', () => ({ bucket: bucket(), retention: Duration.days(7) }),
    "'database.backup.retention' has no effect together with 'database.backup.bucket', which already exists; set it where you create the bucket"],
  ['an existing bucket has a removal policy', () => ({ bucket: bucket(), removalPolicy: RemovalPolicy.DESTROY }),
    "'database.backup.removalPolicy' has no effect together with 'database.backup.bucket', which already exists; set it where you create the bucket"],
])('fails when %s', (_name, options, message) => {
  expect(() => synthWith(options())).toThrow(new Error(`Data/Airflow/Database/Backup: ${message}`));
});
