import { Construct } from 'constructs';
import { AirflowSettings } from './chart-definition';
import { AirflowSecret } from '../secrets/airflow-secret';
import { copiedKey, SecretKey, userSecretName } from '../secrets/secret-key';

/** The keys of the users' passwords, by user name. */
export function passwordKeys(scope: Construct, { name, users, secrets }: AirflowSettings): Record<string, SecretKey> {
  return Object.fromEntries(users.map(({ username }) => [username, copiedKey(scope, `users.${username}.password`, {
    name: userSecretName(name), key: `airflow-${username.replace(/[^-._a-zA-Z0-9]/g, '.')}-password`,
  }, secrets.passwords[username])]));
}

/** The key of a variable whose value is a secret. */
export function variableKey(scope: Construct, name: string, key: string, secret: AirflowSecret): SecretKey {
  return copiedKey(scope, `variables.${key}`, { name: userSecretName(name), key: `variable-${key}` }, secret);
}
