import { Duration, Token } from 'aws-cdk-lib';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AirflowExecutor, AirflowImage, AirflowNodePools, AirflowSecret, SecretsBackend } from '../../../src';
import { Json, Props, remoteSecret, synthCommunity, valuesOf } from '../../util';
import { writtenSecrets } from '../templates';

const values = (props?: Props): Json => valuesOf(synthCommunity(props).template);

const required = (type: string) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [['role', 'airflow'], ['airflow-deployment', 'airflow'], ['type', type]].map(([key, value]) => ({ key, operator: 'In', values: [value] })) }],
    },
  },
});
const TOLERATIONS = [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }];

const spreadOf = (component: string) => [{
  maxSkew: 1,
  topologyKey: 'topology.kubernetes.io/zone',
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: { app: 'airflow', component, release: 'airflow' } },
}];

describe('defaults', () => {
  const defaults = values();

  test('all pods are placed', () => {
    const { airflow, workers } = defaults;
    expect([airflow.defaultAffinity, airflow.defaultTolerations]).toEqual([required('af-stateless'), TOLERATIONS]);
    expect([workers.affinity, workers.tolerations]).toEqual([required('af-stateful'), TOLERATIONS]);
  });

  test.each([['web', 2], ['scheduler', 2], ['triggerer', 1]])('%s: %d replicas across zones, of which one may be unavailable', (component, replicas) => {
    expect(defaults[component]).toMatchObject({
      replicas,
      podDisruptionBudget: { enabled: replicas > 1, maxUnavailable: 1, minAvailable: '' },
      topologySpreadConstraints: spreadOf(component),
    });
  });

  test('the web server has five minutes to start', () => {
    expect(defaults.web.livenessProbe).toEqual({ failureThreshold: 30 }); // every 10 seconds
  });

  test('images that can still be pulled', () => {
  });

  test('logs are on the claim of the library, and the database is that of the library', () => {
    const { logs, postgresql, pgbouncer, externalDatabase, dags, ingress } = defaults;
    expect(logs).toEqual({ path: '/opt/airflow/efs/logs', persistence: { enabled: true, existingClaim: 'airflow-logs', accessMode: 'ReadWriteMany' } });
    expect([postgresql, pgbouncer]).toEqual([{ enabled: false }, { enabled: false }]);
    expect(externalDatabase).toEqual({
      type: 'postgres',
      host: 'airflow-pgbouncer.airflow',
      port: 6432,
      database: 'airflow',
      user: 'postgres',
      passwordSecret: 'airflow-secret',
      passwordSecretKey: 'postgresql-password',
    });
    expect(dags.persistence).toEqual({ enabled: false });
    expect(ingress).toEqual({ enabled: false });
  });

  test('no example DAGs, a configuration that the web UI does not show, and retries for workers on Spot nodes', () => {
    const { airflow, web } = defaults;
    expect(airflow.config).toEqual({ AIRFLOW__CORE__LOAD_EXAMPLES: 'False', AIRFLOW__WEBSERVER__EXPOSE_CONFIG: 'False', AIRFLOW__CORE__DEFAULT_TASK_RETRIES: '2' });
    expect([airflow.connections, airflow.variables, airflow.pools, airflow.extraPipPackages]).toEqual([[], [], [], []]);
    expect(airflow.kubernetesPodTemplate).toBeUndefined();
    expect(web.service).toEqual({ type: 'ClusterIP' });
  });

  test('all pods of Airflow have the same identity', () => {
    const { create, name, annotations } = defaults.serviceAccount;
    expect([create, name, Object.keys(annotations)]).toEqual([true, 'airflow', ['eks.amazonaws.com/role-arn']]);
  });

  test('old records of the database are deleted', () => {
    expect(defaults.extraManifests).toEqual([expect.stringContaining('-mtime +90'), expect.stringContaining("date -d '-90 days'")]);
  });

  test('the values contain no secret', () => {
    const { airflow } = defaults;
    expect([airflow.fernetKey, airflow.webserverSecretKey]).toEqual(['', '']);
    expect(airflow.extraEnv.slice(0, 2)).toEqual([
      { name: 'AIRFLOW__CORE__FERNET_KEY', valueFrom: { secretKeyRef: { name: 'airflow-secret', key: 'airflow-fernet' } } },
      { name: 'AIRFLOW__WEBSERVER__SECRET_KEY', valueFrom: { secretKeyRef: { name: 'airflow-secret', key: 'airflow-webserver-key' } } },
    ]);
  });

  test('one Secret contains all keys and passwords but those of the broker', () => {
    const written = writtenSecrets(synthCommunity().template, () => 'abcdefghijklmnopqrstuvwxyzABCDEF');
    expect(written).toEqual({
      'airflow-secret': {
        'airflow-admin-password': 'abcdefghijklmnopqrstuvwxyzABCDEF',
        'airflow-fernet': 'YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXpBQkNERUY=',
        'airflow-webserver-key': 'abcdefghijklmnopqrstuvwxyzABCDEF',
        'flower-basic-auth': 'airflow:abcdefghijklmnopqrstuvwxyzABCDEF',
        'postgresql-password': 'abcdefghijklmnopqrstuvwxyzABCDEF',
      },
      'airflow-broker-url': { connection: expect.any(String) },
      'airflow-valkey': { 'valkey.conf': expect.any(String) },
    });
  });
});

