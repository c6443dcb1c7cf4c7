import { App, Duration } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CHARTS_UNDER_TEST, importedCluster, newStack } from './util';
import { AirflowDatabase, AirflowLogs, AirflowOnEks, AirflowOnEksProps, CeleryBroker } from '../src';

const FILE_SYSTEMS = 'arn:<AWS::Partition>:elasticfilesystem:<AWS::Region>:<AWS::AccountId>';
const NODE_POLICIES = ['AmazonEKSWorkerNodePolicy', 'AmazonEKS_CNI_Policy', 'AmazonEC2ContainerRegistryPullOnly', 'AmazonSSMManagedInstanceCore'];

/** The rules of AWS Solutions that the library does not follow, by construct, each with the reason. */
const EXCEPTIONS: [path: string, findings: string[], reason: string][] = [
  ['Data/Cluster/AirflowEfsCsiDriver/Role/Resource', [
    `AwsSolutions-IAM5[Resource::${FILE_SYSTEMS}:file-system/*]`, `AwsSolutions-IAM5[Resource::${FILE_SYSTEMS}:access-point/*]`,
  ], 'One driver serves all file systems of the cluster, including future ones; it changes only access points that carry its tag'],
  ['Data/Cluster/AirflowEfsCsiDriver/Role/Resource', ['AwsSolutions-IAM5[Resource::*]'],
    'The only action is ec2:DescribeAvailabilityZones, which cannot be limited to a resource'],
  ['Data/Airflow/NodePools/Role/Resource', NODE_POLICIES.map((name) => `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${name}]`),
    'EKS requires these policies, and AWS updates them when nodes need other permissions'],
  ...['FernetKey', 'ApiSecretKey', 'JwtSecret', 'DatabasePassword', 'BrokerPassword', 'FlowerPassword', 'Password-admin'].map((id): [string, string[], string] => [
    `Data/Airflow/Secrets/${id}/Resource`, ['AwsSolutions-SMG4'],
    'A new value must reach the database, or the pods that use the old one, at the same time: the owner rotates it',
  ]),
];

/** Those of what AWS manages. */
const MANAGED_EXCEPTIONS: typeof EXCEPTIONS = [
  ['Data/Airflow/Broker/ReplicationGroup', ['AwsSolutions-AEC5'], 'Only the nodes of Airflow can connect, by TLS and with a password; the port says nothing to others'],
  ['Data/Airflow/Database/Cluster/Resource', ['AwsSolutions-RDS6'], 'PgBouncer does not support IAM authentication, whose tokens expire after 15 minutes; the password can be rotated'],
  ['Data/Airflow/LogsBucket/Resource', ['AwsSolutions-S1'], 'Access logs need a bucket of the account; the owner adds it, or passes a bucket that has them'],
  ['Data/Airflow/Role/Resource', ['AwsSolutions-IAM5[Resource::<AirflowLogsBucketB36BD060.Arn>/airflow/*]'], 'Each task has a log of its own below the prefix'],
];

/** Those of backups. */
const BACKUP_EXCEPTIONS: typeof EXCEPTIONS = [
  ['Data/Airflow/Database/Backup/Bucket/Resource', ['AwsSolutions-S1'], 'Access logs need a bucket of the account; the owner adds it, or passes a bucket that has them'],
  ['Data/Airflow/Database/Backup/Role/Resource', ['AwsSolutions-IAM5[Resource::<AirflowDatabaseBackupBucketA515605F.Arn>/airflow-database/*]'],
    'Each backup is an object of its own below the prefix'],
];

function findingsOf(props: Partial<AirflowOnEksProps>): string[] {
  const stack = newStack();
  new AirflowOnEks(stack, 'Airflow', {
    cluster: importedCluster(stack),
    ...props,
    ingress: { host: 'airflow.example.com', certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', 'arn:aws:acm:eu-central-1:123456789012:certificate/1') },
  });
  (stack.node.root as App).synth(); // with the aspects
  return new AwsSolutionsChecks().validateScope(stack).violations
    .flatMap(({ ruleName, violatingResources }) => violatingResources.map(({ constructPath }) => `${constructPath} ${ruleName}`)).sort();
}

const findingsIn = (exceptions: typeof EXCEPTIONS) => exceptions.flatMap(([path, findings]) => findings.map((finding) => `${path} ${finding}`)).sort();

test.each(CHARTS_UNDER_TEST)('AWS Solutions finds the exceptions and nothing else, with the $name chart', ({ chart }) => {
  const exceptions = EXCEPTIONS.filter(([path]) => !path.includes('JwtSecret') || chart()._definition.taskApi);
  expect(findingsOf({ chart: chart() })).toEqual(findingsIn(exceptions));
});

test('AWS Solutions finds the exceptions and nothing else in what AWS manages', () => {
  const findings = findingsOf({
    database: AirflowDatabase.aurora({ multiAz: true, passwordRotation: Duration.days(30) }),
    broker: CeleryBroker.elastiCache(),
    logs: AirflowLogs.inBucket(),
  });
  expect(findings.filter((finding) => !findingsIn(EXCEPTIONS).includes(finding))).toEqual(findingsIn(MANAGED_EXCEPTIONS));
});

test('AWS Solutions finds the exceptions and nothing else in backups', () => {
  const findings = findingsOf({ database: AirflowDatabase.inCluster({ backup: {} }) });
  expect(findings.filter((finding) => !findingsIn(EXCEPTIONS).includes(finding))).toEqual(findingsIn(BACKUP_EXCEPTIONS));
});
