import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AirflowLogs, AirflowOnEks, BucketLogsOptions } from '../../src';
import { environmentOf } from '../chart/official/util';
import { ACCOUNT, importedCluster, Json, newApp, objectsOf, REGION, resourcesOf, synthAirflow, synthCommunity, valuesOf } from '../util';

const inBucket = (options?: BucketLogsOptions) => synthAirflow({ logs: AirflowLogs.inBucket(options) });

const CONFIG = {
  AIRFLOW__LOGGING__REMOTE_LOGGING: 'True',
  AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID: '',
  AIRFLOW__LOGGING__DELETE_LOCAL_LOGS: 'True',
  AIRFLOW__CORE__HOSTNAME_CALLABLE: 'airflow.utils.net.get_host_ip_address',
};

/** The statements of the role of Airflow's pods. */
function statementsOf(template: Parameters<typeof resourcesOf>[0]): Json[] {
  const role = resourcesOf(template, 'AWS::IAM::Role').find(({ Description }) => /^Pods and DAGs/.test(Description))!;
  return (role.Policies ?? []).flatMap(({ PolicyDocument }: Json) => PolicyDocument.Statement);
}

test('defaults: on the file system, kept for as long as the records of the database', () => {
  const { airflow, template } = synthAirflow();
  expect(airflow.logs.bucket).toBeUndefined();
  expect(valuesOf(template)).toMatchObject({
    logs: { persistence: { enabled: true, existingClaim: 'airflow-logs' } }, dagProcessor: { logGroomerSidecar: { enabled: true, retentionDays: 90 } },
  });
  expect(statementsOf(template)).toEqual([]);
  const [cleanup] = valuesOf(synthCommunity().template).extraManifests;
  expect(cleanup).toContain('-log-cleanup');
  expect(cleanup).toContain('-mtime +90 -delete');
});

test('defaults: a bucket that is encrypted, private, and admits only TLS, retained', () => {
  const { airflow, stack, template } = inBucket();
  const [[id, bucket]] = Object.entries<Json>(template.findResources('AWS::S3::Bucket'));
  expect(stack.resolve(airflow.logs.bucket!.bucketName)).toEqual({ Ref: id });
  expect(bucket.Properties).toMatchObject({
    BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
    PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
    LifecycleConfiguration: { Rules: [{ ExpirationInDays: 90, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' }] },
  });
  expect([bucket.DeletionPolicy, bucket.UpdateReplacePolicy]).toEqual(['RetainExceptOnCreate', 'Retain']);
  expect(resourcesOf(template, 'AWS::S3::BucketPolicy')[0].PolicyDocument.Statement).toEqual([
    expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
  ]);
  expect(statementsOf(template).map(({ Action, Resource }) => [Action, JSON.stringify(stack.resolve(Resource))])).toEqual([
    [['s3:GetObject', 's3:PutObject'], expect.stringContaining('/airflow/*')], ['s3:ListBucket', expect.stringContaining(id)],
  ]);
});

test('in a bucket: all pods of the official chart write to it, and have no log volume', () => {
  const { airflow, template } = inBucket();
  const values = valuesOf(template);
  expect(environmentOf(values)).toMatchObject({ ...CONFIG, AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER: expect.stringMatching(/^s3:\/\/<AirflowLogsBucket\w+>\/airflow$/) });
  expect(values.logs).toEqual({ persistence: { enabled: false } });
  expect(values.dagProcessor.logGroomerSidecar).toMatchObject({ enabled: true, retentionDays: 3 });
  expect(objectsOf(template, 'PersistentVolumeClaim').map(({ metadata }) => metadata.name)).not.toContain('airflow-logs');
  expect(resourcesOf(template, 'AWS::EFS::AccessPoint').map(({ RootDirectory }) => RootDirectory.Path)).not.toContain('/airflow/logs');
  expect([airflow.persistence!.logsAccessPoint, airflow.persistence!.logsClaimName]).toEqual([undefined, undefined]);
});

test('in a bucket: all pods of the community chart write to it, and have no log volume', () => {
  const values = valuesOf(synthCommunity({ logs: AirflowLogs.inBucket() }).template);
  expect(values.airflow.config).toMatchObject({ ...CONFIG, AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER: expect.stringMatching(/^s3:\/\/.*\/airflow$/) });
  expect(values.logs).toEqual({ path: '/opt/airflow/efs/logs', persistence: { enabled: false } });
  expect(values.scheduler.logCleanup).toMatchObject({ enabled: true, retentionMinutes: 3 * 24 * 60 });
  expect(JSON.stringify(values.extraManifests)).not.toContain('log-cleanup');
});

test('custom: retention on the file system', () => {
  const logs = AirflowLogs.onFileSystem({ retention: Duration.days(7) });
  expect(valuesOf(synthAirflow({ logs }).template).dagProcessor.logGroomerSidecar.retentionDays).toBe(7);
  expect(valuesOf(synthCommunity({ logs }).template).extraManifests[0]).toContain('-mtime +7 -delete');
});

test('custom: a bucket that is emptied and deleted with the stack, with a prefix and a retention', () => {
  const { template } = inBucket({ prefix: 'logs/airflow', retention: Duration.days(365), removalPolicy: RemovalPolicy.DESTROY });
  template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  template.resourceCountIs('Custom::S3AutoDeleteObjects', 1);
  expect(environmentOf(valuesOf(template)).AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER).toMatch(/\/logs\/airflow$/);
  expect(resourcesOf(template, 'AWS::S3::Bucket')[0].LifecycleConfiguration.Rules[0].ExpirationInDays).toBe(365);
});

test('custom: an existing bucket with a key, which is not changed', () => {
  const stack = new Stack();
  const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:123456789012:key/1');
  const { template } = inBucket({ bucket: s3.Bucket.fromBucketAttributes(stack, 'Bucket', { bucketName: 'logs', encryptionKey }) });
  template.resourceCountIs('AWS::S3::Bucket', 0);
  expect(statementsOf(template)).toContainEqual(expect.objectContaining({
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Resource: 'arn:aws:kms:eu-central-1:123456789012:key/1',
    Condition: { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } },
  }));
  expect(environmentOf(valuesOf(template)).AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER).toBe('s3://logs/airflow');
});

test('custom: a key in another Region, where the bucket is', () => {
  const stack = new Stack();
  const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:us-east-1:123456789012:key/1');
  const { template } = inBucket({ bucket: s3.Bucket.fromBucketAttributes(stack, 'Bucket', { bucketName: 'logs', encryptionKey, region: 'us-east-1' }) });
  expect(statementsOf(template).find(({ Sid }) => Sid === 'EncryptLogs')!.Condition).toEqual({ StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } });
});

/** Two deployments on the clusters of two Regions, whose logs are in a bucket that each imports, or that the app creates. */
const inTwoStacks = (namespaces: string[], prefixes: (string | undefined)[], created = false) => {
  const app = newApp();
  const own = created ? new s3.Bucket(new Stack(app, 'Shared', { env: { account: ACCOUNT, region: REGION } }), 'Bucket', { bucketName: 'logs' }) : undefined;
  namespaces.forEach((namespace, index) => {
    const stack = new Stack(app, `Data${index}`, { env: { account: ACCOUNT, region: [REGION, 'us-east-1'][index] } });
    const bucket = own ?? s3.Bucket.fromBucketName(stack, 'Bucket', 'logs');
    new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack), namespace, logs: AirflowLogs.inBucket({ bucket, prefix: prefixes[index] }) });
  });
};

