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
 * The values of the library with those of the user merged over them as helm does it: maps are merged key by key, everything else is replaced.
 *
 * Values on which other parts rely can only be set by the prop that these parts know.
 */
export function mergeHelmValues(scope: Construct, ours: Values, overrides: HelmValueOverrides, owned: Record<string, string>): Values {
  const { helmValues = {}, removedHelmValues = [] } = overrides;
  for (const [path, prop] of Object.entries(owned)) {
    if (touches(helmValues, path.split('.')) || removedHelmValues.some((removed) => contains(removed, path) || contains(path, removed))) {
      const reason = prop.startsWith('helmValues.') ? 'because it would contain a secret in plain text' : `because '${prop}' sets it`;
      fail(scope, `'helmValues.${path}' must not be set, ${reason}; use '${prop}'`);
    }
  }
  const merged = merge(ours, helmValues);
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

function set(values: Values, [key, ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    values[key] = value;
  } else {
    values[key] = isMap(values[key]) ? { ...values[key] } : {};
    set(values[key], rest, value);
  }
}
