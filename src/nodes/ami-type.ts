import { Size, SizeRoundingBehavior, Token } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import { IConstruct } from 'constructs';
import { fail } from '../validation';

/** The size of the volume in the AMIs of Amazon Linux 2023, and of the data volume that EKS gives to Bottlerocket by default. */
const AMI_SIZE = Size.gibibytes(20);

interface AmiProps {
  /** The prop of the node pool, for errors. */
  readonly prop: string;
  readonly instanceTypes: ec2.InstanceType[];
  readonly amiType?: eks.NodegroupAmiType;
}

/** The AMI type for the CPU architecture of the instance types. The default of the CDK is Amazon Linux 2, which has reached end of life. */
export function amiTypeFor(scope: IConstruct, { prop, instanceTypes, amiType }: AmiProps): eks.NodegroupAmiType {
  const known = instanceTypes.filter((type) => !Token.isUnresolved(type.toString()));
  const architectures = [...new Set(known.map((type) => type.architecture))];
  const given = known.map((type) => `${type} (${type.architecture})`).join(', ');
  if (instanceTypes.length === 0 || architectures.length > 1) {
    fail(scope, `'${prop}.instanceTypes' must be of one CPU architecture, got ${given || 'no types'}`);
  }
  if (amiType === undefined) {
    return architectures[0] === ec2.InstanceArchitecture.ARM_64
      ? eks.NodegroupAmiType.AL2023_ARM_64_STANDARD
      : eks.NodegroupAmiType.AL2023_X86_64_STANDARD;
  }
  checkSystem(scope, prop, amiType);
  const architecture = amiType.includes('ARM_64') ? ec2.InstanceArchitecture.ARM_64 : ec2.InstanceArchitecture.X86_64;
  if (!Token.isUnresolved(amiType) && known.length > 0 && architectures[0] !== architecture) {
    fail(scope, `'${prop}.amiType' must be for the CPU architecture of '${prop}.instanceTypes', got ${amiType} and ${given}`);
  }
  return amiType;
}

function checkSystem(scope: IConstruct, prop: string, amiType: eks.NodegroupAmiType): void {
  const [, reason] = [
    [/^AL2_/, 'Amazon Linux 2 has reached end of life'],
    [/^WINDOWS_/, 'Airflow does not run on Windows'],
    [/^CUSTOM/, 'nothing would start the kubelet of an AMI of your own; create a node group yourself, and use AirflowNodePools.existing()'],
  ].find(([format]) => (format as RegExp).test(amiType)) ?? [];
  if (reason) {
    fail(scope, `'${prop}.amiType' must be an AMI type of Amazon Linux 2023 or Bottlerocket, got ${amiType}; ${reason}`);
  }
}

/**
 * The volumes of a node. Bottlerocket has its system on the first volume, and images and containers on a second one.
 *
 * @see https://github.com/bottlerocket-os/bottlerocket/blob/develop/README.md#default-volumes
 */
export function volumesOf(scope: IConstruct, prop: string, amiType: string, diskSize = AMI_SIZE): ec2.CfnLaunchTemplate.BlockDeviceMappingProperty[] {
  const mebibytes = diskSize.isUnresolved() ? undefined : diskSize.toMebibytes({ rounding: SizeRoundingBehavior.NONE });
  if (mebibytes !== undefined && mebibytes < AMI_SIZE.toMebibytes()) {
    fail(scope, `'${prop}.diskSize' must be at least ${AMI_SIZE.toGibibytes()} GiB, the size of the AMI, got ${mebibytes / 1024} GiB`);
  }
  if (mebibytes !== undefined && mebibytes % 1024 !== 0) {
    fail(scope, `'${prop}.diskSize' must be a whole number of GiB, got ${mebibytes} MiB`);
  }
  const volume = (deviceName: string, volumeSize: number) => ({ deviceName, ebs: { encrypted: true, volumeType: 'gp3', volumeSize } });
  const size = diskSize.toGibibytes();
  return amiType.startsWith('BOTTLEROCKET') ? [volume('/dev/xvda', 4), volume('/dev/xvdb', size)] : [volume('/dev/xvda', size)];
}
