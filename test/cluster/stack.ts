/**
 * Plays CloudFormation: creates, updates, deletes and rolls back a stack.
 */
import { Assembly } from './assembly';
import { Edges, edgesOf, Order, reversed, walk } from './graph';
import { resolve } from './intrinsics';
import { CREATE_FAILED, Deployed, differ, Properties, Provider } from './provider';
import { Report, ToldToFail } from './report';

export interface State {
  readonly resources: Record<string, Deployed>;
}

export interface StackOptions {
  readonly order: Order;
  /** Part of the logical ID of a resource whose creation or update is done and then reported as failed, as after a timeout. */
  readonly fail?: string;
  /** Leave what was done before a failure. */
  readonly noRollback?: boolean;
}

type Kind = 'Create' | 'Update' | 'Delete';

/** What an update leaves to be deleted at its end. */
interface Obsolete { readonly id: string; readonly resource: Deployed; readonly retained: boolean }

/** Retained when the operation that created it is rolled back. */
const retainedOnCreate = ({ deletionPolicy }: Deployed) => deletionPolicy === 'Retain';
/** Retained when the stack is deleted, or the resource leaves the template. */
const retainedOnDelete = ({ deletionPolicy }: Deployed) => deletionPolicy === 'Retain' || deletionPolicy === 'RetainExceptOnCreate';

export class Stack {
  /** What is still to fail. */
  public failure?: string;
  private obsolete: Obsolete[] = [];

  constructor(
    private readonly state: State,
    private readonly providerOf: (type: string) => Provider,
    private readonly report: Report,
    private readonly options: StackOptions,
    private readonly save: () => void = () => {},
  ) {
    this.failure = options.fail;
  }

  /** Creates what does not exist. What was created is deleted again when something fails. */
  public async create(assembly: Assembly): Promise<boolean> {
    const { failed } = await walk(edgesOf(assembly.template), async (id) => {
      const old = this.state.resources[id];
      return old && old.physicalId !== CREATE_FAILED ? true : this.createOne(assembly, id);
    }, this.options.order, 'stop');
    if (failed.length > 0 && !this.options.noRollback) {
      this.report.note('rollback');
      await this.deleteAll(retainedOnCreate);
    }
    return failed.length === 0;
  }

  /** Creates what is new, updates what has changed, and at the end deletes what is gone. Returns the number of changes, or undefined on failure. */
  public async update(assembly: Assembly): Promise<number | undefined> {
    const before = { ...this.state.resources };
    const changed = new Map<string, Kind>();
    const { failed } = await walk(edgesOf(assembly.template), async (id) => {
      const old = this.state.resources[id];
      if (!old) {
        changed.set(id, 'Create');
        return this.createOne(assembly, id);
      }
      const properties = this.properties(assembly, id);
      if (!differ(old.properties, properties)) {
        this.put(id, { ...old, ...this.policies(assembly, id) });
        return true;
      }
      changed.set(id, 'Update');
      return this.updateOne(id, old, properties, this.policies(assembly, id));
    }, this.options.order, 'stop');
    const gone = Object.keys(this.state.resources).filter((id) => failed.length > 0 ? !before[id] : !assembly.template.Resources[id]);
    if (failed.length > 0) {
      if (this.options.noRollback) {
        return undefined;
      }
      this.report.note('rollback');
      this.obsolete = [];
      await this.restore(before, changed);
    }
    const retained = failed.length > 0 ? retainedOnCreate : retainedOnDelete;
    this.obsolete.push(...gone.map((id) => ({ id, resource: this.state.resources[id], retained: retained(this.state.resources[id]) })));
    await this.cleanUp(gone);
    return failed.length > 0 ? undefined : changed.size + gone.length;
  }

  /** Deletes all that exists; what depends on something that could not be deleted stays. */
  public async delete(): Promise<void> {
    await this.deleteAll(retainedOnDelete);
  }

  private async createOne(assembly: Assembly, id: string): Promise<boolean> {
    const type = assembly.template.Resources[id].Type;
    const properties = this.properties(assembly, id);
    const rest = { type, properties, ...this.policies(assembly, id) };
    const ok = await this.step('Create', id, type, async () => {
      this.put(id, { ...rest, ...await this.providerOf(type).create(id, type, properties) });
    });
    if (!ok && type.startsWith('Custom::')) {
      this.put(id, { ...rest, physicalId: CREATE_FAILED, attributes: {} });
    }
    return ok;
  }

