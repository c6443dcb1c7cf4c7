import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { AirflowOnEksProps } from './airflow-on-eks-props';
import { apiServerSettings } from './api-server';
import { BrokerSettings } from './broker/airflow-broker';
import { AirflowSettings, ChartDefinition } from './chart/chart-definition';
import { ComponentOptions, componentSettings } from './component';
import { ConfigurationSettings, configurationSettings } from './config/configuration';
import { SecretsBackendSettings } from './config/secrets-backend';
import { DatabaseSettings } from './database/database-endpoint';
import { retentionDays } from './database-cleanup';
import { AirflowExecutor, checkExecutor, hasTaskPods } from './executor';
import { gitSyncSettings } from './git-sync/git-sync';
import { ingressUrl, needsNodePort } from './ingress/alb-ingress-options';
import { BoundLogs } from './logs/airflow-logs';
import { checkConnections } from './metadata/airflow-connection';
import { checkPools } from './metadata/airflow-pool';
import { checkAuthManager, UserSettings } from './metadata/airflow-user';
import { checkVariables } from './metadata/airflow-variable';
import { BoundNodePools } from './nodes/airflow-node-pools';
import { IAirflowPersistence } from './persistence';
import { AirflowSecretValues } from './secrets/airflow-secrets';
import { checkFormat } from './validation';
import { checkWorkersRun, workersSettings } from './workers';

/** The parts of a deployment, as far as the chart needs to know them. */
interface DeploymentParts {
  readonly namespace: string;
  readonly chart: ChartDefinition;
  readonly executor: AirflowExecutor;
  readonly role: iam.IRole;
  readonly nodes: BoundNodePools;
  readonly persistence?: IAirflowPersistence;
  readonly logs: BoundLogs;
  readonly broker?: BrokerSettings;
  readonly database: DatabaseSettings;
  readonly secrets: AirflowSecretValues;
  readonly users: UserSettings[];
  readonly backend?: SecretsBackendSettings;
}

/** The props with their defaults, checked. */
export function airflowSettings(scope: Construct, props: AirflowOnEksProps, parts: DeploymentParts): AirflowSettings {
  const { chart, nodes, persistence, backend } = parts;
  const { connections = [], variables = [], pools = [], pipPackages = [] } = props;
  checkExecutor(scope, parts.executor);
  checkWorkersRun(scope, props.workers, parts.executor);
  pipPackages.forEach((name) => checkFormat(scope, 'pipPackages', name, /\S/, 'requirements of pip'));
  checkConnections(scope, connections);
  checkVariables(scope, variables);
  checkPools(scope, pools);
  const configuration = configurationSettings(scope, props, chart.ownedConfig, { secretsBackend: backend?.config, logs: parts.logs.config });
  checkAuthManager(scope, parts.users, configuration);
  return {
    ...configuration,
    name: parts.namespace,
    executor: parts.executor,
    image: props.image?._bind(scope, chart.airflowVersion) ?? chart.defaultImage,
    serviceAccountRoleArn: parts.role.roleArn,
    placement: nodes.placement,
    apiServer: apiServerSettings(scope, props.apiServer),
    scheduler: componentSettings(scope, 'scheduler', props.scheduler, schedulerDefaults(parts.executor)),
    dagProcessor: componentSettings(scope, 'dagProcessor', props.dagProcessor, { cpu: '250m', memory: '512Mi' }),
    triggerer: componentSettings(scope, 'triggerer', props.triggerer, { cpu: '100m', memory: '512Mi' }),
    workers: workersSettings(scope, props.workers, {
      namespace: parts.namespace, executor: parts.executor, onSpot: nodes.tasksOnSpot, defaultQueue: defaultQueueOf(configuration),
    }),
    logs: parts.logs,
    claims: { logs: persistence?.logsClaimName },
    database: parts.database,
    gitSync: props.gitSync && gitSyncSettings(scope, props.gitSync),
    broker: parts.broker,
    secrets: parts.secrets,
    users: parts.users,
    connections,
    variables,
    pools,
    pipPackages,
    databaseRetentionDays: retentionDays(scope, props.databaseCleanup),
    ingress: props.ingress && {
      url: ingressUrl(props.ingress), nodePort: needsNodePort(props.ingress), flower: props.ingress.flowerHost !== undefined,
    },
  };
}

/** The queue of tasks that name none. */
function defaultQueueOf({ config, environment }: ConfigurationSettings): string | undefined {
  return config.AIRFLOW__OPERATORS__DEFAULT_QUEUE ?? environment.AIRFLOW__OPERATORS__DEFAULT_QUEUE;
}

/** Several schedulers take the tasks of one that finishes them from each other. */
function schedulerDefaults(executor: AirflowExecutor): ComponentOptions {
  return hasTaskPods(executor) ? { replicas: 2, cpu: '250m', memory: '512Mi' } : { replicas: 1, cpu: '1', memory: '2Gi' };
}
