import { Aws, Size, SizeRoundingBehavior } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import { Construct } from 'constructs';
import { AutoModeOptions, KarpenterOptions } from './karpenter-options';
import { NodeClassReference } from './node-pool-manifest';
import { NODE_POLICIES } from './node-role';
import { KubernetesObject } from '../kubernetes';
import { checkFormat, fail } from '../validation';

/** What a new node class contains. */
interface NodeClassParts {
  readonly roleName: string;
  readonly subnetIds: string[];
  readonly securityGroupIds: string[];
  readonly clusterName: string;
}

/** Nodes that Karpenter creates: of self-managed Karpenter, or of the one in EKS Auto Mode. */
export interface Provisioner {
  readonly autoMode: boolean;
  readonly nodeClass: Omit<NodeClassReference, 'name'> & { readonly apiVersion: string };
  /** The AWS managed policies of each node. */
  readonly policies: string[];
  /** How the role of the nodes is admitted to the cluster. */
  readonly accessEntry: Pick<eks.CfnAccessEntryProps, 'type' | 'accessPolicies'>;
  spec(parts: NodeClassParts): KubernetesObject;
}

/** @see https://karpenter.sh/docs/concepts/nodeclasses/ */
export function selfManagedKarpenter(scope: Construct, options: KarpenterOptions): Provisioner {
  const { amiAlias = 'al2023@latest', diskSize } = options;
  checkFormat(scope, 'nodePools.amiAlias', amiAlias, /^(al2023|bottlerocket)@\S+$/, "'al2023@' or 'bottlerocket@', and a version or 'latest'");
  const deviceName = amiAlias.startsWith('bottlerocket') ? '/dev/xvdb' : '/dev/xvda'; // where images and containers are
  return {
    autoMode: false,
    nodeClass: { apiVersion: 'karpenter.k8s.aws/v1', group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', domain: 'karpenter.k8s.aws' },
    policies: NODE_POLICIES,
    accessEntry: { type: 'EC2_LINUX' },
    spec: ({ roleName, subnetIds, securityGroupIds, clusterName }) => ({
      role: roleName,
      amiSelectorTerms: [{ alias: amiAlias }],
      subnetSelectorTerms: subnetIds.map((id) => ({ id })),
      securityGroupSelectorTerms: securityGroupIds.map((id) => ({ id })),
      blockDeviceMappings: [{ deviceName, ebs: { volumeSize: quantityOf(scope, diskSize), volumeType: 'gp3', encrypted: true, deleteOnTermination: true } }],
      metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
      tags: { Name: `${clusterName}-airflow` },
    }),
  };
}

/** @see https://docs.aws.amazon.com/eks/latest/userguide/create-node-class.html */
export function autoMode(scope: Construct, { diskSize }: AutoModeOptions): Provisioner {
  return {
    autoMode: true,
    nodeClass: { apiVersion: 'eks.amazonaws.com/v1', group: 'eks.amazonaws.com', kind: 'NodeClass', domain: 'eks.amazonaws.com' },
    policies: ['AmazonEKSWorkerNodeMinimalPolicy', 'AmazonEC2ContainerRegistryPullOnly'],
    accessEntry: {
      type: 'EC2',
      accessPolicies: [{ accessScope: { type: 'cluster' }, policyArn: `arn:${Aws.PARTITION}:eks::aws:cluster-access-policy/AmazonEKSAutoNodePolicy` }],
    },
    spec: ({ roleName, subnetIds, securityGroupIds }) => ({
      role: roleName,
      subnetSelectorTerms: subnetIds.map((id) => ({ id })),
      securityGroupSelectorTerms: securityGroupIds.map((id) => ({ id })),
      ephemeralStorage: { size: quantityOf(scope, diskSize) },
    }),
  };
}

/** Fails if options of a new node class are given beside an existing one. */
export function checkNodeClass(scope: Construct, { nodeClass, subnets, diskSize, managedPolicies, ...options }: KarpenterOptions): void {
  const { amiAlias, controllerRole } = options;
  for (const [prop, value] of Object.entries({ subnets, diskSize, managedPolicies, amiAlias, controllerRole })) {
    if (nodeClass && value !== undefined) {
      fail(scope, `'nodePools.${prop}' is an option of a new node class, and has no effect on '${nodeClass.name}' of 'nodePools.nodeClass'; omit one of them`);
    }
  }
}

/** The size of a volume; a size of a token cannot be converted. */
function quantityOf(scope: Construct, size = Size.gibibytes(20)): string {
  const gibibytes = size.isUnresolved() ? NaN : size.toGibibytes({ rounding: SizeRoundingBehavior.NONE });
  if (!(Number.isInteger(gibibytes) && gibibytes >= 20)) {
    fail(scope, `'nodePools.diskSize' must be a whole number of GiB of at least 20, got ${size.isUnresolved() ? 'a token' : `${gibibytes} GiB`}`);
  }
  return `${gibibytes}Gi`;
}
