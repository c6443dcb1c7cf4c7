import { Match, Template } from 'aws-cdk-lib/assertions';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import { createNodeRole } from '../../src/nodes/node-role';
import { CLUSTERS, importedCluster, Json, newStack } from '../util';

function synth(options: { managedPolicies?: iam.IManagedPolicy[]; clusterAutoscaler?: boolean } = {}, make = importedCluster): Template {
  const stack = newStack();
  createNodeRole(stack, { cluster: make(stack), namespace: 'airflow', ...options });
  return Template.fromStack(stack);
}

test('defaults: what a node needs, and nothing of Airflow', () => {
  const template = synth();
  const [role] = Object.values(template.findResources('AWS::IAM::Role'));
  expect(role.Properties.ManagedPolicyArns.map((arn: Json) => arn['Fn::Join'][1].at(-1))).toEqual([
    ':iam::aws:policy/AmazonEKSWorkerNodePolicy', ':iam::aws:policy/AmazonEKS_CNI_Policy',
    ':iam::aws:policy/AmazonEC2ContainerRegistryPullOnly', ':iam::aws:policy/AmazonSSMManagedInstanceCore',
  ]);
  expect(role.Properties.Description).toBe("Nodes of the Airflow deployment 'airflow'");
  expect(role.Properties.AssumeRolePolicyDocument.Statement).toEqual([
    { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' } },
  ]);
  template.resourceCountIs('AWS::IAM::Policy', 0);
});

test('custom: additional managed policies', () => {
  synth({ managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('CloudWatchAgentServerPolicy')] }).hasResourceProperties('AWS::IAM::Role', {
    ManagedPolicyArns: Match.arrayWith([{ 'Fn::Join': ['', Match.arrayWith([':iam::aws:policy/CloudWatchAgentServerPolicy'])] }]),
  });
});

test('custom: a Cluster Autoscaler scales only the node groups of this cluster', () => {
  const [{ Properties }] = Object.values(synth({ clusterAutoscaler: true }).findResources('AWS::IAM::Policy'));
  const statements: Json[] = Properties.PolicyDocument.Statement;
  expect(statements).toEqual(expect.arrayContaining([
    expect.objectContaining({ Sid: 'ScaleNodeGroups', Condition: { StringEquals: { 'aws:ResourceTag/eks:cluster-name': 'prod' } } }),
  ]));
  const describing = statements.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action);
  expect(describing.filter((action: string) => !/:(Describe|Get)/.test(action))).toEqual([]);
  expect(JSON.stringify(statements.find(({ Sid }) => Sid === 'DescribeNodeGroup')!.Resource)).toContain(':nodegroup/prod/*');
});

test('nodes of an IPv6 cluster may assign addresses to pods', () => {
  const ipv6 = (scope: Parameters<typeof importedCluster>[0]) => Object.defineProperty(importedCluster(scope), 'ipFamily', { value: eks.IpFamily.IP_V6 });
  synth({}, ipv6).hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement: [Match.objectLike({ Sid: 'PodAddresses' })] } });
});

test.each(Object.entries(CLUSTERS))('nodes of an IPv4 cluster may not: %s', (_name, make) => {
  expect(JSON.stringify(synth({}, make as typeof importedCluster).toJSON())).not.toContain('PodAddresses');
});
