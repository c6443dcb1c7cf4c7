import { CfnResource, Duration, Size, SizeRoundingBehavior, Stack, Token } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';

/** Throws with the path of the construct, so that an app with two deployments shows which one is meant. */
export function fail(scope: IConstruct, message: string): never {
  throw new Error(`${scope.node.path}: ${message}`);
}

/** Fails unless a value is text of the required format. A token is not known yet, and passes. */
export function checkFormat(scope: IConstruct, prop: string, value: string, format: RegExp, description: string): void {
  if (!Token.isUnresolved(value) && !(typeof value === 'string' && format.test(value))) {
    fail(scope, `'${prop}' must be ${description}, got ${shown(value)}`);
  }
}

/** Fails unless the values of a map are text. JavaScript and some jsii languages do not check the types. A token passes. */
export function checkTexts(scope: IConstruct, prop: string, texts: Record<string, string | undefined>): void {
  for (const [name, text] of Object.entries(texts)) {
    checkFormat(scope, `${prop}.${name}`, text as string, /^/, 'text');
  }
}

/** Fails unless a value is a whole number from `minimum` to `maximum`. A token passes. */
export function checkCount(scope: IConstruct, prop: string, value: number | undefined, minimum: number, wayOut = '', maximum = Infinity): void {
  if (value !== undefined && !Token.isUnresolved(value) && !(Number.isInteger(value) && value >= minimum && value <= maximum)) {
    const range = maximum === Infinity ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
    fail(scope, `'${prop}' must be a whole number ${range}, got ${shown(value)}${wayOut && `; ${wayOut}`}`);
  }
}

/** Fails unless a value is a Duration. */
export function checkDuration(scope: IConstruct, prop: string, duration: Duration): void {
  if (typeof duration?.toSeconds !== 'function') {
    fail(scope, `'${prop}' must be a Duration such as Duration.minutes(2), got ${shown(duration)}`);
  }
}

/** The seconds of a duration, which must be whole and from `minimum` to `maximum`, as the description says. A token passes. */
export function secondsOf(scope: IConstruct, prop: string, duration: Duration, [minimum, maximum]: [number, number], description: string): number {
  checkDuration(scope, prop, duration);
  const seconds = duration.toSeconds({ integral: false });
  if (!duration.isUnresolved() && !(Number.isInteger(seconds) && seconds >= minimum && seconds <= maximum)) {
    fail(scope, `'${prop}' must be ${description}, got ${seconds} seconds`);
  }
  return seconds;
}

/** The GiB of a size, which must be whole and at least `minimum`. */
export function gibibytesOf(scope: IConstruct, prop: string, size: Size, minimum: number): number {
  if (typeof size?.toGibibytes !== 'function') {
    fail(scope, `'${prop}' must be a Size such as Size.gibibytes(20), got ${shown(size)}`);
  }
  const gibibytes = size.isUnresolved() ? NaN : size.toGibibytes({ rounding: SizeRoundingBehavior.NONE });
  if (!(Number.isInteger(gibibytes) && gibibytes >= minimum)) {
    fail(scope, `'${prop}' must be a whole number of GiB of at least ${minimum}, got ${size.isUnresolved() ? 'a token' : `${gibibytes} GiB`}`);
  }
  return gibibytes;
}

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_NAME = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?=.{0,63}$)([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?$/;

/** Fails unless names and values are those of Kubernetes labels. Tokens pass. */
export function checkLabels(scope: IConstruct, prop: string, labels: Record<string, string>): void {
  for (const [name, value] of Object.entries(labels)) {
    checkFormat(scope, prop, name, LABEL_NAME, 'names of labels (at most 63 letters, digits, and - _ . inside, after a domain and / if any)');
    checkFormat(scope, `${prop}.${name}`, value, LABEL_VALUE, 'a value of a label (at most 63 letters, digits, and - _ . inside)');
  }
}

/** Fails unless a value is a list without empty items. */
export function checkList(scope: IConstruct, prop: string, value: unknown): void {
  if (!Array.isArray(value)) {
    fail(scope, `'${prop}' must be a list, got ${shown(value)}`);
  }
  value.forEach((item, index) => {
    if (item === undefined || item === null) {
      fail(scope, `'${prop}' must not contain an empty item, got ${item} as item ${index}`);
    }
  });
}

/** Fails if a name occurs more than once. */
export function checkUnique(scope: IConstruct, prop: string, names: string[]): void {
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate !== undefined) {
    fail(scope, `'${prop}' must contain each name only once, got '${duplicate}' twice`);
  }
}

/** Fails if the app creates a resource in another account or Region than the deployment, which cannot refer to it. An imported one passes. */
export function checkEnvironment(
  scope: IConstruct, prop: string, resource: IConstruct, created = CfnResource.isCfnResource(resource.node.defaultChild),
): void {
  const [ours, theirs] = [Stack.of(scope).environment, Stack.of(resource).environment];
  if (created && ours !== theirs) {
    fail(scope, `'${prop}' must be created in the account and Region of the deployment (${ours}), got ${theirs}; set the same 'env' for both stacks`);
  }
}

/** A value in an error: text in quotes, the path of a construct, and the type of another object. */
export function shown(value: unknown): string {
  if (Construct.isConstruct(value)) {
    return `the construct '${value.node.path}'`;
  }
  switch (typeof value) {
    case 'string': return `'${value}'`;
    case 'function': return 'a function';
    case 'object': return value === null ? 'null' : Array.isArray(value) ? 'a list' : `an object of the type ${value.constructor?.name ?? 'Object'}`;
    default: return String(value);
  }
}
