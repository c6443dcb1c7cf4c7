import { Tokenization } from 'aws-cdk-lib';
import { creationContainer, DatabaseCreation } from './database-creation';
import { DatabaseEndpoint, DatabaseTls } from './database-endpoint';
import { asset } from '../assets';
import { ComponentSettings } from '../component';
import { hashOf, KubernetesObject } from '../kubernetes';
import { acrossZones, NodePlacement } from '../nodes/placement';
import { CONFINED_CONTAINER, confinedPod } from '../pod';
import { SecretKey } from '../secrets/secret-key';
import { PGBOUNCER_IMAGE } from '../versions';

export const PGBOUNCER_PORT = 6432;

interface PgBouncerProps extends ComponentSettings {
  readonly name: string;
  readonly namespace: string;
  readonly placement: NodePlacement;
  /** PgBouncer, as its clients see it. */
  readonly endpoint: DatabaseEndpoint;
  readonly server: DatabaseEndpoint;
  readonly credentials: { readonly client: SecretKey; readonly user: string | SecretKey; readonly password: SecretKey };
  readonly poolSize: number;
  /** Who creates the database if it is missing. */
  readonly creation?: DatabaseCreation;
}

/** `nobody` of the image. */
const USER = 65534;

const CONFIG_FOLDER = '/etc/pgbouncer';

/**
 * With prepared statements, which KEDA's client needs: without them, a pool per transaction loses them. Connects again after a second where the
 * default is 15, during which all clients get errors although the database is back, and components of Airflow stop.
 */
const CONFIG = `%include /tmp/databases.ini

[pgbouncer]
listen_addr = *
listen_port = ${PGBOUNCER_PORT}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /tmp/users.txt
pool_mode = transaction
max_client_conn = 1000
max_prepared_statements = 200
server_login_retry = 1
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
`;

/** The encryption of the connection to the database, whose certificate must be of these authorities. */
function tlsConfig({ mode, authorities }: DatabaseTls): string {
  return `server_tls_sslmode = ${mode}\n${authorities ? `server_tls_ca_file = ${CONFIG_FOLDER}/server-ca.pem\n` : ''}`;
}

/** The database in the configuration, without its credentials. */
function serverOf({ endpoint, server, poolSize }: PgBouncerProps): string {
  const [port, size] = [server.port, poolSize].map((number) => Tokenization.stringifyNumber(number));
  return `${endpoint.name} = host=${server.host} port=${port} dbname='${server.name}' pool_size=${size}`;
}

/** The credentials, each in a file of its name. Files in a volume follow a changed secret, unlike environment variables. */
function credentialSources({ name, credentials }: PgBouncerProps): KubernetesObject[] {
  const file = (key: SecretKey, path: string) => ({ secret: { name: key.name, items: [{ key: key.key, path }] } });
  const { client, user, password } = credentials;
  return [
    file(client, 'client-password'),
    file(password, 'server-password'),
    typeof user === 'string' ? { configMap: { name, items: [{ key: 'server-user', path: 'server-user' }] } } : file(user, 'server-user'),
  ];
}

function podSpec(props: PgBouncerProps, labels: Record<string, string>): KubernetesObject {
  const { name, placement, endpoint, resources } = props;
  const probe = { tcpSocket: { port: PGBOUNCER_PORT } };
  return {
    ...confinedPod(placement, USER),
    topologySpreadConstraints: acrossZones(labels),
    terminationGracePeriodSeconds: 60,
    ...props.creation ? { initContainers: [creationContainer(props.server, props.creation, CONFIG_FOLDER)] } : {},
    containers: [{
      name: 'pgbouncer',
      image: PGBOUNCER_IMAGE,
      command: ['sh', '/etc/pgbouncer/start.sh'],
      env: [{ name: 'CLIENT_USER', value: endpoint.user }, { name: 'SERVER', value: serverOf(props) }],
      ports: [{ name: 'pgbouncer', containerPort: PGBOUNCER_PORT }],
      resources,
      securityContext: CONFINED_CONTAINER,
      readinessProbe: { ...probe, periodSeconds: 5 },
      livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 6 },
      // SIGINT ends PgBouncer after the running transactions. SIGTERM would wait for clients to disconnect, and end it at once if it follows.
      lifecycle: { preStop: { exec: { command: ['sh', '-c', 'kill -INT 1 && sleep 30'] } } },
      terminationMessagePolicy: 'FallbackToLogsOnError',
      volumeMounts: [
        { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true },
        { name: 'credentials', mountPath: '/run/secrets/database', readOnly: true },
        { name: 'tmp', mountPath: '/tmp' },
      ],
    }],
    volumes: [
      { name: 'config', configMap: { name } },
      { name: 'credentials', projected: { sources: credentialSources(props) } },
      { name: 'tmp', emptyDir: { medium: 'Memory' } },
    ],
  };
}

/** PgBouncer in a Deployment, with its Service. */
export function pgbouncerObjects(props: PgBouncerProps): KubernetesObject[] {
  const { name, namespace, replicas, server, credentials } = props;
  const labels = { 'app.kubernetes.io/name': 'pgbouncer', 'app.kubernetes.io/instance': name };
  const metadata = { name, namespace, labels };
  const data = {
    'pgbouncer.ini': `${CONFIG}${server.tls ? tlsConfig(server.tls) : ''}`,
    ...server.tls?.authorities ? { 'server-ca.pem': server.tls.authorities } : {},
    'start.sh': asset('pgbouncer.sh'),
    ...props.creation ? { 'prepare.sh': asset('database-prepare.sh') } : {},
    ...typeof credentials.user === 'string' ? { 'server-user': credentials.user } : {},
  };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ name: 'pgbouncer', port: PGBOUNCER_PORT, targetPort: 'pgbouncer' }] } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas,
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: labels },
        template: {
          metadata: {
            labels,
            annotations: {
              'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
              'airflow-on-eks/config': hashOf(JSON.stringify(data)), // restarts the pods
            },
          },
          spec: podSpec(props, labels),
        },
      },
    },
    ...replicas > 1 ? [{
      apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    }] : [],
  ];
}
