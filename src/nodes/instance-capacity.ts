import { Token } from 'aws-cdk-lib';

/** What pods can request of one node. */
export interface NodeCapacity {
  readonly vcpus: number;
  /** Thousandths of a vCPU. */
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
  readonly pods: number;
}

/** GiB of memory per vCPU of the categories compute optimized, general purpose and memory optimized. */
const MEMORY_PER_VCPU: Record<string, number> = { c: 2, m: 4, r: 8 };

/** vCPUs, GiB and pods of burstable instances, whose memory does not follow from their size. */
const BURSTABLE: Record<string, [number, number, number]> = {
  'small': [2, 2, 8], 'medium': [2, 4, 17], 'large': [2, 8, 35], 'xlarge': [4, 16, 58], '2xlarge': [8, 32, 58],
};

/**
 * What pods can request of a node of an instance type, or undefined for a type that does not follow the rule.
 *
 * Instances of the categories c, m and r from generation 5 have a fixed number of vCPUs per size and a fixed amount of memory per vCPU. The number of
 * pods is that of the network interfaces, up to the maximum of managed node groups. Compared with what Karpenter computes for 843 types, the CPU is
 * exact, and the memory and the number of pods are never more.
 *
 * @see https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html
 * @see https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
 * @see https://karpenter.sh/docs/reference/instance-types/
 */
export function capacityOf(instanceType: string): NodeCapacity | undefined {
  if (Token.isUnresolved(instanceType)) {
    return undefined;
  }
  const [family, size] = instanceType.split('.');
  if (/^t(3|3a|4g)$/.test(family) && BURSTABLE[size]) {
    const [vcpus, gibibytes, pods] = BURSTABLE[size];
    return allocatable(vcpus, gibibytes, pods, Math.max(pods, 11));
  }
  const [, category, generation] = /^([cmr])([5-9]|1\d)[a-z]*(?:-flex)?$/.exec(family) ?? [];
  const vcpus = vcpusOf(size);
  if (!category || !vcpus || ['c5n', 'm5zn'].includes(family)) { // which have more memory, or more interfaces
    return undefined;
  }
  const pods = vcpus === 2 ? 29 : vcpus < 16 ? 58 : vcpus < 30 ? 110 : 234;
  // Later generations have more network interfaces, and EKS reserves memory for the pods that they allow.
  const reservedPods = Number(generation) < 8 && vcpus < 64 ? pods : vcpus === 2 ? 75 : vcpus < 30 ? 110 : 250;
  return allocatable(vcpus, vcpus * MEMORY_PER_VCPU[category], pods, reservedPods);
}

function vcpusOf(size: string): number | undefined {
  const [, multiple] = /^(\d*)xlarge$/.exec(size) ?? [];
  return size === 'large' ? 2 : multiple === undefined ? undefined : 4 * Number(multiple || 1);
}

/**
 * What is left of a node: the hypervisor and the kernel take some 7.5 percent of the memory, and the kubelet reserves its part.
 *
 * @see https://awslabs.github.io/amazon-eks-ami/nodeadm/
 */
function allocatable(vcpus: number, gibibytes: number, pods: number, reservedPods: number): NodeCapacity {
  const reservedCpu = 60 + 10 + 5 * Math.min(2, vcpus - 2) + 2.5 * Math.max(0, vcpus - 4);
  const reservedMemory = 255 + 11 * reservedPods + 100; // the last is the threshold of eviction
  return { vcpus, cpu: Math.floor(vcpus * 1000 - reservedCpu), memory: Math.floor(gibibytes * 1024 * 0.925 - 60 - reservedMemory), pods };
}
