import { Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Values } from './settings';
import { fail } from '../errors';

/** What the user has to say about the values that we write. */
export interface ValueOverrides {
  readonly values?: Values;
  readonly removedValues?: string[];
}

/**
 * The values with the user's merged over them: maps key by key, all else replaced as a whole, as helm does it.
 *
 * What other parts rely on can only be said by the prop that these parts see too.
 */
export function mergeValues(scope: Construct, ours: Values, overrides: ValueOverrides, owned: Record<string, string>): Values {
  for (const [path, prop] of Object.entries(owned)) {
    if (touches(overrides.values ?? {}, path.split('.')) || overrides.removedValues?.some((removed) => holds(removed, path) || holds(path, removed))) {
      fail(scope, `'values.${path}' is what '${prop}' is for; take it out of 'values' and use '${prop}'`);
    }
  }
  const merged = merge(ours, overrides.values ?? {});
  for (const path of overrides.removedValues ?? []) {
    set(merged, path.split('.'), null);
  }
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

/** Whether values say something of a path: at it, below it, or by other than a map above it. */
function touches(values: Values, [key, ...rest]: string[]): boolean {
  const value = values[key];
  return value !== undefined && (rest.length === 0 || !isMap(value) || touches(value, rest));
}

/** Whether one path is another, or above it. */
function holds(path: string, other: string): boolean {
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

/**
 * Fails if a secret is among the values: they stand in the template, and in the log of the function that runs helm. Dynamic references
 * are refused as well: CloudFormation does not resolve them inside a custom resource.
 */
export function checkNoSecret(scope: Construct, prop: string, value: unknown): void {
  const stack = Stack.of(scope);
  // Only what has tokens is resolved, which takes long. It is seen before its toJSON(), which hides it.
  const text = JSON.stringify(value, function (this: any, name, json) {
    const raw = this[name];
    return Token.isUnresolved(raw) || isMap(raw) && Object.keys(raw).some((key) => Token.isUnresolved(key)) ? stack.resolve(raw) : json;
  }) ?? '';
  if (text.includes('{{resolve:')) {
    fail(scope, `'${prop}' must not hold a SecretValue, which would arrive in the cluster as the text '{{resolve:...'; give it as an AirflowSecret`);
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    fail(scope, `'${prop}' must not hold a private key in plain text; keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()`);
  }
  if (/\w+:\/\/[^/\s:@"]*:[^/\s:@"]+@/.test(text)) {
    fail(scope, `'${prop}' must not hold a URL with a password; keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()`);
  }
}
