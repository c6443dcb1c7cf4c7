import { Token } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import elasticache = require('aws-cdk-lib/aws-elasticache');
import { Construct, IDependable } from 'constructs';
import { BROKER_PORT, BoundBroker, BrokerProps, urlKey } from './airflow-broker';
import { admit } from '../access';
import { secretValueOf } from '../secrets/airflow-secret';
import { SecretKey } from '../secrets/secret-key';
import { checkFormat, fail } from '../validation';
import { ELASTICACHE_VALKEY } from '../versions';

/**
 * Options of `CeleryBroker.elastiCache()`.
 */
export interface ElastiCacheBrokerOptions {
  /**
   * The instance type of the cache nodes, without the prefix `cache.`.
   *
   * @default - t4g.small
   * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html
   */
  readonly nodeType?: ec2.InstanceType;

  /**
   * Whether a second node in another Availability Zone takes over when the first one fails.
   *
   * Without it, one node costs half as much, and is replaced when it fails. The tasks that were queued are sent again.
   *
   * @default true
   * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html
   */
  readonly multiAz?: boolean;

  /**
   * The version of Valkey, such as `8.2`.
   *
   * @default '8.2'
   * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html
   */
  readonly engineVersion?: string;

  /**
   * The subnets of the nodes, in at least two Availability Zones with `multiAz`.
   *
   * @default - the private subnets of the cluster's VPC
   */
  readonly vpcSubnets?: ec2.SubnetSelection;
}

interface ElastiCacheBrokerProps extends ElastiCacheBrokerOptions, BrokerProps {}

/** A replication group of Amazon ElastiCache, encrypted, with a password, and open only to the nodes of Airflow. */
export class ElastiCacheBroker extends Construct implements BoundBroker {
  public readonly hostname: string;
  public readonly connections: ec2.Connections;
  public readonly replicationGroup: elasticache.CfnReplicationGroup;
  public readonly url: SecretKey;
  public readonly keys: SecretKey[];
  public readonly pods = [];
  public readonly dependables: IDependable[];

  constructor(scope: Construct, id: string, private readonly props: ElastiCacheBrokerProps) {
    super(scope, id);

    const { cluster, namespace, nodes } = props;
    const password = props.password();
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: cluster.vpc,
      description: `Broker of the Airflow deployment ${namespace}`,
      allowAllOutbound: false, // a cache node never opens a connection
    });
    this.connections = new ec2.Connections({ securityGroups: [securityGroup], defaultPort: ec2.Port.tcp(BROKER_PORT) });
    this.dependables = [this, ...admit(this, { from: nodes, to: this, description: 'Valkey from the nodes of the Airflow deployment' })];
    const authToken = secretValueOf(this, 'secrets.brokerPassword', password).unsafeUnwrap(); // CloudFormation resolves it
    this.replicationGroup = this.createReplicationGroup(securityGroup, authToken);
    this.hostname = this.replicationGroup.attrPrimaryEndPointAddress;
    // The certificate is signed by Amazon, whose authorities the image of Airflow trusts. Old clients check the name only if told to.
    this.url = urlKey(scope, namespace, password, 'rediss', `${this.hostname}:${BROKER_PORT}/0?ssl_cert_reqs=required&ssl_check_hostname=true`);
    this.keys = [this.url];
  }

  private createReplicationGroup(securityGroup: ec2.ISecurityGroup, authToken: string): elasticache.CfnReplicationGroup {
    const { namespace, nodeType = new ec2.InstanceType('t4g.small'), multiAz = true, engineVersion = ELASTICACHE_VALKEY } = this.props;
    checkFormat(this, 'broker.nodeType', `${nodeType}`, /^(?!cache\.)/, "an instance type without the prefix 'cache.', which is added");
    if (Token.isUnresolved(engineVersion)) {
      fail(this, "'broker.engineVersion' must be known at synthesis, because the family of the parameter group derives from it, got a token");
    }
    checkFormat(this, 'broker.engineVersion', engineVersion, /^([89]|\d\d)\.\d+$/, 'a version of Valkey from 8.0');
    const description = `Broker of the Airflow deployment ${namespace}`;
    return new elasticache.CfnReplicationGroup(this, 'ReplicationGroup', {
      replicationGroupDescription: description,
      engine: 'valkey',
      engineVersion,
      autoMinorVersionUpgrade: true,
      cacheNodeType: `cache.${nodeType}`,
      cacheParameterGroupName: new elasticache.CfnParameterGroup(this, 'ParameterGroup', {
        description,
        cacheParameterGroupFamily: `valkey${engineVersion.split('.')[0]}`,
        properties: { 'maxmemory-policy': 'noeviction' }, // a message that is lost is a task that does not run
      }).ref,
      clusterMode: 'disabled', // Celery does not support it
      numCacheClusters: multiAz ? 2 : 1,
      automaticFailoverEnabled: multiAz,
      multiAzEnabled: multiAz,
      cacheSubnetGroupName: new elasticache.CfnSubnetGroup(this, 'SubnetGroup', { description, subnetIds: this.subnetIds(multiAz) }).ref,
      securityGroupIds: [securityGroup.securityGroupId],
      atRestEncryptionEnabled: true,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      authToken,
    });
  }

  private subnetIds(multiAz: boolean): string[] {
    const { subnetIds, availabilityZones } = this.props.cluster.vpc.selectSubnets(this.props.vpcSubnets);
    if (multiAz && new Set(availabilityZones).size < 2) {
      fail(this, `'broker.vpcSubnets' must be in at least two Availability Zones, got ${availabilityZones.join() || 'no subnets'}; use 'multiAz: false' for one`);
    }
    return subnetIds;
  }
}
