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

/** What a user may do with the values of a chart, by their paths. */
export interface ValueRules {
  /** Values that a prop sets, and the prop. */
  readonly owned: Record<string, string>;
  /** Values without which the release does not work, and the reason with a way out. */
  readonly refused: Record<string, string>;
  /** Lists to which those of the user are appended. All other lists are replaced, as by Helm. */
  readonly appended: string[];
  /** Environment variables that another prop sets, and the prop. */
  readonly ownedVariables: Record<string, string>;
}

/**
 * The values of the library with those of the user merged over them as Helm does it: maps are merged key by key, everything else is replaced.
 *
 * Values on which other parts rely are refused. Lists without which the release does not work are appended to, not replaced.
 */
export function mergeHelmValues(scope: Construct, ours: Values, overrides: HelmValueOverrides, rules: ValueRules): Values {
  const { helmValues = {}, removedHelmValues = [] } = overrides;
  const removed = (path: string) => removedHelmValues.some((other) => contains(other, path) || contains(path, other));
  const sets = (path: string) => touches(helmValues, path.split('.')) || removed(path);
  for (const [path, prop] of Object.entries(rules.owned).filter(([owned]) => sets(owned))) {
    fail(scope, `'helmValues.${path}' must not be set, because '${prop}' sets it; use '${prop}'`);
  }
  for (const [path, reason] of Object.entries(rules.refused).filter(([refused]) => sets(refused))) {
    fail(scope, `'helmValues.${path}' must not be set, because ${reason}`);
  }
  checkVariables(scope, 'helmValues', helmValues, rules.ownedVariables);
  const merged = merge(ours, helmValues);
  for (const path of rules.appended.filter((candidate) => valueAt(ours, candidate) !== undefined && sets(candidate))) {
    const list = valueAt(helmValues, path);
    if (!Array.isArray(list) || removed(path)) {
      fail(scope, `'helmValues.${path}' must be a list, which is appended to that of the library, got ${removed(path) ? 'its removal' : JSON.stringify(list)}`);
    }
    set(merged, path.split('.'), [...valueAt(ours, path) as unknown[], ...list]);
  }
  removedHelmValues.forEach((path) => set(merged, path.split('.'), null));
  checkBudgets(scope, [], merged);
  return merged;
}

/** Fails if a list of environment variables, at any depth, sets one of another prop. */
function checkVariables(scope: Construct, path: string, value: unknown, owned: Record<string, string>): void {
  const children = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  for (const [key, child] of children) {
    const prop = Array.isArray(value) && owned[child?.name];
    if (prop) {
      fail(scope, `'${path}' must not set ${child.name}, which '${prop}' sets; use '${prop}'`);
    }
    checkVariables(scope, `${path}.${key}`, child, owned);
  }
}

/** Kubernetes refuses a disruption budget with both bounds, of which the library sets one. */
function checkBudgets(scope: Construct, path: string[], values: Values): void {
  if (values.minAvailable && values.maxUnavailable) {
    fail(scope, `'helmValues.${path.join('.')}' must not have both 'minAvailable' (${values.minAvailable}) and 'maxUnavailable' (${values.maxUnavailable});`
      + ` add '${[...path, 'maxUnavailable'].join('.')}' to 'removedHelmValues'`);
  }
  for (const [key, value] of Object.entries(values).filter((entry): entry is [string, Values] => isMap(entry[1]))) {
    checkBudgets(scope, [...path, key], value);
  }
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

/** A part of a chart, unless its values switch it off: as a list, to be spread into others. */
export function enabled(part?: Values): Values[] {
  return part?.enabled ? [part] : [];
}
