import { Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Throws with the path of the construct, so that a user with two Airflows knows which one is meant. */
export function fail(scope: IConstruct, message: string): never {
  throw new Error(`${scope.node.path}: ${message}`);
}

/** Fails unless a value that the user gave has the right form; a token has no form yet, and passes. */
export function checkFormat(scope: IConstruct, prop: string, value: string, format: RegExp, description: string): void {
  if (!Token.isUnresolved(value) && !format.test(value)) {
    fail(scope, `'${prop}' must be ${description}, got '${value}'`);
  }
}
