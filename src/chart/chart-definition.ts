import { Construct } from 'constructs';
import { BrokerSettings } from '../broker/airflow-broker';
import { ComponentSettings } from '../component';
import { ConfigurationSettings } from '../config/configuration';
import { DatabaseSettings } from '../database/database-endpoint';
import { AirflowExecutor } from '../executor';
import { GitSyncSettings } from '../git-sync/git-sync';
import { ImageReference } from '../image';
import { Workload } from '../kubernetes';
import { LogSettings } from '../logs/airflow-logs';
import { AirflowConnection } from '../metadata/airflow-connection';
import { AirflowPool } from '../metadata/airflow-pool';
import { UserSettings } from '../metadata/airflow-user';
import { AirflowVariable } from '../metadata/airflow-variable';
import { AirflowPlacement } from '../nodes/placement';
import { PodRequests } from '../pod-requests';
import { AirflowSecretValues } from '../secrets/airflow-secrets';
import { SecretKey } from '../secrets/secret-key';
import { ChartVersion } from '../versions';
import { WorkersSettings } from '../workers';

/** The settings of an Airflow deployment, independent of a chart. */
export interface AirflowSettings extends ConfigurationSettings {
  /** The name of the release and of its namespace. The names of all objects of the release begin with it. */
  readonly name: string;
  readonly executor: AirflowExecutor;
  readonly image: ImageReference;
  readonly serviceAccountRoleArn: string;
  readonly placement: AirflowPlacement;
  readonly apiServer: ComponentSettings;
  readonly scheduler: ComponentSettings;
  readonly dagProcessor: ComponentSettings;
  readonly triggerer: ComponentSettings;
  readonly workers: WorkersSettings;
  readonly logs: LogSettings;
  readonly claims: { readonly logs?: string };
  readonly database: DatabaseSettings;
  readonly gitSync?: GitSyncSettings;
  /** The broker of the Celery workers. Without it, no Celery workers run. */
  readonly broker?: BrokerSettings;
  readonly secrets: AirflowSecretValues;
  readonly users: UserSettings[];
  readonly connections: AirflowConnection[];
  readonly variables: AirflowVariable[];
  readonly pools: AirflowPool[];
  readonly pipPackages: string[];
  /** The age at which records of the database are deleted. */
  readonly databaseRetentionDays: number;
  /** Set behind a load balancer, which sends requests to pods or to a port of each node, and to Flower if it has a host name. */
  readonly ingress?: { readonly url?: string; readonly nodePort: boolean; readonly flower: boolean };
}

export type Values = Record<string, any>;

/** Values of a chart, and the keys of Kubernetes Secrets to which they refer. */
export interface ChartPart {
  readonly values: Values;
  readonly keys?: SecretKey[];
}

/** A service of the release that a load balancer can send requests to. */
export interface WebService {
  readonly name: string;
  readonly port: number;
  readonly healthCheckPath: string;
}

/** A Deployment or StatefulSet of the release. */
export interface ReleaseWorkload {
  /** The ID of the construct that waits for it. */
  readonly id: string;
  readonly kind: Workload['kind'];
  /** The name without the name of the release. */
  readonly name: string;
  /** The value that switches it off, if there is one. */
  readonly enabledBy?: string;
  /** Whether its pods finish their tasks, one pod after the other: an update does not wait until all are replaced. */
  readonly finishesTasks?: boolean;
}

/** One chart: its version, and how it expresses the settings of a deployment. */
export interface ChartDefinition {
  readonly name: string;
  readonly chart: ChartVersion;
  readonly airflowVersion: string;
  readonly defaultImage: ImageReference;
  /** The maximum length of the name of a release. */
  readonly maxNameLength: number;
  /** Whether tasks call Airflow's API with signed tokens. */
  readonly taskApi: boolean;
  /** Executors that the chart refuses. */
  readonly unsupportedExecutors: AirflowExecutor[];
  /** Props that the chart cannot implement, by their paths, and what to do instead. */
  readonly unsupportedProps: Record<string, string>;
  /** The value that sets the type of the Service of the web UI. */
  readonly webServiceType: string;
  /** Values that a prop sets, and the prop. */
  readonly ownedValues: Record<string, string>;
  /** Values without which the release does not work, and the reason with a way out. */
  readonly refusedValues: Record<string, string>;
  /** Lists to which those of the user are appended. */
  readonly appendedValues: string[];
  /** Configuration options that the chart or a secret sets, and the prop to use instead. */
  readonly ownedConfig: Record<string, string>;
  /** Whether an upgrade sets the number of pods even if an autoscaler does: server-side apply, which Helm 4 uses, then refuses it. */
  readonly setsAutoscaledReplicas: boolean;
  /** The workloads that must be ready before a deployment is complete. */
  workloads(settings: AirflowSettings): ReleaseWorkload[];
  webService(name: string): WebService;
  flowerService(name: string): WebService;
  /** A pure function of the settings; `scope` is for the paths in errors. */
  render(scope: Construct, settings: AirflowSettings): Required<ChartPart>;
  /** The pods of the release, from its values, to which users have added theirs. */
  pods(values: Values, settings: AirflowSettings): PodRequests[];
}

/** Configuration options that both charts set, and the prop to use instead. */
export const OWNED_CONFIG = {
  AIRFLOW__CORE__EXECUTOR: 'executor',
  AIRFLOW__CORE__DAGS_FOLDER: 'gitSync.subPath',
  AIRFLOW__CORE__FERNET_KEY: 'secrets.fernetKey',
  AIRFLOW__CORE__SQL_ALCHEMY_CONN: 'database',
  AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: 'database',
  AIRFLOW__CELERY__BROKER_URL: 'broker',
  AIRFLOW__CELERY__BROKER_URL_CMD: 'broker',
  AIRFLOW__CELERY__RESULT_BACKEND: 'database',
  AIRFLOW__CELERY__WORKER_CONCURRENCY: 'workers.concurrency',
  AIRFLOW__WEBSERVER__SECRET_KEY: 'secrets.apiSecretKey',
};
