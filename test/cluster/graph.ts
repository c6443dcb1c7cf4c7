/**
 * The order in which CloudFormation works: as the edges of a template allow it.
 */
import { Template } from './assembly';
import { references } from './intrinsics';

/** What each resource waits for, by logical ID. */
export type Edges = ReadonlyMap<string, ReadonlySet<string>>;

/** Which of the orders that the edges allow. Without any of these, all that is free runs at once, as in CloudFormation. */
export interface Order {
  /** One at a time, in an order drawn by this number. */
  readonly seed?: number;
  /** One at a time, first those whose ID contains one of these. */
  readonly first?: string[];
  /** One at a time, last those whose ID contains one of these. */
  readonly last?: string[];
  /** One at a time, in the order of the template. */
  readonly sequential?: boolean;
}

export interface Outcome {
  readonly done: string[];
  readonly failed: string[];
  /** What was not started, because something failed before. */
  readonly left: string[];
}

/** The edges of a template: `DependsOn`, and what the properties refer to. */
export function edgesOf({ Resources }: Template): Edges {
  return new Map(Object.entries(Resources).map(([id, { DependsOn, Properties }]) => [id, new Set(
    [...[DependsOn ?? []].flat(), ...references(Properties)].filter((other) => other in Resources && other !== id),
  )]));
}

/** The edges of a deletion: each resource waits for those that waited for it. */
export function reversed(edges: Edges): Edges {
  return new Map([...edges.keys()].map((id) => [id, new Set([...edges.keys()].filter((other) => edges.get(other)!.has(id)))]));
}

/** Does the work for each resource when the work for all that it waits for is done. */
export async function walk(edges: Edges, work: (id: string) => Promise<boolean>, order: Order, onFailure: 'stop' | 'continue'): Promise<Outcome> {
  const waiting = new Set(edges.keys());
  const running = new Map<string, Promise<void>>();
  const outcome = { done: [] as string[], failed: [] as string[] };
  const next = chooser(order);
  const start = (id: string) => {
    waiting.delete(id);
    running.set(id, work(id).then((ok) => {
      running.delete(id);
      (ok ? outcome.done : outcome.failed).push(id);
    }));
  };
  for (;;) {
    const stopped = onFailure === 'stop' && outcome.failed.length > 0;
    const free = stopped ? [] : [...waiting].filter((id) => [...edges.get(id)!].every((other) => outcome.done.includes(other)));
    next(free, running.size).forEach(start);
    if (running.size === 0) {
      if (waiting.size > 0 && outcome.failed.length === 0) {
        throw new Error(`these wait for each other: ${[...waiting].join(', ')}`);
      }
      return { ...outcome, left: [...waiting] };
    }
    await Promise.race(running.values());
  }
}

/** Which of the free ones to start now. */
function chooser({ seed, first = [], last = [], sequential }: Order): (free: string[], running: number) => string[] {
  if (seed === undefined && first.length + last.length === 0 && !sequential) {
    return (free) => free;
  }
  const random = seed === undefined ? () => 0 : generator(seed);
  const contains = (id: string, parts: string[]) => parts.some((part) => id.includes(part));
  const rank = (id: string) => contains(id, first) ? 0 : contains(id, last) ? 2 : 1;
  return (free, running) => {
    const best = Math.min(...free.map(rank));
    const candidates = free.filter((id) => rank(id) === best);
    return running > 0 || candidates.length === 0 ? [] : [candidates[Math.floor(random() * candidates.length)]];
  };
}

/** A linear congruential generator: the same order on each machine. */
function generator(seed: number): () => number {
  let state = BigInt(seed);
  const next = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number(state / 2n ** 32n) / 2 ** 32;
  };
  next();
  return next;
}
