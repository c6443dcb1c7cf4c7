import { Token } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { amiTypeFor, volumesOf } from './ami-type';
import { checkDatabasePool, checkPoolInput, checkWorkersPool, warnOfSingleSpotType } from './checks';
import { ManagedNodeGroupsOptions, NodePoolOptions } from './managed-node-groups-options';
import { NodePool } from './node-pool-fit';
import { createNodeRole } from './node-role';
import { createNodeSecurityGroup } from './node-security-group';
import { airflowNodes, AirflowPlacement, airflowPlacement, NodeNeeds, NodePlacement } from './placement';
import { Cluster, missingNetworkAddons, nodegroupCluster } from '../cluster';
import { checkCount, fail } from '../validation';

type PoolName = keyof AirflowPlacement;
type GroupName = PoolName | 'single';

interface ManagedNodeGroupsProps extends ManagedNodeGroupsOptions, NodeNeeds {
  /** One node group for all pods, in place of the others. */
  readonly single?: NodePoolOptions;
  readonly cluster: Cluster;
  /** The namespace of the deployment, which is in a label of its nodes. */
  readonly namespace: string;
}

interface PoolDefaults {
  readonly instanceTypes: string[];
  readonly capacityType: 'SPOT' | 'ON_DEMAND';
  readonly minSize: number;
  readonly maxSize: number;
}

const DEFAULTS: Record<GroupName, PoolDefaults> = {
  stateless: { capacityType: 'SPOT', minSize: 2, maxSize: 2, instanceTypes: ['c5a.xlarge', 'c5a.large'] },
  workers: { capacityType: 'SPOT', minSize: 1, maxSize: 3, instanceTypes: ['c5a.2xlarge', 'c5.2xlarge', 'm5a.2xlarge'] },
  database: { capacityType: 'ON_DEMAND', minSize: 1, maxSize: 1, instanceTypes: ['c5a.xlarge'] },
  single: { capacityType: 'ON_DEMAND', minSize: 2, maxSize: 2, instanceTypes: ['m6a.xlarge', 'm5a.xlarge', 'm6i.xlarge'] },
};

/** One to three managed node groups, with their role, security group and launch templates. */
export class ManagedNodeGroups extends Construct {
  public readonly stateless: eks.Nodegroup;
  public readonly workers?: eks.Nodegroup;
  public readonly database?: eks.Nodegroup;
  public readonly role: iam.Role;
  public readonly securityGroup: ec2.SecurityGroup;
  public readonly connections: ec2.Connections;
  public readonly placement: AirflowPlacement;
  public readonly tasksOnSpot: boolean;
  public readonly dependables = [this];
  public readonly labelled = true;
  public readonly autoMode = false;
  public readonly pools: NodePool[] = [];
  private readonly nodegroupCluster: eks.ICluster;

  constructor(scope: Construct, id: string, private readonly props: ManagedNodeGroupsProps) {
    super(scope, id);
    this.node.addValidation({ validate: () => this.missingAddons() });
    checkWorkersPool(this, props.workers, props.hasWorkers);
    checkDatabasePool(this, props.database, props.hasDatabase);

    this.role = createNodeRole(this, props);
    this.securityGroup = createNodeSecurityGroup(this, props);
    this.connections = this.securityGroup.connections;
    this.nodegroupCluster = nodegroupCluster(this, props.cluster);

    const single = props.single && this.nodegroup('single', 'Single');
    this.stateless = single ?? this.nodegroup('stateless', 'Stateless');
    if (props.hasWorkers) {
      this.workers = single ?? this.nodegroup('workers', 'Workers');
    }
    if (props.hasDatabase) {
      this.database = single ?? this.nodegroup('database', 'Database');
    }
    const groupOf = (pool: PoolName): GroupName => props.single ? 'single' : pool;
    const tasks = groupOf(props.hasWorkers ? 'workers' : 'stateless');
    this.tasksOnSpot = this.capacityTypeOf(tasks) === eks.CapacityType.SPOT;
    this.placement = {
      stateless: this.placementOf(groupOf('stateless')), workers: this.placementOf(tasks), database: this.placementOf(groupOf('database')),
    };
  }

  private placementOf(name: GroupName): NodePlacement {
    const deployment = this.props.namespace;
    return name === 'single' ? airflowNodes({ deployment, type: 'af-all' }) : airflowPlacement(deployment, this.props)[name];
  }

