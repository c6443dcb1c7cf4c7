import { Aspects } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import { AwsSolutionsChecks, NagSuppressions } from 'cdk-nag';
import { CHARTS_UNDER_TEST, importedCluster, newStack } from './util';
import { AirflowChart, AirflowOnEks } from '../src';

const FILE_SYSTEMS = 'arn:<AWS::Partition>:elasticfilesystem:<AWS::Region>:<AWS::AccountId>';
const NODE_POLICIES = ['AmazonEKSWorkerNodePolicy', 'AmazonEKS_CNI_Policy', 'AmazonEC2ContainerRegistryPullOnly', 'AmazonSSMManagedInstanceCore'];

/** The rules of AWS Solutions that the library does not follow, by construct, each with the reason. */
const EXCEPTIONS: [path: string, findings: string[], reason: string][] = [
  ['/Data/Cluster/AirflowEfsCsiDriver/Role/Resource', [
    `AwsSolutions-IAM5[Resource::${FILE_SYSTEMS}:file-system/*]`, `AwsSolutions-IAM5[Resource::${FILE_SYSTEMS}:access-point/*]`,
  ], 'One driver serves all file systems of the cluster, including future ones; it changes only access points that carry its tag'],
  ['/Data/Cluster/AirflowEfsCsiDriver/Role/Resource', ['AwsSolutions-IAM5[Resource::*]'],
    'The only action is ec2:DescribeAvailabilityZones, which cannot be limited to a resource'],
  ['/Data/Airflow/NodePools/Role/Resource', NODE_POLICIES.map((name) => `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${name}]`),
    'EKS requires these policies, and AWS updates them when nodes need other permissions'],
  ...['FernetKey', 'ApiSecretKey', 'JwtSecret', 'DatabasePassword', 'BrokerPassword', 'FlowerPassword', 'Password-admin'].map((id): [string, string[], string] => [
    `/Data/Airflow/Secrets/${id}/Resource`, ['AwsSolutions-SMG4'],
    'A new value must reach the database, or the pods that use the old one, at the same time: the owner rotates it',
  ]),
];

function findingsOf(chart: AirflowChart, exceptions: typeof EXCEPTIONS): string[] {
  const stack = newStack();
  new AirflowOnEks(stack, 'Airflow', {
    cluster: importedCluster(stack),
    chart,
    ingress: { host: 'airflow.example.com', certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', 'arn:aws:acm:eu-central-1:123456789012:certificate/1') },
  });
  for (const [path, findings, reason] of exceptions) {
    NagSuppressions.addResourceSuppressionsByPath(stack, path, findings.map((finding) => {
      const [, id, applied] = /^([^[]+)(?:\[(.*)\])?$/.exec(finding)!;
      return { id, reason, ...applied ? { appliesTo: [applied] } : {} };
    }));
  }
  Aspects.of(stack).add(new AwsSolutionsChecks());
  const annotations = Annotations.fromStack(stack);
  return [...annotations.findError('*', Match.anyValue()), ...annotations.findWarning('*', Match.anyValue())]
    .filter(({ entry }) => /^(AwsSolutions|CdkNag)/.test(String(entry.data))) // without the library's own warning about Airflow 2
    .map(({ id, entry }) => `${id} ${/^\S+\[.*?\](?=:)|^[^:]+/.exec(String(entry.data))![0]}`).sort();
}

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  const exceptions = EXCEPTIONS.filter(([path]) => !path.includes('JwtSecret') || chart()._definition.taskApi);

  test('AWS Solutions finds nothing but the exceptions', () => {
    expect(findingsOf(chart(), exceptions)).toEqual([]);
  });

  test('AWS Solutions finds each exception', () => {
    expect(findingsOf(chart(), [])).toEqual(exceptions.flatMap(([path, findings]) => findings.map((finding) => `${path} ${finding}`)).sort());
  });
});
