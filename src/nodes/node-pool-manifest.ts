import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import { Construct } from 'constructs';
import { warnOfSingleSpotType } from './checks';
import { KarpenterNodePoolOptions, KarpenterPoolsOptions } from './karpenter-options';
import { NodePool } from './node-pool-fit';
import { AirflowPlacement, NodeNeeds, taintsOf } from './placement';
import { KubernetesObject } from '../kubernetes';
import { checkCount, checkFormat, checkList, fail } from '../validation';

/** What self-managed Karpenter and EKS Auto Mode name differently. */
export interface NodeClassReference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** The domain of the labels for instance types. */
  readonly domain: string;
}

interface PoolDefaults {
  readonly sizes: string[];
  readonly capacityTypes: eks.CapacityType[];
  readonly maxVcpus: number;
  readonly consolidation: 'WhenEmpty' | 'WhenEmptyOrUnderutilized';
}

type PoolName = keyof AirflowPlacement;

const { SPOT, ON_DEMAND } = eks.CapacityType;

const DEFAULTS: Record<PoolName, PoolDefaults> = {
  stateless: {
    sizes: ['large', 'xlarge', '2xlarge'],
    capacityTypes: [SPOT, ON_DEMAND],
    maxVcpus: 32,
    consolidation: 'WhenEmptyOrUnderutilized',
  },
  workers: { sizes: ['xlarge', '2xlarge', '4xlarge'], capacityTypes: [SPOT, ON_DEMAND], maxVcpus: 256, consolidation: 'WhenEmpty' },
  database: { sizes: ['large', 'xlarge', '2xlarge'], capacityTypes: [ON_DEMAND], maxVcpus: 16, consolidation: 'WhenEmpty' },
};

const FAMILY = /^[a-z][a-z0-9-]*$/;
/** The families whose architecture the CDK knows. */
const KNOWN_FAMILY = /^[a-z]+\d{1,2}[a-z-]*$/;
const SIZE = /^(nano|micro|small|medium|large|\d*xlarge|metal[a-z0-9-]*)$/;

interface NodePoolsOptions extends KarpenterPoolsOptions, NodeNeeds {}

/** Whether EC2 may interrupt the nodes on which tasks run. */
export function tasksOnSpot(options: NodePoolsOptions): boolean {
  return capacityTypesOf(options.hasWorkers ? 'workers' : 'stateless', options).includes(SPOT);
}

function capacityTypesOf(name: PoolName, options: NodePoolsOptions): eks.CapacityType[] {
  const runsTasks = name === 'stateless' && !options.hasWorkers; // which a Spot interruption would end
  return options[name]?.capacityTypes ?? (runsTasks ? [ON_DEMAND] : DEFAULTS[name].capacityTypes);
}

function namesOf({ hasWorkers, hasDatabase }: NodePoolsOptions): PoolName[] {
  return ['stateless', ...hasWorkers ? ['workers' as const] : [], ...hasDatabase ? ['database' as const] : []];
}

/** The nodes that Karpenter may create. Without families, one of each category stands for all of its generations, which have the same sizes. */
export function poolsOf(options: NodePoolsOptions, placement: AirflowPlacement): NodePool[] {
  return namesOf(options).map((name) => {
    const { instanceFamilies, instanceSizes = DEFAULTS[name].sizes, maxVcpus = DEFAULTS[name].maxVcpus, architecture } = options[name] ?? {};
    const families = instanceFamilies ?? ['c', 'm', 'r'].map((category) => `${category}${architecture === ec2.InstanceArchitecture.ARM_64 ? '6g' : '5'}`);
    return {
      prop: `nodePools.${name}`,
      labels: placement[name].labels,
      instanceTypes: families.flatMap((family) => instanceSizes.map((size) => `${family}.${size}`)),
      size: { of: 'vcpus', max: maxVcpus },
    };
  });
}

