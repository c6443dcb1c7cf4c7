import { Construct } from 'constructs';
import { AirflowSettings } from './chart-definition';
import { SecretKeyRef } from '../secrets/airflow-secret';
import { copiedKey, keyRefOf, SecretKey, userSecretName } from '../secrets/secret-key';

/** An environment variable of a container. */
export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: SecretKeyRef };
}

/** Environment variables, and the keys of Kubernetes Secrets to which they refer. */
export interface Environment {
  readonly variables: EnvVar[];
  readonly keys: SecretKey[];
}

export function fromSecret(name: string, key: SecretKey): EnvVar {
  return { name, valueFrom: { secretKeyRef: keyRefOf(key) } };
}

/** The environment variables of the user. */
export function userEnvironment(scope: Construct, { name, environment, environmentSecrets }: AirflowSettings): Environment {
  const keys = Object.entries(environmentSecrets).map(([variable, secret]) =>
    [variable, copiedKey(scope, `environmentSecrets.${variable}`, { name: userSecretName(name), key: variable }, secret)] as const);
  return {
    variables: [
      ...Object.entries(environment).map(([variable, value]) => ({ name: variable, value })),
      ...keys.map(([variable, key]) => fromSecret(variable, key)),
    ],
    keys: keys.map(([, key]) => key),
  };
}

/**
 * Text for a place in which `$` begins a reference and `$$` is a `$`. A token of the CDK, which begins with `$` too, is not changed.
 */
export function escapeDollars(text: string): string {
  return text.replace(/\$(?!\{Token\[)/g, '$$$$');
}
