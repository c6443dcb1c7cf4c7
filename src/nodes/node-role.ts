import { Aws } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { Cluster } from '../cluster';

/** The policies of nodes whose network and storage EKS does not manage. */
export const NODE_POLICIES = ['AmazonEKSWorkerNodePolicy', 'AmazonEKS_CNI_Policy', 'AmazonEC2ContainerRegistryPullOnly', 'AmazonSSMManagedInstanceCore'];

/**
 * The role of the nodes, with what a node needs and nothing that DAGs need.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
 */
export function createNodeRole(scope: Construct, {
  cluster, namespace, nodePolicies = NODE_POLICIES, managedPolicies = [], clusterAutoscaler = false,
}: {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly nodePolicies?: string[];
  readonly managedPolicies?: iam.IManagedPolicy[];
  readonly clusterAutoscaler?: boolean;
}): iam.Role {
  const role = new iam.Role(scope, 'Role', {
    description: `Nodes of the Airflow deployment '${namespace}'`,
    assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
    managedPolicies: [...nodePolicies.map((name) => iam.ManagedPolicy.fromAwsManagedPolicyName(name)), ...managedPolicies],
  });
  const statements = [
    ...cluster.ipFamily === eks.IpFamily.IP_V6 ? [ipv6Statement()] : [],
    ...clusterAutoscaler ? autoscalerStatements(cluster.clusterName) : [],
  ];
  statements.forEach((statement) => role.addToPolicy(statement));
  return role;
}

/** @see https://docs.aws.amazon.com/eks/latest/userguide/cni-iam-role.html#cni-iam-role-create-ipv6-policy */
function ipv6Statement(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'PodAddresses',
    actions: ['ec2:AssignIpv6Addresses', 'ec2:UnassignIpv6Addresses'],
    resources: [`arn:${Aws.PARTITION}:ec2:*:*:network-interface/*`],
  });
}

/** @see https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md#iam-policy */
function autoscalerStatements(clusterName: string): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({
      sid: 'ScaleNodeGroups',
      actions: ['autoscaling:SetDesiredCapacity', 'autoscaling:TerminateInstanceInAutoScalingGroup'],
      resources: [`arn:${Aws.PARTITION}:autoscaling:${Aws.REGION}:${Aws.ACCOUNT_ID}:autoScalingGroup:*:autoScalingGroupName/*`],
      conditions: { StringEquals: { 'aws:ResourceTag/eks:cluster-name': clusterName } },
    }),
    new iam.PolicyStatement({
      sid: 'DescribeNodeGroup',
      actions: ['eks:DescribeNodegroup'],
      resources: [`arn:${Aws.PARTITION}:eks:${Aws.REGION}:${Aws.ACCOUNT_ID}:nodegroup/${clusterName}/*`],
    }),
    new iam.PolicyStatement({
      sid: 'DescribeCapacity', // none of these actions can be limited to a resource
      actions: [
        'autoscaling:DescribeAutoScalingGroups', 'autoscaling:DescribeAutoScalingInstances', 'autoscaling:DescribeLaunchConfigurations',
        'autoscaling:DescribeScalingActivities', 'autoscaling:DescribeTags', 'ec2:DescribeImages', 'ec2:DescribeInstanceTypes',
        'ec2:DescribeLaunchTemplateVersions', 'ec2:GetInstanceTypesFromInstanceRequirements',
      ],
      resources: ['*'],
    }),
  ];
}
