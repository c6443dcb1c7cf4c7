import { DatabaseEndpoint } from './database-endpoint';
import { resources } from '../component';
import { KubernetesObject } from '../kubernetes';
import { NodePlacement } from '../nodes/placement';
import { CONFINED_CONTAINER, confinedPod } from '../pod';
import { keyRefOf, SecretKey } from '../secrets/secret-key';
import { AWS_CLI_IMAGE, POSTGRESQL_IMAGE } from '../versions';

interface BackupProps {
  readonly name: string;
  readonly namespace: string;
  readonly placement: NodePlacement;
  readonly schedule: string;
  readonly roleArn: string;
  /** The URL of the folder for the dumps. */
  readonly target: string;
  readonly maxGibibytes: number;
  readonly endpoint: DatabaseEndpoint & { readonly user: string };
  readonly passwordKey: SecretKey;
}

const FOLDER = '/backup';
/** Neither image has it. */
const USER = 1001;

function dumpContainer({ endpoint, passwordKey, maxGibibytes }: BackupProps): KubernetesObject {
  const { requests, limits } = resources('100m', '64Mi', '256Mi');
  return {
    name: 'dump',
    image: POSTGRESQL_IMAGE,
    command: ['sh', '-euc', `pg_dump --no-password --format=custom --file="${FOLDER}/$(date -u +%Y-%m-%dT%H-%M-%SZ).dump"`],
    env: [
      { name: 'PGHOST', value: endpoint.host },
      { name: 'PGPORT', value: `${endpoint.port}` },
      { name: 'PGUSER', value: endpoint.user },
      { name: 'PGDATABASE', value: endpoint.name },
      { name: 'PGPASSWORD', valueFrom: { secretKeyRef: keyRefOf(passwordKey) } },
    ],
    resources: { requests: { ...requests, 'ephemeral-storage': `${maxGibibytes}Gi` }, limits },
    securityContext: CONFINED_CONTAINER,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [{ name: 'backup', mountPath: FOLDER }],
  };
}

/** Amazon S3 shows an object when its last part has arrived, so that an upload that fails leaves nothing that looks like a backup. */
function uploadContainer({ target }: BackupProps): KubernetesObject {
  return {
    name: 'upload',
    image: AWS_CLI_IMAGE,
    command: ['aws', 's3', 'cp', '--recursive', '--only-show-errors', FOLDER, target],
    env: [{ name: 'HOME', value: '/tmp' }],
    resources: resources('100m', '256Mi', '512Mi'),
    securityContext: CONFINED_CONTAINER,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [{ name: 'backup', mountPath: FOLDER, readOnly: true }, { name: 'tmp', mountPath: '/tmp' }],
  };
}

/** A CronJob with its service account. A pod dumps the database completely before it uploads anything. */
export function backupObjects(props: BackupProps): KubernetesObject[] {
  const { name, namespace, placement, schedule, roleArn, maxGibibytes } = props;
  const labels = { 'app.kubernetes.io/name': 'database-backup', 'app.kubernetes.io/instance': name };
  const metadata = { name, namespace, labels };
  const podSpec = {
    ...confinedPod(placement, USER, { fsGroup: USER }),
    serviceAccountName: name,
    restartPolicy: 'Never', // each attempt has a pod of its own, with an empty volume
    initContainers: [dumpContainer(props)],
    containers: [uploadContainer(props)],
    volumes: [{ name: 'backup', emptyDir: { sizeLimit: `${maxGibibytes}Gi` } }, { name: 'tmp', emptyDir: {} }],
  };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata, annotations: { 'eks.amazonaws.com/role-arn': roleArn } } },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata,
      spec: {
        schedule,
        timeZone: 'Etc/UTC',
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: 3600, // after a pause of the cluster, the last backup that was missed
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 3,
        jobTemplate: {
          spec: {
            backoffLimit: 2,
            activeDeadlineSeconds: 6 * 3600, // a job that hangs would prevent all later ones
            template: { metadata: { labels }, spec: podSpec },
          },
        },
      },
    },
  ];
}
