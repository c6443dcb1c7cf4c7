/**
 * All versions of charts, images and APIs that the library installs.
 *
 * @internal
 */

/** A chart in its Helm repository. */
export interface ChartVersion {
  readonly chart: string;
  readonly repository: string;
  readonly version: string;
}

/** Airflow's community chart: its last release, for Airflow 2. */
export const COMMUNITY_CHART: ChartVersion = {
  chart: 'airflow',
  repository: 'https://airflow-helm.github.io/charts',
  version: '8.9.0',
};
export const COMMUNITY_AIRFLOW = '2.8.4';
export const COMMUNITY_PYTHON = 'python3.9';

/** Airflow's official chart: for Airflow 3 and 2.11. */
export const OFFICIAL_CHART: ChartVersion = {
  chart: 'airflow',
  repository: 'https://airflow.apache.org',
  version: '1.22.0',
};
export const OFFICIAL_AIRFLOW = '3.3.2';

export const EFS_CSI_DRIVER_CHART: ChartVersion = {
  chart: 'aws-efs-csi-driver',
  repository: 'https://kubernetes-sigs.github.io/aws-efs-csi-driver',
  version: '4.4.1',
};

export const EXTERNAL_SECRETS_CHART: ChartVersion = {
  chart: 'external-secrets',
  repository: 'https://charts.external-secrets.io',
  version: '2.9.0',
};
export const EXTERNAL_SECRETS_API = 'external-secrets.io/v1';

export const KEDA_CHART: ChartVersion = {
  chart: 'keda',
  repository: 'https://kedacore.github.io/charts',
  version: '2.20.2',
};

export const AIRFLOW_REPOSITORY = 'apache/airflow';

/** An image by registry, repository and tag, which some charts expect separately. */
export interface ImageVersion {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

/** An image for a chart that expects the registry as a part of the repository. */
export function imageOf({ registry, repository, tag }: ImageVersion): { repository: string; tag: string } {
  return { repository: `${registry}/${repository}`, tag };
}

/** The in-cluster broker, and the version of a managed one. */
export const VALKEY_IMAGE: ImageVersion = { registry: 'docker.io', repository: 'valkey/valkey', tag: '9.1' };
export const ELASTICACHE_VALKEY = '8.2';

/**
 * PostgreSQL, in a major version that Airflow 2.8 to 3.x supports, and in the variant of one Debian release: the sort order of text, on which
 * indexes depend, comes with the operating system.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/howto/set-up-database.html
 */
export const POSTGRESQL_IMAGE = 'docker.io/library/postgres:16.13-bookworm';
/** The same major version in Amazon Aurora and Amazon RDS. */
export const RDS_POSTGRESQL = { full: '16.11', major: '16' };
/** Uploads backups. From Amazon ECR Public, which limits pulls less than Docker Hub. */
export const AWS_CLI_IMAGE = 'public.ecr.aws/aws-cli/aws-cli:2.37.9';
export const PGBOUNCER_IMAGE = 'docker.io/apache/airflow:airflow-pgbouncer-2025.03.05-1.23.1';

/** Images that replace a chart's default, which can no longer be pulled or has reached end of life. */
export const GIT_SYNC_IMAGE: ImageVersion = { registry: 'registry.k8s.io', repository: 'git-sync/git-sync', tag: 'v4.7.1' };
