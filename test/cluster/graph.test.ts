import { Edges, edgesOf, reversed, walk } from './graph';

/** `'a b': ['c']` means that a and b wait for c. */
const edges = (waits: Record<string, string[]>): Edges => new Map(Object.entries(waits)
  .flatMap(([ids, others]) => ids.split(' ').map((id) => [id, new Set(others)])));

async function orderOf(graph: Edges, order = {}): Promise<string[]> {
  const { done } = await walk(graph, async () => true, order, 'stop');
  return done;
}

const CHAIN = edges({ namespace: [], nodes: [], operator: ['nodes'], secrets: ['namespace', 'operator'], release: ['secrets'] });

test('edges are what a resource depends on and refers to', () => {
  expect(edgesOf({
    Resources: {
      A: { Type: 'T' },
      B: { Type: 'T', DependsOn: 'A', Properties: { Self: { Ref: 'B' }, Region: { Ref: 'AWS::Region' } } },
      C: { Type: 'T', DependsOn: ['A'], Properties: { Name: { 'Fn::GetAtt': ['B', 'Arn'] } } },
    },
  })).toEqual(edges({ A: [], B: ['A'], C: ['A', 'B'] }));
});

test('a deletion waits the other way round', () => {
  expect(reversed(edges({ a: [], b: ['a'], c: ['a', 'b'] }))).toEqual(edges({ a: ['b', 'c'], b: ['c'], c: [] }));
});

test('all that is free runs at once', async () => {
  const running = new Set<string>();
  let most = 0;
  await walk(edges({ 'a b c': [], 'd': ['a', 'b'] }), async (id) => {
    running.add(id);
    most = Math.max(most, running.size);
    await new Promise((resolve) => setTimeout(resolve, 1));
    return running.delete(id);
  }, {}, 'stop');
  expect(most).toBe(3);
});

test('one at a time in the order of the template', async () => {
  expect(await orderOf(CHAIN, { sequential: true })).toEqual(['namespace', 'nodes', 'operator', 'secrets', 'release']);
});

test('some first and some last, as the edges allow', async () => {
  expect(await orderOf(reversed(CHAIN), { last: ['namespace'] })).toEqual(['release', 'secrets', 'operator', 'nodes', 'namespace']);
  expect(await orderOf(CHAIN, { first: ['secrets', 'oper'], last: ['namespace'] })).toEqual(['nodes', 'operator', 'namespace', 'secrets', 'release']);
});

test('a seed draws one of the orders, the same each time', async () => {
  const wide = edges({ 'a b c d e f': [], 'g': ['a'] });
  const orders = await Promise.all([...Array(20).keys()].map(async (seed) => (await orderOf(wide, { seed })).join('')));
  expect(new Set(orders).size).toBeGreaterThan(15);
  expect((await orderOf(wide, { seed: 3 })).join('')).toBe(orders[3]);
  orders.forEach((order) => expect(order.indexOf('g')).toBeGreaterThan(order.indexOf('a')));
});

test('stops after a failure, or continues with what does not wait for it', async () => {
  const graph = edges({ a: [], b: ['a'], c: [], d: ['c'] });
  const failing = async (id: string) => id !== 'a';
  expect(await walk(graph, failing, { sequential: true }, 'stop')).toEqual({ done: [], failed: ['a'], left: ['b', 'c', 'd'] });
  expect(await walk(graph, failing, { sequential: true }, 'continue')).toEqual({ done: ['c', 'd'], failed: ['a'], left: ['b'] });
});

test('fails when resources wait for each other', async () => {
  await expect(orderOf(edges({ a: ['b'], b: ['a'], c: [] }))).rejects.toThrow('these wait for each other: a, b');
});
