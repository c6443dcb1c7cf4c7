/**
 * Stands in for managed node groups: gives them nodes of the cluster, or asks a simulator for nodes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'fs';
import { join } from 'path';
import { Properties } from './provider';
import { Tools } from './tools';

const LABEL = 'eks.amazonaws.com/nodegroup';
/** The label of nodes that belong to no node group of the stack, as the cluster that it is deployed to has them. */
const EXISTING = 'existing';
const EFFECTS: Record<string, string> = { NO_SCHEDULE: 'NoSchedule', NO_EXECUTE: 'NoExecute', PREFER_NO_SCHEDULE: 'PreferNoSchedule' };
/** Seconds for pods to leave by eviction, which disruption budgets can hold up. */
const DRAIN = 120;

export interface NodeGroups {
  /** Before the first deployment: this many nodes are outside of node groups. */
  prepare(existing: number): Promise<void>;
  create(name: string, properties: Properties): Promise<void>;
  update(name: string, properties: Properties): Promise<void>;
  delete(name: string, properties: Properties): Promise<void>;
}

const taintsOf = ({ Taints = [] }: Properties): Properties[] =>
  Taints.map(({ Key, Value, Effect }: Properties) => ({ key: Key, value: Value, effect: EFFECTS[Effect] }));

/** Each node group gets one worker node. Those that belong to none are cordoned, as if they were not there. */
export class NodesOfCluster implements NodeGroups {
  private taken: Promise<unknown> = Promise.resolve();

  constructor(private readonly tools: Tools, private readonly note: (text: string) => void) {}

  public async prepare(existing: number): Promise<void> {
    for (const [index, node] of (await this.free()).entries()) {
      await this.patch(node, index < existing ? { [LABEL]: EXISTING } : {}, [], index >= existing);
    }
  }

  public async create(name: string, properties: Properties): Promise<void> {
    const take = async () => {
      const [node] = await this.free();
      if (!node) {
        throw new Error(`no worker node is left for the node group '${name}'`);
      }
      await this.patch(node, { ...properties.Labels, [LABEL]: name }, taintsOf(properties), false);
    };
    this.taken = this.taken.then(take, take); // one after the other, so that no two take the same node
    await this.taken;
  }

  public async update(name: string, properties: Properties): Promise<void> {
    for (const node of await this.nodes(`${LABEL}=${name}`)) {
      await this.patch(node, { ...properties.Labels, [LABEL]: name }, taintsOf(properties), false);
    }
  }

  public async delete(name: string, { Labels }: Properties): Promise<void> {
    const removed = Object.fromEntries(Object.keys({ ...Labels, [LABEL]: name }).map((key) => [key, null]));
    for (const node of await this.nodes(`${LABEL}=${name}`)) {
      const drain = ['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force'];
      await this.tools.kubectl(...drain, '--timeout', `${DRAIN}s`).catch(async (error) => {
        this.note(`${name}: pods are deleted, because eviction did not end: ${error.message}`);
        await this.tools.kubectl(...drain, '--disable-eviction', '--grace-period', '0');
      });
      await this.patch(node, removed, [], true);
    }
  }

  private async free(): Promise<string[]> {
    return this.nodes(`!${LABEL},!node-role.kubernetes.io/control-plane`);
  }

  private async nodes(selector: string): Promise<string[]> {
    return (await this.tools.objects('nodes', '--selector', selector)).map(({ metadata }) => metadata.name);
  }

  private async patch(node: string, labels: Record<string, string | null>, taints: Properties[], unschedulable: boolean): Promise<void> {
    await this.tools.kubectl('patch', 'node', node, '--type', 'merge', '--patch', JSON.stringify({ metadata: { labels }, spec: { taints, unschedulable } }));
  }
}

/** A file per node group, for a simulator that makes and removes the nodes. */
export class SimulatedNodes implements NodeGroups {
  constructor(private readonly tools: Tools, private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  public async prepare(existing: number): Promise<void> {
    if (existing > 0) {
      await this.create(EXISTING, { InstanceTypes: ['m5.large'], ScalingConfig: { MinSize: existing } });
    }
  }

  public async create(name: string, { CapacityType = 'ON_DEMAND', InstanceTypes, Labels = {}, ScalingConfig, ...rest }: Properties): Promise<void> {
    const group = {
      name,
      index: existsSync(this.file(name)) ? this.indexOf(`${name}.json`) : this.freeIndex(),
      type: InstanceTypes[0],
      count: Number(ScalingConfig.DesiredSize ?? ScalingConfig.MinSize),
      capacity: CapacityType,
      labels: Labels,
      taints: taintsOf(rest),
    };
    writeFileSync(join(this.folder, `.${name}`), JSON.stringify(group)); // the simulator never sees half a file
    renameSync(join(this.folder, `.${name}`), this.file(name));
  }

  public async update(name: string, properties: Properties): Promise<void> {
    await this.create(name, properties);
  }

  /** A node group is deleted when its nodes are. */
  public async delete(name: string): Promise<void> {
    rmSync(this.file(name), { force: true });
    await this.tools.kubectl('wait', 'nodes', '--selector', `${LABEL}=${name}`, '--for', 'delete', '--timeout', '900s');
  }

  private file(name: string): string {
    return join(this.folder, `${name}.json`);
  }

  private indexOf(file: string): number {
    return JSON.parse(readFileSync(join(this.folder, file), 'utf8')).index;
  }

  private freeIndex(): number {
    const used = readdirSync(this.folder).filter((file) => file.endsWith('.json')).map((file) => this.indexOf(file));
    return Array.from({ length: used.length + 1 }, (_, index) => index + 1).find((index) => !used.includes(index))!;
  }
}
