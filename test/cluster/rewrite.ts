/**
 * Puts the stand-ins for AWS into manifests and values on their way to the cluster.
 */
import { Value } from './intrinsics';
import { Properties } from './provider';
import { Secrets } from './secrets';
import { Volumes } from './volumes';

export interface StandIns {
  readonly secrets: Secrets;
  /** In place of EFS; without it, volumes stay those of the EFS CSI driver. */
  readonly volumes?: Pick<Volumes, 'source'>;
  /** Values that are merged into those of a release, by release: replicas that differ, a Git server that can be reached. */
  readonly values: Record<string, Value>;
}

const isObject = (value: Value) => value !== null && typeof value === 'object' && !Array.isArray(value);

export function rewrite(properties: Properties, standIns: StandIns): Properties {
  const values = standIns.values[properties.Release];
  if (values !== undefined) {
    return { ...properties, Values: JSON.stringify(merge(JSON.parse(properties.Values ?? '{}'), values)) };
  }
  if (properties.Manifest === undefined) {
    return properties;
  }
  const objects: Value[] = JSON.parse(properties.Manifest);
  const keys = objects.filter(({ kind }) => kind === 'ExternalSecret').flatMap(({ spec }) => spec.data ?? []).map(({ remoteRef }) => remoteRef.key);
  return {
    ...properties,
    Manifest: JSON.stringify(objects.map((object) => {
      switch (object.kind) {
        case 'SecretStore': case 'ClusterSecretStore': return { ...object, spec: { ...object.spec, provider: standIns.secrets.provider(keys) } };
        case 'PersistentVolume': return { ...object, spec: volume(object.spec, standIns.volumes) };
        default: return object;
      }
    })),
  };
}

/** Nodes mount a folder without the options of EFS. */
function volume(spec: Value, volumes: StandIns['volumes']): Value {
  if (volumes === undefined || spec.csi?.driver !== 'efs.csi.aws.com') {
    return spec;
  }
  const { csi, mountOptions: _options, ...rest } = spec;
  return { ...rest, ...volumes.source(csi.volumeHandle) };
}

/** As helm merges values: objects by key, all else is replaced. */
export function merge(base: Value, over: Value): Value {
  if (!isObject(base) || !isObject(over)) {
    return over;
  }
  return Object.fromEntries([...new Set([...Object.keys(base), ...Object.keys(over)])].map((key) =>
    [key, key in over ? merge(base[key], over[key]) : base[key]]));
}
