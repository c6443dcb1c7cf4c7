import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { checkDatabasePool, checkPoolInput, checkWorkersPool } from './checks';
import { KarpenterOptions } from './karpenter-options';
import { checkNodeClass, Provisioner } from './node-class';
import { NodePool } from './node-pool-fit';
import { nodePoolObjects, poolsOf, tasksOnSpot } from './node-pool-manifest';
import { createNodeRole } from './node-role';
import { createNodeSecurityGroup } from './node-security-group';
import { AirflowPlacement, airflowPlacement, NodeNeeds } from './placement';
import { checkAccessEntries, Cluster } from '../cluster';
import { applyManifest, KubernetesObject } from '../kubernetes';

interface KarpenterNodePoolsProps extends KarpenterOptions, NodeNeeds {
  readonly cluster: Cluster;
  /** The namespace of the deployment, with which the names of its objects begin. */
  readonly namespace: string;
  readonly provisioner: Provisioner;
}

/** One to three NodePools, from which Karpenter creates nodes when pods need them, and their node class. */
export class KarpenterNodePools extends Construct {
  public readonly role: iam.IRole;
  public readonly connections: ec2.Connections;
  public readonly placement: AirflowPlacement;
  public readonly tasksOnSpot: boolean;
  public readonly dependables = [this];
  public readonly labelled = true;
  public readonly autoMode: boolean;
  public readonly pools: NodePool[];

  constructor(scope: Construct, id: string, private readonly props: KarpenterNodePoolsProps) {
    super(scope, id);
    const { cluster, namespace, nodeClass, provisioner } = props;
    checkNodeClass(this, props);
    checkWorkersPool(this, props.workers, props.hasWorkers);
    checkDatabasePool(this, props.database, props.hasDatabase);
    if (!nodeClass) {
      checkPoolInput(this, 'nodePools', { subnets: props.subnets }, cluster.vpc);
    }
    this.autoMode = provisioner.autoMode;
    this.placement = airflowPlacement(namespace, props);
    this.tasksOnSpot = tasksOnSpot(props);
    const dependencies: Construct[] = [];
    const objects: KubernetesObject[] = [];
    if (nodeClass) {
      this.role = nodeClass.nodeRole;
      this.connections = new ec2.Connections({ securityGroups: [nodeClass.securityGroup ?? cluster.clusterSecurityGroup] });
    } else {
      const role = createNodeRole(this, { ...props, nodePolicies: provisioner.policies });
      const securityGroup = createNodeSecurityGroup(this, props);
      this.role = role;
      this.connections = securityGroup.connections;
      dependencies.push(this.accessEntry(role));
      objects.push(this.nodeClass(role, securityGroup));
    }
    const { apiVersion: _, ...reference } = provisioner.nodeClass;
    const pools = nodePoolObjects(this, props, namespace, this.placement, { ...reference, name: nodeClass?.name ?? namespace });
    this.pools = poolsOf(props, this.placement);
    const manifest = applyManifest(this, 'Manifest', cluster, [...objects, ...pools], { overwrite: true });
    manifest.node.addDependency(...dependencies); // Nodes can join the cluster until the last one is gone.
  }

  private accessEntry(role: iam.Role): Construct {
    const { cluster, controllerRole, provisioner } = this.props;
    checkAccessEntries(this, cluster);
    if (controllerRole) {
      role.grantPassRole(controllerRole);
    }
    return new eks.CfnAccessEntry(this, 'AccessEntry', { clusterName: cluster.clusterName, principalArn: role.roleArn, ...provisioner.accessEntry });
  }

  private nodeClass(role: iam.Role, securityGroup: ec2.SecurityGroup): KubernetesObject {
    const { cluster, namespace, subnets = { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS }, provisioner } = this.props;
    const { apiVersion, kind } = provisioner.nodeClass;
    return {
      apiVersion,
      kind,
      metadata: { name: namespace },
      spec: provisioner.spec({
        roleName: role.roleName,
        subnetIds: cluster.vpc.selectSubnets(subnets).subnetIds,
        securityGroupIds: [securityGroup.securityGroupId, cluster.clusterSecurityGroupId],
        clusterName: cluster.clusterName,
      }),
    };
  }
}
