import { Tokenization } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DatabaseEndpoint } from '../../database/database-endpoint';
import { composedKey, SecretKey } from '../../secrets/secret-key';
import { inUrl } from '../../secrets/templates';
import { AirflowSettings, ChartPart } from '../chart-definition';

/** The URL of the database. */
export function database(scope: Construct, { name, database: { endpoint } }: AirflowSettings): ChartPart {
  const secret = `${name}-metadata`;
  return {
    values: {
      data: { metadataSecretName: secret },
      pgbouncer: { enabled: false },
      postgresql: { enabled: false },
    },
    keys: [urlKey(scope, { name: secret, key: 'connection' }, endpoint)],
  };
}

function urlKey(scope: Construct, target: { readonly name: string; readonly key: string }, endpoint: DatabaseEndpoint): SecretKey {
  const { host, port, name, user, password } = endpoint;
  const address = `${host}:${Tokenization.stringifyNumber(port)}/${name}`;
  // Without `sslmode`: PgBouncer accepts connections in plain text, which clients detect, and not all of them know the option.
  const key = typeof user === 'string'
    ? composedKey(scope, target, { [password.prop]: password.secret }, (secret) => `postgresql://${user}:${inUrl(secret)}@${address}`)
    : composedKey(scope, target, { [`${user.prop} (user)`]: user.secret, [password.prop]: password.secret },
      (first, second) => `postgresql://${inUrl(first)}:${inUrl(second)}@${address}`);
  return { ...key, rotated: password.rotated };
}
