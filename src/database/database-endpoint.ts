import { IConstruct } from 'constructs';
import { AirflowSecret, SecretKeyRef } from '../secrets/airflow-secret';
import { copiedKey, SecretKey, userSecretName } from '../secrets/secret-key';

/** A secret, the prop that sets it, and the key of a Kubernetes Secret into which it is copied. */
export interface SecretField {
  readonly prop: string;
  readonly secret: AirflowSecret;
  readonly target: SecretKeyRef;
  /** Whether the value changes while pods run, which follow it. */
  readonly rotated?: boolean;
}

/** A PostgreSQL database, or PgBouncer in front of it, and the credentials for it. */
export interface DatabaseEndpoint {
  readonly host: string;
  readonly port: number;
  /** The name of the database. */
  readonly name: string;
  readonly user: string | SecretField;
  readonly password: SecretField;
  /** Without it, the connection is not encrypted. */
  readonly tls?: DatabaseTls;
}

/** The encryption of a connection, as PostgreSQL and PgBouncer call it, and the certificates of the authorities that it is verified with. */
export interface DatabaseTls {
  readonly mode: 'verify-full' | 'verify-ca' | 'disable';
  readonly authorities?: string;
}

/** The database, as a chart needs to know it. */
export interface DatabaseSettings {
  /** What Airflow connects to: PgBouncer, or the database itself. */
  readonly endpoint: DatabaseEndpoint;
}

/** The key from which pods read a secret. */
export function fieldKey(scope: IConstruct, { prop, secret, target, rotated }: SecretField): SecretKey {
  return { ...copiedKey(scope, prop, target, secret), rotated };
}

/** The credentials of a database outside the cluster. In a Secret of their own, which is refreshed often, because they may be rotated. */
export function serverCredential(namespace: string, key: string, secret: AirflowSecret): SecretField {
  return { prop: `database (${key})`, secret, target: { name: `${namespace}-postgresql`, key }, rotated: true };
}

/** The password with which Airflow connects to PgBouncer and to the in-cluster database. */
export function clientPassword(namespace: string, secret: AirflowSecret): SecretField {
  return { prop: 'secrets.databasePassword', secret, target: { name: userSecretName(namespace), key: 'postgresql-password' } };
}
