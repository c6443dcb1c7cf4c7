import { Lazy } from 'aws-cdk-lib';
import { capacityOf } from '../../src/nodes/instance-capacity';

/**
 * What Karpenter computes for a type: thousandths of a vCPU, MiB, and pods.
 *
 * @see https://karpenter.sh/docs/reference/instance-types/
 */
const KARPENTER: [string, number, number, number][] = [
  ['c5.large', 1930, 3114, 29],
  ['c5a.large', 1930, 3114, 29],
  ['c5a.xlarge', 3920, 6584, 58],
  ['c5a.2xlarge', 7910, 14162, 58],
  ['c5.2xlarge', 7910, 14162, 58],
  ['m5a.2xlarge', 7910, 29317, 58],
  ['m5.large', 1930, 6903, 29],
  ['m7g.xlarge', 3920, 14103, 58],
  ['r6g.large', 1930, 14422, 29],
  ['c7g.2xlarge', 7910, 14103, 58],
  ['m7i-flex.xlarge', 3920, 14162, 58],
  ['m8i.large', 1930, 6573, 59],
  ['c8g.xlarge', 3920, 6525, 58],
  ['r8g.2xlarge', 7910, 59568, 58],
  ['t3.small', 1930, 1418, 11],
  ['t3.medium', 1930, 3246, 17],
  ['t3.large', 1930, 6837, 35],
  ['t4g.xlarge', 3920, 14103, 58],
  ['t3a.2xlarge', 7910, 29317, 58],
  ['c6i.12xlarge', 47810, 88002, 234],
];

test.each(KARPENTER)('%s has the CPU that Karpenter computes, and at most its memory and its pods', (type, cpu, memory, pods) => {
  const capacity = capacityOf(type)!;
  expect(capacity.cpu).toBe(cpu);
  expect(capacity.memory).toBeLessThanOrEqual(memory);
  expect(capacity.memory).toBeGreaterThan(memory * 0.8 - 100);
  expect(capacity.pods).toBeLessThanOrEqual(pods);
});

/**
 * What the nodes of real clusters report as allocatable: thousandths of a vCPU, and GiB, the lowest of several nodes.
 *
 * @see https://github.com/2i2c-org/infrastructure/blob/main/deployer/commands/generate/resource_allocation/instance_capacities.yaml
 */
const NODES: [string, number, number][] = [
  ['m5.large', 1930, 6.803],
  ['m5.xlarge', 3920, 14.202],
  ['r5.xlarge', 3920, 29.916],
  ['r5.2xlarge', 7910, 61.041],
  ['r5.4xlarge', 15890, 121.492],
  ['r5.16xlarge', 63770, 490.108],
];

test.each(NODES)('%s has the CPU of a real node, and at most its memory', (type, cpu, gibibytes) => {
  const capacity = capacityOf(type)!;
  expect(capacity.cpu).toBe(cpu);
  expect(capacity.memory).toBeLessThanOrEqual(gibibytes * 1024);
  expect(capacity.memory).toBeGreaterThan(gibibytes * 1024 * 0.9);
});

test('a node has at most the pods that managed node groups allow', () => {
  expect(capacityOf('m6i.4xlarge')!.pods).toBe(110);
  expect(capacityOf('m6i.16xlarge')!.pods).toBe(234);
});

test.each(['c5n.large', 'm5zn.3xlarge', 'm4.large', 'g5.xlarge', 'x2idn.32xlarge', 'm5.metal', 'c6g.medium', 't2.large', 'large'])('%s does not follow the rule', (type) => {
  expect(capacityOf(type)).toBeUndefined();
});

test('a token is not known', () => {
  expect(capacityOf(Lazy.string({ produce: () => 'm5.large' }))).toBeUndefined();
});
