import { Tokenization } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { autoscalers, fixedReplicas } from './autoscaling';
import { brokerEnvironment, celery } from './celery';
import { gitSync, gitSyncVariables } from './git-sync';
import { metadata } from './metadata';
import { placed } from './placement';
import { SLOW_START } from './probes';
import { asset } from '../../assets';
import { ComponentSettings, Resources } from '../../component';
import { fieldKey } from '../../database/database-endpoint';
import { hasKubernetes } from '../../executor';
import { acrossZones, nodeAffinityOf, NOT_EVICTED, tolerationsOf } from '../../nodes/placement';
import { copiedKey, SecretKey, userSecretName } from '../../secrets/secret-key';
import { fernetTemplate } from '../../secrets/templates';
import { AirflowSettings, ChartPart, Values } from '../chart-definition';
import { escapeDollars, fromSecret, userEnvironment } from '../environment';
import { combine } from '../helm-values';
import { SMALL_CONTAINERS } from '../resources';

/** The values of the community chart. */
export function communityValues(scope: Construct, settings: AirflowSettings): Required<ChartPart> {
  return combine([
    airflow(settings),
    environment(scope, settings),
    metadata(scope, settings),
    celery(scope, settings),
    database(scope, settings),
    gitSync(scope, settings),
    extraManifests(settings),
  ]);
}

/** The components of Airflow, and what they share. */
function airflow(settings: AirflowSettings): ChartPart {
  const { name, executor, image, placement, workers, ingress, pipPackages, logs, claims } = settings;
  return {
    values: {
      airflow: {
        legacyCommands: false,
        image: { ...image, pullPolicy: 'IfNotPresent', uid: 50000, gid: 0 },
        executor,
        config: {
          AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
          AIRFLOW__WEBSERVER__EXPOSE_CONFIG: 'False',
          ...workers.defaultTaskRetries === undefined ? {} : { AIRFLOW__CORE__DEFAULT_TASK_RETRIES: `${workers.defaultTaskRetries}` },
          ...workers.concurrency === undefined ? {} : { AIRFLOW__CELERY__WORKER_CONCURRENCY: Tokenization.stringifyNumber(workers.concurrency) },
          ...ingress || settings.config.AIRFLOW__WEBSERVER__BASE_URL ? { AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX: 'True' } : {},
          ...ingress?.url ? { AIRFLOW__WEBSERVER__BASE_URL: ingress.url } : {},
          ...settings.config,
        },
        extraPipPackages: pipPackages,
        defaultTolerations: tolerationsOf(placement.stateless),
        defaultAffinity: nodeAffinityOf(placement.stateless),
        // The group of all Airflow containers: without it, only root can read the token of the service account.
        defaultSecurityContext: { fsGroup: 0 },
        ...hasKubernetes(executor) && {
          kubernetesPodTemplate: {
            ...placed(placement.workers), resources: workers.taskResources, podAnnotations: NOT_EVICTED, extraPipPackages: pipPackages,
          },
        },
        initContainers: Object.fromEntries(['checkDb', 'waitForDbMigrations', 'installPipPackages'].map((container) =>
          [container, { resources: SMALL_CONTAINERS.airflow }])),
        dbMigrations: { resources: SMALL_CONTAINERS.airflow },
        sync: { resources: SMALL_CONTAINERS.airflow },
      },
      scheduler: {
        ...replicated(name, 'scheduler', settings.scheduler),
        // Deletes the logs of the DAG processor. The chart refuses it if the logs are on a volume.
        logCleanup: claims.logs
          ? { enabled: false }
          : { enabled: true, retentionMinutes: logs.retentionDays * 24 * 60, resources: SMALL_CONTAINERS.logGroomer },
      },
      web: { ...replicated(name, 'web', settings.apiServer), ...SLOW_START, service: { type: ingress?.nodePort ? 'NodePort' : 'ClusterIP' } },
      triggerer: replicated(name, 'triggerer', settings.triggerer),
      logs: {
        path: '/opt/airflow/efs/logs',
        persistence: claims.logs ? { enabled: true, existingClaim: claims.logs, accessMode: 'ReadWriteMany' } : { enabled: false },
      },
      serviceAccount: { create: true, name, annotations: { 'eks.amazonaws.com/role-arn': settings.serviceAccountRoleArn } },
      ingress: { enabled: false },
    },
  };
}