test.each<[string, string[], (string | undefined)[], boolean]>([
  ['namespaces', ['one', 'two'], [], false], ['prefixes', ['airflow', 'airflow'], ['one', 'one/two'], true],
])('custom: two deployments of different %s share a bucket', (_name, namespaces, prefixes, created) => {
  expect(() => inTwoStacks(namespaces, prefixes, created)).not.toThrow();
});

test.each<[string, string[], (string | undefined)[], boolean, string]>([
  ['namespace, in an imported bucket', ['airflow', 'airflow'], [], false, 'airflow'], ['prefix, in a bucket of the app', ['one', 'two'], ['a/b', 'a/b'], true, 'a/b'],
])('fails when two deployments have the same %s', (_name, namespaces, prefixes, created, prefix) => {
  expect(() => inTwoStacks(namespaces, prefixes, created)).toThrow(new Error(
    `Data1/Airflow: 'logs.prefix' must be unique per bucket, got '${prefix}', which is already used by Data0/Airflow`));
});

test('custom: a bucket and a key that another stack creates, which does not depend on that of the deployment', () => {
  const app = newApp();
  const env = { account: ACCOUNT, region: REGION };
  const [other, data] = ['Other', 'Data'].map((id) => new Stack(app, id, { env }));
  const bucket = new s3.Bucket(other, 'Bucket', { encryptionKey: new kms.Key(other, 'Key') });
  new AirflowOnEks(data, 'Airflow', { cluster: importedCluster(data), logs: AirflowLogs.inBucket({ bucket }) });
  app.synth();
  expect([data.dependencies, other.dependencies]).toEqual([[other], []]);
});

test.each([['retention', { retention: Duration.days(7) }], ['removalPolicy', { removalPolicy: RemovalPolicy.DESTROY }]])('fails when an existing bucket has a %s', (option, options) => {
  expect(() => inBucket({ bucket: s3.Bucket.fromBucketName(new Stack(), 'Bucket', 'logs'), ...options })).toThrow(new Error(
    `Data/Airflow: 'logs.${option}' has no effect together with 'logs.bucket', which already exists; set it where you create the bucket`));
});

test.each([['synthAirflow', synthAirflow], ['synthCommunity', synthCommunity]])('fails when the retention is not in whole days: %s', (_name, synth) => {
  expect(() => synth({ logs: AirflowLogs.onFileSystem({ retention: Duration.hours(12) }) })).toThrow(new Error(
    "Data/Airflow: 'logs.retention' must be a whole number of days, at least 1, got 0.5 days"));
});

test('fails when the prefix begins with a slash', () => {
  expect(() => inBucket({ prefix: '/logs' })).toThrow(new Error("Data/Airflow: 'logs.prefix' must be a prefix of keys without a leading or trailing /, got '/logs'"));
});

test('fails when the configuration contains an option of the bucket', () => {
  expect(() => synthAirflow({ logs: AirflowLogs.inBucket(), config: { 'logging.remote_logging': 'False' } })).toThrow(new Error(
    "Data/Airflow: 'config' must not set AIRFLOW__LOGGING__REMOTE_LOGGING, which 'logs' sets; use 'logs'"));
});
