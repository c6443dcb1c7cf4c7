import { IConstruct } from 'constructs';
import { AirflowSecret, SecretKeyRef, SecretsManagerSource, checkIsSecret } from './airflow-secret';
import { checkFormat, fail, shown } from '../validation';

/** A Go template of the External Secrets operator, from the names of the variables that hold the secrets. */
export type SecretTemplate = (...variables: string[]) => string;

/** A key of a Kubernetes Secret, with the content that the operator writes; without content it already exists. */
export interface SecretKey extends SecretKeyRef {
  /** Whether the value changes while pods run, which follow it. */
  readonly rotated?: boolean;
  readonly content?: { readonly secrets: SecretsManagerSource[]; readonly template: SecretTemplate };
}

/** The name of the Kubernetes Secret that contains all keys but those that a chart expects in a Secret of their own. */
export function userSecretName(name: string): string {
  return `${name}-secret`;
}

const UNCHANGED: SecretTemplate = (variable) => `{{ .${variable} }}`;

/** One secret under the key `target`, or where it already is if it is a Kubernetes Secret. */
export function copiedKey(scope: IConstruct, prop: string, target: SecretKeyRef, secret: AirflowSecret, template = UNCHANGED): SecretKey {
  const source = sourceOf(scope, prop, secret);
  return source.kind === 'Kubernetes'
    ? { name: source.name, key: source.key }
    : { ...target, content: { secrets: [source], template } };
}

/** As `copiedKey`, for a chart that finds the secret only under the key of `target`. */
export function fixedKey(scope: IConstruct, prop: string, target: SecretKeyRef, secret: AirflowSecret, template?: SecretTemplate): SecretKey {
  const found = copiedKey(scope, prop, target, secret, template);
  if (found.key !== target.key) {
    fail(scope, `'${prop}' must have the key '${target.key}' in its Kubernetes Secret, which is the only key that the chart reads, got '${found.key}'`);
  }
  return found;
}

/** A key whose content is made of several secrets, by the prop of each. */
export function composedKey(scope: IConstruct, target: SecretKeyRef, secrets: Record<string, AirflowSecret>, template: SecretTemplate): SecretKey {
  const sources = Object.entries(secrets).map(([prop, secret]) => {
    const source = sourceOf(scope, prop, secret);
    return source.kind === 'SecretsManager' ? source : fail(scope, `'${prop}' is the Kubernetes Secret '${source.name}', but this chart needs the value`
      + ` as a part of '${target.name}'; store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()`);
  });
  return { ...target, content: { secrets: sources, template } };
}

/** Fails unless a chart that reads several keys of one Kubernetes Secret finds them there. */
export function checkSameSecret(scope: IConstruct, keys: Record<string, SecretKeyRef>): void {
  const names = [...new Set(Object.values(keys).map(({ name }) => name))];
  if (names.length > 1) {
    fail(scope, `${quoted(Object.keys(keys))} must be in one Kubernetes Secret, got ${quoted(names)}; store both in one, or both in AWS Secrets Manager`);
  }
}

/** What a pod needs to read a key. */
export function keyRefOf({ name, key }: SecretKey): SecretKeyRef {
  return { name, key };
}

function quoted(words: string[]): string {
  return words.map((word) => `'${word}'`).join(' and ');
}

function sourceOf(scope: IConstruct, prop: string, secret: unknown): AirflowSecret['_source'] {
  checkIsSecret(scope, prop, secret);
  if (secret._source.kind === 'Kubernetes') {
    checkFormat(scope, prop, secret._source.name, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'in a Kubernetes Secret whose name has lower case letters, digits, and - . inside');
    checkFormat(scope, prop, secret._source.key, /^[-._a-zA-Z0-9]+$/, 'a key of a Kubernetes Secret');
  }
  const source = secret._source;
  if (source.kind === 'SecretsManager' && typeof source.secret?.grantRead !== 'function') {
    fail(scope, `'${prop}' must be made from a secret of aws-secretsmanager, got ${shown(source.secret)}; use Secret.fromSecretCompleteArn()`);
  }
  return source;
}