/** A component that, with several replicas, survives the loss of a node or a zone. */
function replicated(name: string, component: string, settings: ComponentSettings): Values {
  return {
    replicas: fixedReplicas(settings),
    resources: settings.resources,
    podDisruptionBudget: { enabled: settings.replicas > 1 || settings.autoscaling !== undefined, maxUnavailable: 1, minAvailable: '' },
    topologySpreadConstraints: acrossZones({ app: 'airflow', component, release: name }),
  };
}

/** The keys of Airflow and the environment variables of the user. */
function environment(scope: Construct, settings: AirflowSettings): ChartPart {
  const { name, secrets } = settings;
  const target = (key: string) => ({ name: userSecretName(name), key });
  const fernetKey = copiedKey(scope, 'secrets.fernetKey', target('airflow-fernet'), secrets.fernetKey, fernetTemplate);
  const sessionKey = copiedKey(scope, 'secrets.apiSecretKey', target('airflow-webserver-key'), secrets.apiSecretKey);
  const user = userEnvironment(scope, settings);
  return {
    values: {
      airflow: {
        // Empty: the chart's default keys are public, and the chart would write them to a Secret although the environment takes precedence.
        fernetKey: '',
        webserverSecretKey: '',
        extraEnv: [
          fromSecret('AIRFLOW__CORE__FERNET_KEY', fernetKey),
          fromSecret('AIRFLOW__WEBSERVER__SECRET_KEY', sessionKey),
          ...settings.broker ? brokerEnvironment(settings.broker) : [],
          ...user.variables,
          ...Object.entries(gitSyncVariables(settings)).map(([variable, value]) => ({ name: variable, value: escapeDollars(value) })),
        ],
      },
    },
    keys: [fernetKey, sessionKey, ...user.keys],
  };
}

/** The database, which the chart does not install. */
function database(scope: Construct, { database: { endpoint } }: AirflowSettings): ChartPart {
  const password = fieldKey(scope, endpoint.password);
  const user = typeof endpoint.user === 'string' ? undefined : fieldKey(scope, endpoint.user);
  return {
    values: {
      pgbouncer: { enabled: false },
      postgresql: { enabled: false },
      externalDatabase: {
        type: 'postgres',
        host: endpoint.host,
        port: endpoint.port,
        database: endpoint.name,
        ...user ? { userSecret: user.name, userSecretKey: user.key } : { user: endpoint.user },
        passwordSecret: password.name,
        passwordSecretKey: password.key,
      },
    },
    keys: [password, user].filter((key): key is SecretKey => key !== undefined),
  };
}

/** Objects that the chart does not have. The chart expands templates in them. */
function extraManifests(settings: AirflowSettings): ChartPart {
  const { logs, claims, databaseRetentionDays } = settings;
  return {
    values: {
      extraManifests: [
        ...autoscalers(settings),
        ...claims.logs ? [cleanup('community-log-cleanup.yaml', logs.retentionDays, SMALL_CONTAINERS.logGroomer)] : [],
        cleanup('community-database-cleanup.yaml', databaseRetentionDays, SMALL_CONTAINERS.databaseCleanup),
      ],
    },
  };
}

/** A CronJob that deletes what is older. */
function cleanup(file: string, days: number, resources: Resources): string {
  return asset(file).replace('RETENTION_DAYS', Tokenization.stringifyNumber(days)).replace('RESOURCES', JSON.stringify(resources));
}