  private async updateOne(id: string, old: Deployed, properties: Properties, policies: Partial<Deployed>): Promise<boolean> {
    return this.step('Update', id, old.type, async () => {
      const { physicalId, attributes } = await this.providerOf(old.type).update(id, old, properties);
      this.put(id, { ...old, ...policies, properties, physicalId, attributes });
      if (physicalId !== old.physicalId) {
        this.report.note(`${id} was replaced`);
        this.obsolete.push({ id, resource: old, retained: old.updateReplacePolicy === 'Retain' });
      }
    });
  }

  /** Back to the properties before a failed update, in the order of the old edges. */
  private async restore(before: Record<string, Deployed>, changed: ReadonlyMap<string, Kind>): Promise<void> {
    await walk(edgesOfState(before), async (id) => {
      const now = this.state.resources[id];
      if (changed.get(id) !== 'Update') {
        this.put(id, before[id]);
        return true;
      }
      if (now.physicalId !== before[id].physicalId) { // the old one still exists
        this.obsolete.push({ id, resource: now, retained: false });
        this.put(id, before[id]);
        return true;
      }
      return this.updateOne(id, now, before[id].properties, before[id]);
    }, this.options.order, 'continue');
  }

  /** Deletes what an update left, in the reverse order of the edges. */
  private async cleanUp(gone: string[]): Promise<void> {
    const edges = edgesOfState({ ...this.state.resources });
    await walk(reversed(edges), async (id) => {
      const results = await Promise.all(this.obsolete.filter((entry) => entry.id === id).map(
        async ({ resource, retained }) => this.deleteOne(id, resource, retained)));
      if (gone.includes(id) && results.every(Boolean)) {
        this.remove(id);
      }
      return results.every(Boolean);
    }, this.options.order, 'continue');
    this.obsolete = [];
  }

  private async deleteAll(retained: (resource: Deployed) => boolean): Promise<void> {
    await walk(reversed(edgesOfState({ ...this.state.resources })), async (id) => {
      const ok = await this.deleteOne(id, this.state.resources[id], retained(this.state.resources[id]));
      if (ok) {
        this.remove(id);
      }
      return ok;
    }, this.options.order, 'continue');
  }

  private async deleteOne(id: string, resource: Deployed, retained: boolean): Promise<boolean> {
    if (retained || resource.physicalId === CREATE_FAILED) {
      this.report.note(`Delete ${id} skipped: ${retained ? 'retained' : 'its creation failed'}`);
      return true;
    }
    return this.step('Delete', id, resource.type, async () => this.providerOf(resource.type).delete(id, resource));
  }

  private async step(kind: Kind, id: string, type: string, work: () => Promise<void>): Promise<boolean> {
    if (this.providerOf(type).asserted(type)) {
      this.report.note(`${kind} ${id}`);
    }
    return this.report.step(`${kind} ${id}`, async () => {
      await work();
      if (kind !== 'Delete' && this.failure !== undefined && id.includes(this.failure)) {
        this.failure = undefined;
        throw new ToldToFail();
      }
    }, this.providerOf(type).asserted(type));
  }

  private properties(assembly: Assembly, id: string): Properties {
    const { Type, Properties: properties = {} } = assembly.template.Resources[id];
    return this.providerOf(Type).properties(Type, resolve(properties, assembly.scope({
      reference: (other) => this.deployed(other).physicalId,
      attribute: (other, name) => {
        const deployed = this.deployed(other);
        return deployed.attributes[name] ?? this.providerOf(deployed.type).attribute(other, deployed, name);
      },
    })));
  }

  private policies({ template }: Assembly, id: string): Pick<Deployed, 'dependsOn' | 'deletionPolicy' | 'updateReplacePolicy'> {
    const { DeletionPolicy, UpdateReplacePolicy } = template.Resources[id];
    return { dependsOn: [...edgesOf(template).get(id)!], deletionPolicy: DeletionPolicy, updateReplacePolicy: UpdateReplacePolicy };
  }

  private deployed(id: string): Deployed {
    if (!this.state.resources[id]) {
      throw new Error(`'${id}' does not exist yet`);
    }
    return this.state.resources[id];
  }

  private put(id: string, resource: Deployed): void {
    this.state.resources[id] = resource;
    this.save();
  }

  private remove(id: string): void {
    delete this.state.resources[id];
    this.save();
  }
}

function edgesOfState(resources: Record<string, Deployed>): Edges {
  return new Map(Object.entries(resources).map(([id, { dependsOn }]) => [id, new Set(dependsOn.filter((other) => other in resources))]));
}
