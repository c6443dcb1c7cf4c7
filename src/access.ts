import { Names, Stack } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import iam = require('aws-cdk-lib/aws-iam');
import secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
import { Construct, IDependable } from 'constructs';

/*
 * Access to resources that may belong to another stack. The CDK writes a rule or a grant beside one of the two resources: if that is in another
 * stack, it refers to our stack, which refers to it, and CloudFormation can create neither. Here, they are created in the stack of `scope`.
 */

interface Admission {
  readonly from: ec2.IConnectable;
  readonly to: ec2.IConnectable;
  /** @default - the default port of `to` */
  readonly port?: ec2.Port;
  readonly description: string;
}

/**
 * Lets all security groups of `from` connect to all security groups of `to`. Returns what contains the rules.
 *
 * As in the CDK, security groups that are imported as immutable get no rules.
 */
export function admit(scope: Construct, { from, to, description, ...options }: Admission): IDependable[] {
  const port = options.port ?? to.connections.defaultPort!;
  return to.connections.securityGroups.flatMap((target) => from.connections.securityGroups.flatMap((source) => {
    const [here, there] = [inStackOf(scope, source), inStackOf(scope, target)];
    target.addIngressRule(here, port, description, true);
    source.addEgressRule(there, port, description, true);
    return [here, there];
  }));
}

/** A reference to a security group of another stack: the CDK creates a rule beside the remote group of the two if their stacks differ. */
function inStackOf(scope: Construct, group: ec2.ISecurityGroup): ec2.ISecurityGroup {
  const id = `SecurityGroup-${Names.nodeUniqueId(group.node)}`;
  return Stack.of(group) === Stack.of(scope) ? group
    : scope.node.tryFindChild(id) as ec2.ISecurityGroup | undefined ?? ec2.SecurityGroup.fromSecurityGroupId(scope, id, group.securityGroupId);
}

/**
 * Adds permissions to a role, which may be imported.
 *
 * A role that is imported as immutable gets no permissions.
 */
export function addPermissions(scope: Construct, id: string, role: iam.IRole, ...statements: iam.PolicyStatement[]): IDependable {
  const policy = new iam.Policy(scope, id, {
    // The default name is the same in two stacks with the same construct IDs: one would replace the policy of the other on an imported role.
    policyName: `${Names.uniqueResourceName(scope, { maxLength: 96, separator: '-' })}-${id}`,
    statements,
  });
  role.attachInlinePolicy(policy);
  return policy;
}

/**
 * Lets a role of our stack read a secret, and decrypt it by its key.
 *
 * The policies of secret and key are not changed. The default policy of a key, and each secret with this key that an app creates, admit the account.
 */
export function grantReadSecret(role: iam.Role, secret: secretsmanager.ISecret): iam.Grant {
  const read = iam.Grant.addToPrincipal({
    grantee: role,
    actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
    resourceArns: [secret.secretFullArn ?? `${secret.secretArn}-??????`],
  });
  return !secret.encryptionKey ? read : read.combine(iam.Grant.addToPrincipal({
    grantee: role,
    actions: ['kms:Decrypt'],
    resourceArns: [secret.encryptionKey.keyArn],
    conditions: viaService('secretsmanager', Stack.of(role).region),
  }));
}

/** Conditions of a permission to use a key: only through another service, in its Region. */
export function viaService(service: string, region: string): Record<string, Record<string, string>> {
  return { StringEquals: { 'kms:ViaService': `${service}.${region}.amazonaws.com` } };
}
