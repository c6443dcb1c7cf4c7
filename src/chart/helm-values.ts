import { Construct } from 'constructs';
import { ChartPart, Values } from './chart-definition';
import { fail } from '../validation';

/** Values of the user. */
export interface HelmValueOverrides {
  readonly helmValues?: Values;
  readonly removedHelmValues?: string[];
}

/** One part of all parts. */
export function combine(parts: ChartPart[]): Required<ChartPart> {
  return {
    values: parts.map(({ values }) => values).reduce(merge, {}),
    keys: parts.flatMap(({ keys = [] }) => keys),
  };
}

/**
 * The values of the library with those of the user merged over them as Helm does it: maps are merged key by key, everything else is replaced.
 *
 * Values on which other parts rely can only be set by the prop that these parts know. Lists without which the release does not work are
 * appended to, not replaced.
 */
export function mergeHelmValues(
  scope: Construct, ours: Values, overrides: HelmValueOverrides, owned: Record<string, string>, appended: string[] = [],
): Values {
  const { helmValues = {}, removedHelmValues = [] } = overrides;
  for (const [path, prop] of Object.entries(owned)) {
    if (touches(helmValues, path.split('.')) || removedHelmValues.some((removed) => contains(removed, path) || contains(path, removed))) {
      const reason = prop.startsWith('helmValues.') ? 'because it would contain a secret in plain text' : `because '${prop}' sets it`;
      fail(scope, `'helmValues.${path}' must not be set, ${reason}; use '${prop}'`);
    }
  }
  const merged = merge(ours, helmValues);
  for (const path of appended) {
    const [first, second] = [valueAt(ours, path), valueAt(helmValues, path)];
    if (Array.isArray(first) && Array.isArray(second)) {
      set(merged, path.split('.'), [...first, ...second]);
    }
  }
  removedHelmValues.forEach((path) => set(merged, path.split('.'), null));
  return merged;
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(ours: Values, theirs: Values): Values {
  const merged = { ...ours };
  for (const [key, value] of Object.entries(theirs)) {
    merged[key] = isMap(value) && isMap(ours[key]) ? merge(ours[key], value) : value;
  }
  return merged;
}

/** Whether values set a path, a value in it, or something other than a map above it. */
function touches(values: Values, [key, ...rest]: string[]): boolean {
  const value = values[key];
  return value !== undefined && (rest.length === 0 || !isMap(value) || touches(value, rest));
}

/** Whether a path is another one, or above it. */
function contains(path: string, other: string): boolean {
  return `${other}.`.startsWith(`${path}.`);
}

/** The value at a path, if there is one. */
export function valueAt(values: Values, path: string): unknown {
  return path.split('.').reduce<any>((value, key) => value?.[key], values);
}

function set(values: Values, [key, ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    values[key] = value;
  } else {
    values[key] = isMap(values[key]) ? { ...values[key] } : {};
    set(values[key], rest, value);
  }
}
