/** Thousandths of a vCPU, and MiB. */
export interface Request {
  readonly cpu: number;
  readonly memory: number;
}

/** What pods can request of a node. */
export interface Room extends Request {
  readonly pods: number;
}

/** Equal pods. */
interface Pods extends Request {
  readonly count: number;
}

/** The number of nodes that pods take, the largest pods first, each on the first node with room; infinite if one fits on none. */
export function packed(pods: Pods[], room: Room): number {
  const share = ({ cpu, memory }: Request) => Math.max(cpu / room.cpu, memory / room.memory);
  let nodes: { readonly room: Room; readonly count: number }[] = [];
  for (const pod of [...pods].sort((one, other) => share(other) - share(one))) {
    let left = pod.count;
    nodes = [...nodes, { room, count: Infinity }].flatMap((node) => {
      const perNode = Math.min(left, timesIn(node.room, pod));
      const full = perNode > 0 ? Math.min(node.count, Math.floor(left / perNode)) : 0;
      const rest = full < node.count ? Math.min(left - full * perNode, perNode) : 0;
      left -= full * perNode + rest;
      return [
        { room: minus(node.room, pod, perNode), count: full },
        { room: minus(node.room, pod, rest), count: rest > 0 ? 1 : 0 },
        { room: node.room, count: node.count - full - (rest > 0 ? 1 : 0) },
      ];
    }).filter((node) => node.count > 0 && node.count < Infinity);
    if (left > 0) {
      return Infinity;
    }
  }
  return nodes.reduce((total, node) => total + node.count, 0);
}

/** How many equal pods fit. */
export function timesIn(room: Room, { cpu, memory }: Request): number {
  const times = (have: number, wanted: number) => wanted === 0 ? Infinity : have / wanted;
  return Math.max(0, Math.floor(Math.min(times(room.cpu, cpu), times(room.memory, memory), room.pods)));
}

export function minus(room: Room, { cpu, memory }: Request, times: number, pods = times): Room {
  return { cpu: room.cpu - times * cpu, memory: room.memory - times * memory, pods: room.pods - pods };
}
