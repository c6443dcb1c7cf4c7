import ec2 = require('aws-cdk-lib/aws-ec2');
import { Construct } from 'constructs';
import { Cluster } from '../cluster';

/** The security group of the nodes that are created for a deployment, which can connect to each other. */
export function createNodeSecurityGroup(scope: Construct, { cluster, namespace }: {
  readonly cluster: Cluster;
  readonly namespace: string;
}): ec2.SecurityGroup {
  const securityGroup = new ec2.SecurityGroup(scope, 'SecurityGroup', {
    vpc: cluster.vpc,
    description: `Nodes of the Airflow deployment ${namespace}`,
  });
  securityGroup.addIngressRule(securityGroup, ec2.Port.allTraffic(), 'Between the nodes of the Airflow deployment');
  return securityGroup;
}
