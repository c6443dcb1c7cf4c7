import { Construct } from 'constructs';
import { placed } from './placement';
import { composedKey, copiedKey, SecretTemplate } from '../../secrets/secret-key';
import { inUrl } from '../../secrets/templates';
import { OFFICIAL_POSTGRESQL_IMAGE } from '../../versions';
import { AirflowSettings, ChartPart } from '../chart-definition';

const PGBOUNCER_PORT = 6543;

/** The in-cluster database, and PgBouncer in front of it. */
export function database(scope: Construct, { name, secrets, placement, claims }: AirflowSettings): ChartPart {
  const host = `${name}-postgresql`;
  const composed = (secret: string, key: string, template: SecretTemplate) =>
    composedKey(scope, { name: `${name}-${secret}`, key }, { 'secrets.databasePassword': secrets.databasePassword }, template);
  const url = (variable: string, address: string) => `postgresql://postgres:${inUrl(variable)}@${address}`;
  // Without `sslmode`: PgBouncer accepts connections in plain text, which clients detect, and not all of them know the option.
  const connection = composed('metadata', 'connection', (variable) => url(variable, `${name}-pgbouncer.${name}:${PGBOUNCER_PORT}/${name}-metadata`));
  const pgbouncer = composed('pgbouncer-config', 'pgbouncer.ini', () => pgbouncerIni(name, host));
  const pgbouncerUsers = composed('pgbouncer-config', 'users.txt', (variable) => `"postgres" "{{ .${variable} | replace "\\"" "\\"\\"" }}"\n`);
  const stats = composed('pgbouncer-stats', 'connection', (variable) => url(variable, `127.0.0.1:${PGBOUNCER_PORT}/pgbouncer?sslmode=disable`));
  const password = copiedKey(scope, 'secrets.databasePassword', { name: host, key: 'postgres-password' }, secrets.databasePassword);
  return {
    values: {
      data: { metadataSecretName: connection.name },
      pgbouncer: {
        enabled: true,
        ...placed(placement.database),
        configSecretName: pgbouncer.name,
        metricsExporterSidecar: { statsSecretName: stats.name },
      },
      postgresql: {
        enabled: true,
        fullnameOverride: host,
        image: OFFICIAL_POSTGRESQL_IMAGE,
        auth: {
          enablePostgresUser: true,
          postgresPassword: '',
          database: 'airflow',
          existingSecret: password.name,
          secretKeys: { adminPasswordKey: password.key },
        },
        primary: {
          ...placed(placement.database),
          persistence: { enabled: true, existingClaim: claims.database },
          podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' },
        },
        volumePermissions: { enabled: false }, // an access point refuses to change the owner, which is already the right one
      },
    },
    keys: [connection, pgbouncer, pgbouncerUsers, stats, password],
  };
}

/** The configuration of the chart, for more clients than its 100: each task of Airflow 2 is a client. */
function pgbouncerIni(name: string, host: string): string {
  return `[databases]
${name}-metadata = host=${host}.${name} port=5432 dbname=airflow pool_size=20

[pgbouncer]
listen_addr = *
listen_port = ${PGBOUNCER_PORT}
pool_mode = transaction
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/users.txt
stats_users = postgres
ignore_startup_parameters = extra_float_digits
max_client_conn = 1000
max_prepared_statements = 200
server_tls_sslmode = prefer
server_tls_ciphers = normal
`;
}