  private nodegroup(name: GroupName, id: string): eks.Nodegroup {
    const pool = this.props[name] ?? {};
    const prop = propOf(name);
    const defaults = DEFAULTS[name];
    const hasRoomOnOne = name === 'single' && !this.props.hasWorkers;
    const minSize = pool.minSize ?? (hasRoomOnOne ? 1 : defaults.minSize);
    const maxSize = pool.maxSize ?? Math.max(minSize, defaults.maxSize);
    checkPoolInput(this, prop, pool, this.props.cluster.vpc);
    this.checkPool(name, pool, minSize, maxSize);
    const instanceTypes = pool.instanceTypes ?? defaults.instanceTypes.map((type) => new ec2.InstanceType(type));
    const capacityType = this.capacityTypeOf(name);
    if (capacityType === eks.CapacityType.SPOT && instanceTypes.length === 1) {
      warnOfSingleSpotType(this, prop, instanceTypes[0].toString());
    }
    const { labels, taints } = this.placementOf(name);
    const amiType = amiTypeFor(this, { prop, instanceTypes, amiType: pool.amiType });
    const allLabels = { ...pool.labels, ...labels, lifecycle: capacityType === eks.CapacityType.SPOT ? 'spot' : 'on-demand' };
    const nodegroup = new eks.Nodegroup(this, id, {
      cluster: this.nodegroupCluster,
      nodeRole: this.role,
      subnets: pool.subnets ?? { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      amiType,
      capacityType,
      minSize,
      maxSize,
      labels: allLabels,
      taints,
      tags: { Name: `${this.props.cluster.clusterName}-airflow-${name}` },
      launchTemplateSpec: this.launchTemplateSpec(id, pool, volumesOf(this, prop, amiType, pool.diskSize)),
    });
    // Past the construct, which would compare each type with all GPU classes: half of the time of a synthesis, and minutes of
    // optimizing that function in an app with some ten deployments. The AMI type, which is the only reason for it, is set above.
    const typeNames = instanceTypes.map((type) => type.toString());
    (nodegroup.node.defaultChild as eks.CfnNodegroup).instanceTypes = typeNames;
    this.pools.push({ prop, labels: allLabels, instanceTypes: typeNames, size: { of: 'nodes', min: minSize, max: maxSize } });
    return nodegroup;
  }

  private capacityTypeOf(name: GroupName): eks.CapacityType {
    const runsTasks = name === 'stateless' && !this.props.hasWorkers; // which a Spot interruption would end
    return this.props[name]?.capacityType ?? eks.CapacityType[runsTasks ? 'ON_DEMAND' : DEFAULTS[name].capacityType];
  }

  private missingAddons(): string[] {
    const missing = missingNetworkAddons(this.props.cluster);
    return missing.length === 0 ? [] : ["the nodes that 'nodePools' creates need the add-ons vpc-cni, kube-proxy and coredns, which a cluster in EKS Auto Mode"
      + ` does not have, got a 'cluster' without ${missing.join(', ')}; use AirflowNodePools.autoMode(), or add an eks.Addon for each`];
  }

  private checkPool(name: GroupName, { labels }: NodePoolOptions, minSize: number, maxSize: number): void {
    const prop = propOf(name);
    checkCount(this, `${prop}.minSize`, minSize, 0);
    if (!Token.isUnresolved(minSize) && !Token.isUnresolved(maxSize) && maxSize < Math.max(minSize, 1)) {
      fail(this, `'${prop}.maxSize' must be at least ${minSize > 0 ? `'${prop}.minSize' (${minSize})` : 1}, got ${maxSize}`);
    }
    checkCount(this, `${prop}.maxSize`, maxSize, 1);
    for (const label of [...Object.keys(this.placementOf(name).labels), 'lifecycle']) {
      if (labels?.[label] !== undefined) {
        fail(this, `'${prop}.labels' must not contain '${label}' (got '${labels[label]}'), which places the pods of Airflow; use another key`);
      }
    }
  }

  /**
   * One template per node group, whose ID says nothing of what is in it: a node group cannot change to another template.
   *
   * The construct of the CDK would put the tags of the stack on instances. A changed tag would then change the node group and the version of
   * its template in one update, which EKS refuses.
   */
  private launchTemplateSpec(
    id: string, { tags }: NodePoolOptions, blockDeviceMappings: ec2.CfnLaunchTemplate.BlockDeviceMappingProperty[],
  ): eks.LaunchTemplateSpec {
    const { cluster, keyPair } = this.props;
    const tagList = Object.entries({ Name: `${cluster.clusterName}-airflow`, ...tags }).map(([key, value]) => ({ key, value }));
    const template = new ec2.CfnLaunchTemplate(this, `${id}LaunchTemplate`, {
      launchTemplateData: {
        keyName: keyPair?.keyPairName,
        securityGroupIds: [this.securityGroup.securityGroupId, cluster.clusterSecurityGroupId], // the second, because EKS attaches none to a template that has some
        blockDeviceMappings,
        metadataOptions: {
          httpTokens: 'required',
          httpPutResponseHopLimit: 1, // pods have AWS identities of their own and do not use that of the node
        },
        tagSpecifications: ['instance', 'volume'].map((resourceType) => ({ resourceType, tags: tagList })),
      },
    });
    return { id: template.ref, version: template.attrLatestVersionNumber };
  }
}

function propOf(name: GroupName): string {
  return name === 'single' ? 'nodePools' : `nodePools.${name}`;
}
