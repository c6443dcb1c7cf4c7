/**
 * Stands in for AWS: resources get plausible IDs and attributes; secrets, access points and node groups have an effect.
 */
import { randomBytes } from 'crypto';
import { Value } from './intrinsics';
import { NodeGroups } from './node-groups';
import { Deployed, differ, Made, Properties, Provider } from './provider';
import { Secrets } from './secrets';
import { Volumes } from './volumes';

/** Properties whose change makes a new resource, where that has an effect here. */
const REPLACING: Record<string, string[]> = {
  'AWS::EKS::Nodegroup': ['AmiType', 'CapacityType', 'ClusterName', 'DiskSize', 'InstanceTypes', 'NodegroupName', 'NodeRole', 'Subnets'],
  'AWS::EFS::AccessPoint': ['FileSystemId', 'PosixUser', 'RootDirectory'],
  'AWS::SecretsManager::Secret': ['Name'],
};

const PREFIXES: Record<string, string> = {
  'AWS::EC2::SecurityGroup': 'sg-',
  'AWS::EC2::Subnet': 'subnet-',
  'AWS::EC2::VPC': 'vpc-',
  'AWS::EFS::AccessPoint': 'fsap-',
  'AWS::EFS::FileSystem': 'fs-',
};

export class AwsProvider implements Provider {
  constructor(
    private readonly place: { region: string; account: string },
    private readonly secrets: Secrets,
    private readonly volumes: Volumes | undefined,
    private readonly nodeGroups: NodeGroups,
  ) {}

  public readonly asserted = (type: string) => type === 'AWS::EKS::Nodegroup';

  public properties(_type: string, resolved: Properties): Properties {
    return resolved;
  }

  public async create(id: string, type: string, properties: Properties): Promise<Made> {
    const physicalId = this.physicalId(id, type);
    switch (type) {
      case 'AWS::SecretsManager::Secret': this.secrets.create(physicalId, properties); break;
      case 'AWS::EFS::AccessPoint': await this.volumes?.create(physicalId, properties); break;
      case 'AWS::EKS::Nodegroup': await this.nodeGroups.create(physicalId, properties); break;
      case 'Custom::AWSCDKCfnJson': return { physicalId, attributes: { Value: JSON.parse(properties.Value) } };
    }
    return { physicalId, attributes: {} };
  }

  public async update(id: string, old: Deployed, properties: Properties): Promise<Made> {
    if (REPLACING[old.type]?.some((name) => differ(old.properties[name], properties[name]))) {
      return this.create(id, old.type, properties);
    }
    switch (old.type) {
      case 'AWS::EC2::LaunchTemplate': return { ...old, attributes: { LatestVersionNumber: String(Number(old.attributes.LatestVersionNumber ?? '1') + 1) } };
      case 'AWS::EKS::Nodegroup': await this.nodeGroups.update(old.physicalId, properties); break;
      case 'Custom::AWSCDKCfnJson': return { ...old, attributes: { Value: JSON.parse(properties.Value) } };
    }
    return old;
  }

  public async delete(_id: string, { type, physicalId, properties }: Deployed): Promise<void> {
    if (type === 'AWS::EKS::Nodegroup') {
      await this.nodeGroups.delete(physicalId, properties);
    }
    if (type === 'AWS::SecretsManager::Secret') {
      this.secrets.delete(physicalId);
    }
  }

  public attribute(id: string, { type, physicalId }: Deployed, name: string): Value {
    const { region, account } = this.place;
    const [, service, kind = service] = type.toLowerCase().split('::');
    switch (name) {
      case 'Arn': return `arn:aws:${service}:${service === 'iam' ? '' : region}:${account}:${kind}/${physicalId}`;
      case 'LatestVersionNumber': return '1';
      case 'OpenIdConnectIssuerUrl': return `https://oidc.eks.${region}.amazonaws.com/id/${physicalId.toUpperCase()}`;
      default: return /Port$/.test(name) ? '5432' : `${id}.${name}`.toLowerCase();
    }
  }

  private physicalId(id: string, type: string): string {
    const { region, account } = this.place;
    const unique = randomBytes(9).toString('hex').slice(0, 17);
    switch (type) {
      case 'AWS::SecretsManager::Secret': return `arn:aws:secretsmanager:${region}:${account}:secret:${id}-${unique.slice(0, 6)}`;
      case 'Custom::AWSCDKOpenIdConnectProvider': return `arn:aws:iam::${account}:oidc-provider/oidc.eks.${region}.amazonaws.com/id/${unique.toUpperCase()}`;
      default: return PREFIXES[type] ? `${PREFIXES[type]}${unique}` : `${id.slice(0, 40)}-${unique.slice(0, 12)}`;
    }
  }
}
