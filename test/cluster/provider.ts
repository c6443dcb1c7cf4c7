/**
 * What creates, updates and deletes the resources of a type.
 */
import { Value } from './intrinsics';

export type Properties = Record<string, Value>;

/** A resource that exists. */
export interface Deployed {
  readonly type: string;
  readonly physicalId: string;
  /** The properties with which it was created or last updated. */
  readonly properties: Properties;
  readonly attributes: Record<string, Value>;
  /** What it refers to or depends on. */
  readonly dependsOn: string[];
  readonly deletionPolicy?: string;
  readonly updateReplacePolicy?: string;
}

export type Made = Pick<Deployed, 'physicalId' | 'attributes'>;

export interface Provider {
  /** Whether its steps count. */
  readonly asserted: (type: string) => boolean;
  /** The properties as they arrive, with what stands in for AWS. */
  properties(type: string, resolved: Properties): Properties;
  create(id: string, type: string, properties: Properties): Promise<Made>;
  /** Another physical ID means that the resource was replaced, and that the old one is deleted at the end. */
  update(id: string, old: Deployed, properties: Properties): Promise<Made>;
  delete(id: string, old: Deployed): Promise<void>;
  /** An attribute that was not returned by `create`. */
  attribute(id: string, deployed: Deployed, name: string): Value;
}

/** The physical ID of a custom resource whose creation failed: the CDK's provider framework ignores its deletion. */
export const CREATE_FAILED = 'AWSCDK::CustomResourceProviderFramework::CREATE_FAILED';


/** Whether two values differ; the order of keys means nothing. */
export function differ(left: Value, right: Value): boolean {
  const sorted = (value: Value): string => JSON.stringify(value, (_key, entry) => entry !== null && typeof entry === 'object' && !Array.isArray(entry)
    ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => a < b ? -1 : 1)) : entry);
  return sorted(left) !== sorted(right);
}
