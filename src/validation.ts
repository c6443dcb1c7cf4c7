import { Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Throws with the path of the construct, so that an app with two deployments shows which one is meant. */
export function fail(scope: IConstruct, message: string): never {
  throw new Error(`${scope.node.path}: ${message}`);
}

/** Fails unless a value has the required format. A token is not known yet, and passes. */
export function checkFormat(scope: IConstruct, prop: string, value: string, format: RegExp, description: string): void {
  if (!Token.isUnresolved(value) && !format.test(value)) {
    fail(scope, `'${prop}' must be ${description}, got '${value}'`);
  }
}

/** Fails unless a value is a whole number of at least `minimum`. A token passes. */
export function checkCount(scope: IConstruct, prop: string, value: number | undefined, minimum: number, wayOut = ''): void {
  if (value !== undefined && !Token.isUnresolved(value) && !(Number.isInteger(value) && value >= minimum)) {
    fail(scope, `'${prop}' must be a whole number of at least ${minimum}, got ${value}${wayOut && `; ${wayOut}`}`);
  }
}

/** Fails if a name occurs more than once. */
export function checkUnique(scope: IConstruct, prop: string, names: string[]): void {
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate !== undefined) {
    fail(scope, `'${prop}' must contain each name only once, got '${duplicate}' twice`);
  }
}
