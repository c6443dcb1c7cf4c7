import { GitSyncSettings } from '../git-sync';
import { ImageReference } from '../image';
import { AirflowConnection, AirflowPool, AirflowUser, AirflowVariable } from '../metadata';
import { AirflowPlacement, NodePlacement } from '../node-pools';
import { AirflowSecret, AirflowSecretValues, SecretBook } from '../secrets';
import { ChartVersion } from '../versions';
import { WorkersSettings } from '../workers';

/**
 * How Airflow runs tasks.
 */
export enum AirflowExecutor {
  /**
   * In workers that stay: quick to start a task.
   */
  CELERY = 'CeleryExecutor',

  /**
   * In one pod per task: nothing runs between tasks.
   */
  KUBERNETES = 'KubernetesExecutor',

  /**
   * In workers that stay, or in a pod of its own where a task asks for it.
   */
  CELERY_KUBERNETES = 'CeleryKubernetesExecutor',
}

/** How the outside reaches a web UI in the cluster. */
export interface WebService {
  readonly name: string;
  readonly port: number;
  readonly healthCheckPath: string;
}

/** All that a chart is told, in nobody's dialect. */
export interface AirflowSettings {
  /** Name of the release and of its namespace: `<name>-...` is the name of what the release makes. */
  readonly name: string;
  readonly executor: AirflowExecutor;
  readonly image: ImageReference;
  readonly serviceAccountRoleArn: string;
  readonly placement: AirflowPlacement;
  readonly workers: WorkersSettings;
  readonly replicas: { readonly webServer: number; readonly scheduler: number };
  readonly claims: { readonly logs: string; readonly database: string };
  readonly gitSync?: GitSyncSettings;
  readonly secrets: AirflowSecretValues;
  readonly users: AirflowUser[];
  readonly connections: AirflowConnection[];
  readonly variables: AirflowVariable[];
  readonly pools: AirflowPool[];
  /** Airflow's options as `AIRFLOW__SECTION__KEY`. */
  readonly config: Record<string, string>;
  readonly environment: Record<string, string>;
  readonly extraSecrets: Record<string, AirflowSecret>;
  readonly pipPackages: string[];
  /** Set behind a load balancer, which talks to pods, or to a port of each node. */
  readonly ingress?: { readonly url?: string; readonly nodePort: boolean };
}

export type Values = Record<string, any>;

/** One chart: its version, what it runs, and how it says what the settings say. */
export interface ChartDefinition {
  readonly chart: ChartVersion;
  readonly airflowVersion: string;
  readonly defaultImage: ImageReference;
  /** The longest name of a release that its templates accept. */
  readonly maxNameLength: number;
  /** Whether tasks call Airflow's API with signed tokens. */
  readonly taskApi: boolean;
  /** The value that says which type the Service of the web UI has. */
  readonly webServiceType: string;
  /** Values that other parts rely on, and the prop that sets each. */
  readonly ownedValues: Record<string, string>;
  /** Options of Airflow that the chart or a secret sets, and what to use instead. */
  readonly ownedConfig: Record<string, string>;
  webService(name: string): WebService;
  flowerService(name: string): WebService;
  values(settings: AirflowSettings, book: SecretBook): Values;
}

export function hasCelery(executor: AirflowExecutor): boolean {
  return executor !== AirflowExecutor.KUBERNETES;
}

export function hasKubernetes(executor: AirflowExecutor): boolean {
  return executor !== AirflowExecutor.CELERY;
}

/** The labels of a placement. Where a component has none, charts take those of all others: that any node will do has to be said as well. */
export function nodeLabels({ labels }: NodePlacement): Record<string, string> {
  return Object.keys(labels).length > 0 ? labels : { 'kubernetes.io/os': 'linux' };
}

/** Text for a place where `$` begins a reference and `$$` is `$`. A token of the CDK begins with `$` too, and has to stay one. */
export function escapeDollars(text: string): string {
  return text.replace(/\$(?!\{Token\[)/g, '$$$$');
}

/** The Secret that holds all keys but those that a chart wants in one of their own. */
export function secretName(name: string): string {
  return `${name}-secret`;
}

/** The key of a user's password in it. */
export function passwordKey(username: string): string {
  return `airflow-${username.replace(/[^-._a-zA-Z0-9]/g, '.')}-password`;
}

/** Makes Fernet keys of 32 letters and digits, leaves keys as they are, and both in a list for rotation. */
export function fernetTemplate(variable: string): string {
  return `{{ $keys := list }}{{ range splitList "," (trim .${variable}) }}{{ $keys = append $keys (eq (len .) 32 | ternary (b64enc .) .) }}{{ end }}{{ join "," $keys }}`;
}

/** Puts back the line end that a private key must have, and that secret stores lose. */
export function privateKeyTemplate(variable: string): string {
  return `{{ .${variable} | replace "\\r" "" | trim }}\n`;
}

/** An extra secret as environment variable: upper case, `_` for what a variable's name cannot have. */
export function environmentName(secret: string): string {
  return secret.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}

/** The environment that the user asked for, in both charts' (Kubernetes') words. */
export function userEnvironment(settings: AirflowSettings, book: SecretBook): EnvVar[] {
  return [
    ...Object.entries(settings.environment).map(([name, value]) => ({ name, value })),
    ...Object.entries(settings.extraSecrets).map(([key, secret]) => ({
      name: environmentName(key),
      valueFrom: { secretKeyRef: book.ref(`extraSecrets.${key}`, { name: secretName(settings.name), key }, secret) },
    })),
  ];
}

/** git-sync must not be the reason why a pod has no requests: autoscaling needs them on each container. */
export const GIT_SYNC_REQUESTS = { cpu: '50m', memory: '64Mi' };

/** The tolerations of a placement, in Kubernetes' words. */
export function tolerationsOf({ tolerations = [] }: NodePlacement): Values[] {
  return tolerations.map((toleration) => ({ operator: toleration.value === undefined ? 'Exists' : 'Equal', ...toleration }));
}

/** Spreads the pods with these labels over zones, as far as there are nodes. */
export function overZones(matchLabels: Record<string, string>): Values[] {
  return [{
    maxSkew: 1,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels },
  }];
}
