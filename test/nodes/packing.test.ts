import { packed, timesIn } from '../../src/nodes/packing';

const GIB = 1024;
const room = { cpu: 4000, memory: 8 * GIB, pods: 10 };
const pods = (cpu: number, memory: number, count: number) => ({ cpu, memory, count });

test('equal pods fill each node as far as CPU, memory and the number of pods allow', () => {
  expect(timesIn(room, { cpu: 1000, memory: GIB })).toBe(4);
  expect(timesIn(room, { cpu: 100, memory: 3 * GIB })).toBe(2);
  expect(timesIn(room, { cpu: 100, memory: 1 })).toBe(10);
  expect(timesIn(room, { cpu: 0, memory: 0 })).toBe(10);
  expect(timesIn(room, { cpu: 4001, memory: 1 })).toBe(0);
  expect(packed([pods(1000, GIB, 4)], room)).toBe(1);
  expect(packed([pods(1000, GIB, 5)], room)).toBe(2);
});

test('smaller pods use the room that larger ones leave', () => {
  // Three nodes with one large pod each have room for four small ones each.
  expect(packed([pods(500, GIB, 12), pods(2000, 4 * GIB, 3)], room)).toBe(3);
  expect(packed([pods(500, GIB, 13), pods(2000, 4 * GIB, 3)], room)).toBe(4);
});

test('what does not fit together takes a node each, although the sum would fit', () => {
  expect(packed([pods(2500, GIB, 3)], { ...room, cpu: 4000 })).toBe(3);
  expect(packed([pods(3000, GIB, 1), pods(3000, 2 * GIB, 1)], room)).toBe(2);
});

test('no pods take no node, and a pod that fits on none takes infinitely many', () => {
  expect(packed([], room)).toBe(0);
  expect(packed([pods(5000, 1, 0)], room)).toBe(0);
  expect(packed([pods(100, 1, 1), pods(5000, 1, 1)], room)).toBe(Infinity);
});

test('a number of pods that no cluster has is counted at once', () => {
  expect(packed([pods(2000, GIB, 1e9), pods(1500, GIB, 1e9 + 1)], room)).toBe(5e8 + 5e8 + 1);
});