describe('custom', () => {
  test.each<[AirflowExecutor, boolean, boolean]>([
    [AirflowExecutor.CELERY, true, false], [AirflowExecutor.KUBERNETES, false, true], [AirflowExecutor.CELERY_KUBERNETES, true, true],
  ])('executor %s', (executor, celery, kubernetes) => {
    const found = values({ executor, pipPackages: ['slack'] });
    expect(found.airflow.executor).toBe(executor);
    expect([found.workers.enabled, found.flower.enabled]).toEqual([celery, celery]);
    expect(found.airflow.kubernetesPodTemplate).toEqual(kubernetes
      ? {
        affinity: required('af-stateful'),
        tolerations: TOLERATIONS,
        podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false', 'karpenter.sh/do-not-disrupt': 'true' },
        resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
        extraPipPackages: ['slack'],
      } : undefined);
  });

  test.each([['web', 'apiServer'], ['scheduler', 'scheduler'], ['triggerer', 'triggerer']])('%s: replicas and resources', (component, prop) => {
    const options = { cpu: '500m', memory: '1Gi', memoryLimit: '2Gi' };
    const resources = { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } };
    // A disruption budget for a single replica would keep its node from being replaced.
    for (const [replicas, enabled] of [[1, false], [3, true]]) {
      expect(values({ [prop]: { ...options, replicas } })[component]).toMatchObject({ replicas, resources, podDisruptionBudget: { enabled } });
    }
  });

  test('a base URL behind a proxy of the user, and the number of tasks per worker', () => {
    expect(values({ config: { 'webserver.base_url': 'https://a.example.com' }, workers: { concurrency: 4 } }).airflow.config).toMatchObject({
      AIRFLOW__WEBSERVER__BASE_URL: 'https://a.example.com', AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX: 'True', AIRFLOW__CELERY__WORKER_CONCURRENCY: '4',
    });
  });

  test('configuration options, environment and packages', () => {
    const { airflow } = values((stack) => ({
      config: { 'core.parallelism': '64', 'elasticsearch-configs.verify_certs': 'True' },
      environment: { STAGE: 'dev' },
      environmentSecrets: { SLACK_WEBHOOK: remoteSecret(stack, 'slack'), OWN: AirflowSecret.fromKubernetesSecret('mine', 'own') },
      pipPackages: ['apache-airflow-providers-slack==8.0'],
    }));
    expect(airflow.config).toMatchObject({ AIRFLOW__CORE__PARALLELISM: '64', AIRFLOW__ELASTICSEARCH_CONFIGS__VERIFY_CERTS: 'True' });
    expect(airflow.extraEnv).toEqual(expect.arrayContaining([
      { name: 'STAGE', value: 'dev' },
      { name: 'SLACK_WEBHOOK', valueFrom: { secretKeyRef: { name: 'airflow-secret', key: 'SLACK_WEBHOOK' } } },
      { name: 'OWN', valueFrom: { secretKeyRef: { name: 'mine', key: 'own' } } },
    ]));
    expect(airflow.extraPipPackages).toEqual(['apache-airflow-providers-slack==8.0']);
  });

  test('an image', () => {
    expect(values({ image: AirflowImage.fromRegistry('registry.example.com/airflow', 'v1') }).airflow.image)
      .toEqual({ repository: 'registry.example.com/airflow', tag: 'v1', pullPolicy: 'IfNotPresent', uid: 50000, gid: 0 });
  });

  test('an ingress, with and without a host name, to pods and to nodes', () => {
    const withHost = values({ ingress: { host: 'airflow.example.com', targetType: elbv2.TargetType.INSTANCE } });
    expect(withHost.airflow.config).toMatchObject({
      AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX: 'True', AIRFLOW__WEBSERVER__BASE_URL: 'http://airflow.example.com',
    });
    expect(withHost.web.service).toEqual({ type: 'NodePort' });
    const withoutHost = values({ ingress: {} });
    expect(withoutHost.airflow.config.AIRFLOW__WEBSERVER__BASE_URL).toBeUndefined();
    expect(withoutHost.web.service).toEqual({ type: 'ClusterIP' });
  });

  test('the age at which records of the database are deleted, also a token', () => {
    const cleanup = (retention: Duration) => values({ databaseCleanup: { retention } }).extraManifests.pop();
    expect(cleanup(Duration.days(30))).toContain("date -d '-30 days'");
    expect(cleanup(Duration.days(Token.asNumber({ Ref: 'Days' })))).toContain("date -d '-<Days> days'");
  });

  test('On-Demand workers: the default of Airflow for retries', () => {
    const { airflow } = values({ nodePools: AirflowNodePools.managedNodeGroups({ workers: { capacityType: eks.CapacityType.ON_DEMAND } }) });
    expect(Object.keys(airflow.config)).not.toContain('AIRFLOW__CORE__DEFAULT_TASK_RETRIES');
  });

  test('nodes that already exist, of any kind', () => {
    const { airflow } = values((stack) => ({
      nodePools: AirflowNodePools.existing({ stateless: { labels: {} }, nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes') }),
    }));
    // No node matches a term without expressions.
    expect(airflow.defaultAffinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms)
      .toEqual([{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] }]);
    expect(airflow.defaultTolerations).toEqual([]);
  });

  test('a secrets backend', () => {
    const { config } = values({ secretsBackend: SecretsBackend.secretsManager('prod/airflow') }).airflow;
    expect(config.AIRFLOW__SECRETS__BACKEND).toBe('airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend');
    expect(JSON.parse(config.AIRFLOW__SECRETS__BACKEND_KWARGS)).toEqual({
      connections_prefix: 'prod/airflow/connections', variables_prefix: 'prod/airflow/variables', config_prefix: 'prod/airflow/config',
    });
  });
});