/** The NodePools of a deployment, whose nodes are of one node class. */
export function nodePoolObjects(
  scope: Construct, options: NodePoolsOptions, namespace: string, placement: AirflowPlacement, nodeClass: NodeClassReference,
): KubernetesObject[] {
  const { domain, ...nodeClassRef } = nodeClass;
  return namesOf(options).map((name) => {
    const pool = options[name] ?? {};
    checkPool(scope, name, pool);
    const capacityTypes = capacityTypesOf(name, options);
    const [family, otherFamily] = pool.instanceFamilies ?? [];
    const [size, otherSize] = pool.instanceSizes ?? DEFAULTS[name].sizes;
    if (!capacityTypes.includes(ON_DEMAND) && family && !otherFamily && !otherSize) {
      warnOfSingleSpotType(scope, `nodePools.${name}`, `${family}.${size}`);
    }
    return {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name: `${namespace}-${name}` },
      spec: {
        template: {
          metadata: { labels: placement[name].labels },
          spec: {
            nodeClassRef,
            taints: taintsOf(placement[name]),
            requirements: requirements(name, pool, capacityTypes, domain),
            // The longest that a node waits for pods that must not be disrupted, after it has expired or has drifted.
            terminationGracePeriod: '24h',
          },
        },
        disruption: { consolidationPolicy: DEFAULTS[name].consolidation, consolidateAfter: '5m' },
        limits: { cpu: pool.maxVcpus ?? DEFAULTS[name].maxVcpus },
      },
    };
  });
}

function requirements(name: PoolName, pool: KarpenterNodePoolOptions, capacityTypes: eks.CapacityType[], domain: string): KubernetesObject[] {
  const isOneOf = (key: string, values: string[]) => ({ key, operator: 'In', values });
  return [
    isOneOf('kubernetes.io/os', ['linux']),
    isOneOf('kubernetes.io/arch', [pool.architecture === ec2.InstanceArchitecture.ARM_64 ? 'arm64' : 'amd64']),
    isOneOf('karpenter.sh/capacity-type', capacityTypes.map((type) => type === SPOT ? 'spot' : 'on-demand')),
    ...pool.instanceFamilies
      ? [isOneOf(`${domain}/instance-family`, pool.instanceFamilies)]
      : [isOneOf(`${domain}/instance-category`, ['c', 'm', 'r']), { key: `${domain}/instance-generation`, operator: 'Gt', values: ['4'] }],
    isOneOf(`${domain}/instance-size`, pool.instanceSizes ?? DEFAULTS[name].sizes),
  ];
}

function checkPool(scope: Construct, name: PoolName, pool: KarpenterNodePoolOptions): void {
  const { instanceFamilies, instanceSizes, capacityTypes, maxVcpus, architecture = ec2.InstanceArchitecture.X86_64 } = pool;
  for (const [prop, list] of Object.entries({ instanceFamilies, instanceSizes, capacityTypes })) {
    if (list !== undefined) {
      checkList(scope, `nodePools.${name}.${prop}`, list);
    }
    if (list?.length === 0) {
      fail(scope, `'nodePools.${name}.${prop}' must have at least one item, got none; omit it for the default`);
    }
  }
  instanceFamilies?.forEach((family) => checkFormat(scope, `nodePools.${name}.instanceFamilies`, family, FAMILY, "instance families such as 'm7i'"));
  const other = instanceFamilies?.find((family) => KNOWN_FAMILY.test(family) && new ec2.InstanceType(`${family}.large`).architecture !== architecture);
  if (other) { // Karpenter would find no instance, and pods would wait without an error
    fail(scope, `'nodePools.${name}.instanceFamilies' must have the architecture of 'nodePools.${name}.architecture' (${architecture}), got '${other}'`);
  }
  instanceSizes?.forEach((size) => checkFormat(scope, `nodePools.${name}.instanceSizes`, size, SIZE, "instance sizes such as 'xlarge'"));
  if (capacityTypes?.includes(eks.CapacityType.CAPACITY_BLOCK)) {
    fail(scope, `'nodePools.${name}.capacityTypes' must be SPOT or ON_DEMAND, got CAPACITY_BLOCK`);
  }
  checkCount(scope, `nodePools.${name}.maxVcpus`, maxVcpus, 1);
}
