import { Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { fail } from '../validation';

/**
 * Names whose values Airflow itself masks.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/security/secrets/mask-sensitive-values.html
 */
export const SENSITIVE_NAME =
  /(PASSWORD|PASSWD|PASSPHRASE|PRIVATE_KEY|SECRET_KEY|API_?KEY|FERNET_KEY|ACCESS_TOKEN|(^|_)SECRET$|(^|_)TOKEN$|SQL_ALCHEMY_CONN|BROKER_URL|RESULT_BACKEND)$/i;

/**
 * Fails if a value contains a secret: it would be readable in the template, and in the log of the function that runs helm.
 *
 * Dynamic references are refused as well, because CloudFormation does not resolve them in a custom resource.
 */
export function checkNoSecret(scope: Construct, prop: string, value: unknown): void {
  const stack = Stack.of(scope);
  // Resolving takes long, so that only values with tokens are resolved. The raw value is needed: toJSON() of a token hides it.
  const text = JSON.stringify(value, function (this: any, name, json) {
    const raw = this[name];
    return Token.isUnresolved(raw) || hasTokenKey(raw) ? stack.resolve(raw) : json;
  }) ?? '';
  if (text.includes('{{resolve:')) {
    fail(scope, `'${prop}' must not contain a SecretValue, which would reach the cluster as the text '{{resolve:...'; use an AirflowSecret`);
  }
  const store = 'store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()';
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    fail(scope, `'${prop}' must not contain a private key in plain text; ${store}`);
  }
  if (/\w+:\/\/[^/\s:@"]*:[^/\s:@"]+@/.test(text)) {
    fail(scope, `'${prop}' must not contain a URL with a password; ${store}`);
  }
}

function hasTokenKey(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).some((key) => Token.isUnresolved(key));
}
