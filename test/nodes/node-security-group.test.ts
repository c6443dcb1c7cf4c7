import { Template } from 'aws-cdk-lib/assertions';
import { createNodeSecurityGroup } from '../../src/nodes/node-security-group';
import { importedCluster, newStack } from '../util';

test('defaults: the nodes of a deployment can connect to each other', () => {
  const stack = newStack();
  const securityGroup = createNodeSecurityGroup(stack, { cluster: importedCluster(stack), namespace: 'data' });
  const template = Template.fromStack(stack);
  const securityGroupId = stack.resolve(securityGroup.securityGroupId);
  template.hasResourceProperties('AWS::EC2::SecurityGroup', { GroupDescription: 'Nodes of the Airflow deployment data', VpcId: 'vpc-1' });
  template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { GroupId: securityGroupId, SourceSecurityGroupId: securityGroupId, IpProtocol: '-1' });
});
