import { asset } from '../assets';
import { ComponentSettings } from '../component';
import { hashOf, KubernetesObject } from '../kubernetes';
import { NodePlacement } from '../nodes/placement';
import { CONFINED_CONTAINER, confinedPod } from '../pod';
import { SecretKey } from '../secrets/secret-key';
import { POSTGRESQL_IMAGE } from '../versions';

interface PostgresqlProps {
  readonly name: string;
  readonly namespace: string;
  readonly placement: NodePlacement;
  /** The claim of the volume with the files of the database. */
  readonly claim: string;
  /** Whether the volume is on EFS. */
  readonly onFileSystem: boolean;
  readonly passwordKey: SecretKey;
  readonly resources: ComponentSettings['resources'];
  readonly sharedBuffersMebibytes: number;
}

export const MAX_CONNECTIONS = 200;

/** The user of the access point, which is not one of the image. */
const USER = 1001;
const VOLUME = '/var/lib/postgresql/data';
/** Not the root of the volume, where a new EBS volume has a directory `lost+found`. */
const DATA = `${VOLUME}/pgdata`;
const SOCKETS = '/var/run/postgresql';

/**
 * Runs a command while no other pod uses the volume.
 *
 * Kubernetes may start a second pod when it has lost the node of the first one. Two servers would destroy the files, and PostgreSQL recognizes
 * another one only by the number of its process, which is 1 in every pod.
 *
 * On EFS, the lock is one of the server, which releases it when the node no longer renews its lease.
 *
 * @see https://man7.org/linux/man-pages/man2/flock.2.html, NFS details
 */
function exclusively(...command: string[]): string[] {
  return ['flock', '--verbose', '--no-fork', '--timeout', '300', `${VOLUME}/lock`, ...command];
}

/** The configuration of PostgreSQL. Its defaults for durability are right on NFS too, and are not changed. */
function settings({ onFileSystem, sharedBuffersMebibytes }: PostgresqlProps): Record<string, string> {
  return {
    listen_addresses: '*',
    max_connections: `${MAX_CONNECTIONS}`,
    shared_buffers: `${sharedBuffersMebibytes}MB`,
    ...onFileSystem ? {
      // The first change of a page after a checkpoint writes the whole page: fewer, and compressed, because EFS bills what is written.
      checkpoint_timeout: '15min',
      wal_compression: 'on',
      wal_init_zero: 'off', // writes each log file twice, which only a local disk benefits from
    } : {},
  };
}

/** Whether the server answers, also one that recovers after a crash and refuses clients: it must not be killed. */
const ALIVE = { exec: { command: ['bash', '-c', `pg_isready --host=${SOCKETS} --quiet || [ $? -eq 1 ]`] }, timeoutSeconds: 5 };

function container(props: PostgresqlProps, command: string[]): KubernetesObject {
  return {
    image: POSTGRESQL_IMAGE,
    command,
    env: [
      { name: 'PGDATA', value: DATA },
      { name: 'POSTGRES_DB', value: 'airflow' },
      { name: 'POSTGRES_INITDB_ARGS', value: '--encoding=UTF8 --auth-host=scram-sha-256' }, // the latter also for what runs in the pod or on its node
      { name: 'POSTGRES_PASSWORD_FILE', value: '/run/secrets/postgresql/password' },
    ],
    resources: props.resources,
    securityContext: CONFINED_CONTAINER,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'data', mountPath: VOLUME },
      { name: 'password', mountPath: '/run/secrets/postgresql', readOnly: true },
      { name: 'config', mountPath: '/etc/passwd', subPath: 'passwd', readOnly: true },
      { name: 'config', mountPath: '/etc/postgresql', readOnly: true },
      { name: 'sockets', mountPath: SOCKETS },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'memory', mountPath: '/dev/shm' },
    ],
  };
}

function podSpec(props: PostgresqlProps): KubernetesObject {
  const { name, placement, claim, passwordKey } = props;
  return {
    ...confinedPod(placement, USER, { fsGroup: USER, fsGroupChangePolicy: 'OnRootMismatch' }),
    terminationGracePeriodSeconds: 120, // for the last checkpoint; the image's stop signal disconnects clients at once
    initContainers: [{ name: 'prepare', ...container(props, exclusively('bash', '/etc/postgresql/prepare.sh')) }],
    containers: [{
      name: 'postgresql',
      ...container(props, exclusively('postgres', ...Object.entries(settings(props)).flatMap(([option, value]) => ['-c', `${option}=${value}`]))),
      ports: [{ name: 'postgresql', containerPort: 5432 }],
      startupProbe: { ...ALIVE, periodSeconds: 5, failureThreshold: 72 }, // longer than the wait for the lock
      livenessProbe: { ...ALIVE, periodSeconds: 10, failureThreshold: 6 },
      readinessProbe: { exec: { command: ['pg_isready', `--host=${SOCKETS}`, '--quiet'] }, timeoutSeconds: 5, periodSeconds: 5 },
    }],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: claim } },
      { name: 'password', secret: { secretName: passwordKey.name, items: [{ key: passwordKey.key, path: 'password' }] } },
      { name: 'config', configMap: { name } },
      { name: 'sockets', emptyDir: {} },
      { name: 'tmp', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory' } }, // for parallel queries; the runtime's own has 64 MiB
    ],
  };
}

/** PostgreSQL in one pod, with its Service. A StatefulSet cannot change but in its pod template. */
export function postgresqlObjects(props: PostgresqlProps): KubernetesObject[] {
  const { name, namespace } = props;
  const labels = { 'app.kubernetes.io/name': 'postgresql', 'app.kubernetes.io/instance': name };
  const metadata = { name, namespace, labels };
  const data = {
    // PostgreSQL refuses a user without a name.
    'passwd': `postgres:x:${USER}:${USER}:PostgreSQL:${VOLUME}:/bin/false\n`,
    'prepare.sh': asset('postgresql-prepare.sh'),
  };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ name: 'postgresql', port: 5432, targetPort: 'postgresql' }] } },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: {
        serviceName: name,
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: {
            labels,
            annotations: {
              'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
              'airflow-on-eks/config': hashOf(JSON.stringify(data)), // restarts the pod
            },
          },
          spec: podSpec(props),
        },
      },
    },
  ];
}
