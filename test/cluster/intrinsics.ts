/**
 * Resolves the intrinsic functions of a CloudFormation template.
 */

/** A value as a template has it, or what it resolves to. */
export type Value = any;

/** What the functions refer to. */
export interface Scope {
  readonly reference: (name: string) => Value;
  readonly attribute: (id: string, name: string) => Value;
  readonly condition: (name: string) => boolean;
}

type Function = (argument: Value, scope: Scope) => Value;

/** What `AWS::NoValue` resolves to: the property or the entry is left out. */
const NO_VALUE = Symbol('AWS::NoValue');

const isObject = (value: Value): value is Record<string, Value> => value !== null && typeof value === 'object' && !Array.isArray(value);

/** `Id.Name`, or `[Id, Name]`, which is what the CDK writes. */
const attributeParts = (argument: string | string[]): [string, string] =>
  Array.isArray(argument) ? [argument[0], argument[1]] : [argument.split('.')[0], argument.split('.').slice(1).join('.')];

const FUNCTIONS: Record<string, Function> = {
  'Ref': (name, scope) => name === 'AWS::NoValue' ? NO_VALUE : scope.reference(name),
  'Fn::GetAtt': (argument, scope) => scope.attribute(...attributeParts(argument)),
  'Fn::Join': ([separator, list], scope) => resolve(list, scope).map(String).join(separator),
  'Fn::Split': ([separator, text], scope) => String(resolve(text, scope)).split(separator),
  'Fn::Select': ([index, list], scope) => resolve(list, scope)[Number(resolve(index, scope))],
  'Fn::Sub': substitute,
  'Fn::If': ([condition, yes, no], scope) => resolveOne(scope.condition(condition) ? yes : no, scope),
  'Fn::GetAZs': (_region, scope) => ['a', 'b', 'c'].map((zone) => `${scope.reference('AWS::Region')}${zone}`),
  'Fn::Base64': (text, scope) => Buffer.from(String(resolve(text, scope))).toString('base64'),
};

const CONDITIONS: Record<string, (argument: Value, scope: Scope) => boolean> = {
  'Fn::Equals': ([left, right], scope) => resolve(left, scope) === resolve(right, scope),
  'Fn::And': (list, scope) => list.every((condition: Value) => holds(condition, scope)),
  'Fn::Or': (list, scope) => list.some((condition: Value) => holds(condition, scope)),
  'Fn::Not': ([condition], scope) => !holds(condition, scope),
  'Condition': (name, scope) => scope.condition(name),
};

/** The value with all its functions resolved. */
export function resolve(value: Value, scope: Scope): Value {
  const resolved = resolveOne(value, scope);
  return resolved === NO_VALUE ? undefined : resolved;
}

/** Whether an entry of the section `Conditions` holds. */
export function holds(condition: Value, scope: Scope): boolean {
  const [name, argument] = Object.entries(condition)[0];
  if (!CONDITIONS[name]) {
    throw new Error(`the condition '${name}' is not supported`);
  }
  return CONDITIONS[name](argument, scope);
}

/** The logical IDs and parameters that a value refers to: CloudFormation creates what they name before. */
export function references(value: Value): Set<string> {
  if (Array.isArray(value)) {
    return new Set(value.flatMap((entry) => [...references(entry)]));
  }
  if (!isObject(value)) {
    return new Set();
  }
  return new Set(Object.entries(value).flatMap(([name, argument]) => {
    switch (name) {
      case 'Ref': return typeof argument === 'string' ? [argument] : [];
      case 'Fn::GetAtt': return [attributeParts(argument)[0]];
      case 'Fn::Sub': return [...placeholders([argument].flat()[0]), ...references(argument)];
      default: return [...references(argument)];
    }
  }));
}

function resolveOne(value: Value, scope: Scope): Value {
  if (Array.isArray(value)) {
    return value.map((entry) => resolveOne(entry, scope)).filter((entry) => entry !== NO_VALUE);
  }
  if (!isObject(value)) {
    return value;
  }
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
  if (others.length === 0 && FUNCTIONS[name]) {
    return FUNCTIONS[name](argument, scope);
  }
  if (others.length === 0 && name.startsWith('Fn::')) {
    throw new Error(`the function '${name}' is not supported`);
  }
  return Object.fromEntries(Object.entries(value)
    .map(([key, entry]) => [key, resolveOne(entry, scope)])
    .filter(([, entry]) => entry !== NO_VALUE));
}

const PLACEHOLDER = /\$\{([^!}][^}]*)\}/g;

function placeholders(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name.split('.')[0]);
}

function substitute(argument: string | [string, Record<string, Value>], scope: Scope): string {
  const [text, variables] = typeof argument === 'string' ? [argument, {} as Record<string, Value>] : argument;
  const valueOf = (name: string) => {
    if (name in variables) {
      return resolve(variables[name], scope);
    }
    return name.includes('.') ? scope.attribute(...attributeParts(name)) : scope.reference(name);
  };
  return text.replace(PLACEHOLDER, (_match, name) => String(valueOf(name))).replace(/\$\{!/g, '${');
}
