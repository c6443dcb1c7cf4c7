import { AirflowSettings, Values } from '../chart-definition';

/** What differs between Airflow 3 and Airflow 2.11 in the official chart. */
export interface Generation {
  /** The component of the web UI: its key in the values, and its name in the cluster. */
  readonly web: 'apiServer' | 'webserver';
  readonly webName: string;
  readonly healthCheckPath: string;
  /** Whether tasks call Airflow's API with signed tokens. */
  readonly taskApi: boolean;
  /** The configuration option of the base URL. */
  readonly baseUrl: { readonly section: string; readonly variable: string };
  /** The configuration option for how often the DAG directory is searched for new files. */
  readonly dagRefresh: { readonly section: string; readonly option: string };
  /** The key that signs sessions: the value that names its Secret, its key there, and the variable from which Airflow reads it. */
  readonly sessionKey: { readonly value: string; readonly key: string; readonly variable: string };
  /** The executor of `CELERY_KUBERNETES`. */
  readonly celeryKubernetesExecutor: string;
  /** Values of the web component behind a load balancer, whose headers it must trust. */
  readonly behindProxy: Values;
}

const AIRFLOW_3: Generation = {
  web: 'apiServer',
  webName: 'api-server',
  healthCheckPath: '/api/v2/monitor/health',
  taskApi: true,
  baseUrl: { section: 'api', variable: 'AIRFLOW__API__BASE_URL' },
  dagRefresh: { section: 'dag_processor', option: 'refresh_interval' },
  sessionKey: { value: 'apiSecretKeySecretName', key: 'api-secret-key', variable: 'AIRFLOW__API__SECRET_KEY' },
  celeryKubernetesExecutor: 'CeleryExecutor,KubernetesExecutor',
  behindProxy: { args: ['bash', '-c', 'exec airflow api-server --proxy-headers'], env: [{ name: 'FORWARDED_ALLOW_IPS', value: '*' }] },
};

const AIRFLOW_2: Generation = {
  web: 'webserver',
  webName: 'webserver',
  healthCheckPath: '/health',
  taskApi: false,
  baseUrl: { section: 'webserver', variable: 'AIRFLOW__WEBSERVER__BASE_URL' },
  dagRefresh: { section: 'scheduler', option: 'dag_dir_list_interval' },
  sessionKey: { value: 'webserverSecretKeySecretName', key: 'webserver-secret-key', variable: 'AIRFLOW__WEBSERVER__SECRET_KEY' },
  celeryKubernetesExecutor: 'CeleryKubernetesExecutor',
  behindProxy: {}, // the chart's own configuration trusts the headers
};

export function generationOf(airflowVersion: string): Generation {
  return airflowVersion.startsWith('2.') ? AIRFLOW_2 : AIRFLOW_3;
}

/** The URL of the web UI, if there is one. */
export function baseUrlOf({ config, environment, ingress }: AirflowSettings, { baseUrl }: Generation): string | undefined {
  return config[baseUrl.variable] ?? environment[baseUrl.variable] ?? ingress?.url;
}
