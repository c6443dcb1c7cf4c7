import { Tokenization } from 'aws-cdk-lib';
import { DatabaseEndpoint } from './database-endpoint';
import { resources } from '../component';
import { KubernetesObject } from '../kubernetes';
import { CONFINED_CONTAINER } from '../pod';
import { keyRefOf, SecretKey } from '../secrets/secret-key';
import { POSTGRESQL_IMAGE } from '../versions';

interface Credentials {
  readonly user: SecretKey;
  readonly password: SecretKey;
}

/** The user of Airflow, and who creates that user if it is missing. */
export interface DatabaseCreation {
  readonly owner: Credentials;
  readonly admin?: Credentials;
}

/** A container that creates a database if it is missing. Its error is the message of the pod. `folder` has the program and the authorities. */
export function creationContainer({ host, port, name, tls }: DatabaseEndpoint, { owner, admin }: DatabaseCreation, folder: string): KubernetesObject {
  const credentials = (prefix: string, { user, password }: Credentials) => Object.entries({ USER: user, PASSWORD: password })
    .map(([suffix, key]) => ({ name: `${prefix}_${suffix}`, valueFrom: { secretKeyRef: keyRefOf(key) } }));
  return {
    name: 'prepare',
    image: POSTGRESQL_IMAGE,
    command: ['bash', `${folder}/prepare.sh`],
    env: [
      { name: 'PGHOST', value: host },
      { name: 'PGPORT', value: Tokenization.stringifyNumber(port) },
      { name: 'PGCONNECT_TIMEOUT', value: '30' },
      ...tls ? [{ name: 'PGSSLMODE', value: tls.mode }] : [],
      ...tls?.authorities ? [{ name: 'PGSSLROOTCERT', value: `${folder}/server-ca.pem` }] : [],
      { name: 'DATABASE_NAME', value: name },
      ...credentials('DATABASE', owner),
      ...admin ? credentials('ADMIN', admin) : [],
    ],
    resources: resources('100m', '64Mi', '128Mi'),
    securityContext: CONFINED_CONTAINER,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [{ name: 'config', mountPath: folder, readOnly: true }],
  };
}
