import { execFileSync } from 'child_process';
import { Duration } from 'aws-cdk-lib';
import { AirflowExecutor, AirflowSecret, CeleryBroker } from '../../../src';
import { Json, Props, synthCommunity, valuesOf } from '../../util';

const values = (props?: Props): Json => valuesOf(synthCommunity(props).template);

test('defaults: workers have ten minutes to finish their tasks, and are not evicted to save nodes', () => {
  const { workers } = values();
  expect(workers).toMatchObject({
    enabled: true,
    replicas: 2,
    resources: { requests: { cpu: '1', memory: '2Gi' }, limits: { memory: '4Gi' } },
    safeToEvict: false,
    podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false', 'karpenter.sh/do-not-disrupt': 'true' },
    podDisruptionBudget: { enabled: true, maxUnavailable: '20%', minAvailable: '' },
    topologySpreadConstraints: [{ topologyKey: 'topology.kubernetes.io/zone', labelSelector: { matchLabels: { app: 'airflow', component: 'worker', release: 'airflow' } } }],
    celery: { gracefullTermination: true, gracefullTerminationPeriod: 540 },
    terminationPeriod: 60,
    autoscaling: { enabled: false },
    logCleanup: { enabled: false },
  });
});

test('defaults: Airflow and the probes of the chart read the URL of the broker from a Secret, and Flower its password', () => {
  const { redis, flower, airflow } = values();
  expect(redis).toEqual({ enabled: false });
  expect(airflow.extraEnv).toEqual(expect.arrayContaining([
    { name: 'AIRFLOW__CELERY__BROKER_URL', valueFrom: { secretKeyRef: { name: 'airflow-broker-url', key: 'connection' } } },
    { name: 'AIRFLOW__CELERY__BROKER_URL_CMD', value: 'printf %s "$AIRFLOW__CELERY__BROKER_URL"' },
  ]));
  expect(flower).toEqual({
    enabled: true,
    basicAuthSecret: 'airflow-secret',
    basicAuthSecretKey: 'flower-basic-auth',
    livenessProbe: { failureThreshold: 30 }, // five minutes to start
    resources: { requests: { cpu: '50m', memory: '256Mi' }, limits: { memory: '512Mi' } },
  });
});

test('custom: workers', () => {
  expect(values({ workers: { replicas: 1, cpu: '2', memory: '4Gi', memoryLimit: '8Gi', terminationGracePeriod: Duration.minutes(14) } }).workers).toMatchObject({
    replicas: 1,
    resources: { requests: { cpu: '2', memory: '4Gi' }, limits: { memory: '8Gi' } },
    celery: { gracefullTerminationPeriod: 780 },
    terminationPeriod: 60,
  });
});

test('the command for the URL of the broker changes nothing in it', () => {
  const command = values().airflow.extraEnv.find(({ name }: Json) => name === 'AIRFLOW__CELERY__BROKER_URL_CMD').value;
  const url = 'rediss://:p%40ss@airflow-valkey:6379/0?ssl_cert_reqs=required&ssl_check_hostname=true';
  const env = { PATH: process.env.PATH, AIRFLOW__CELERY__BROKER_URL: url, AIRFLOW__CELERY__BROKER_URL_CMD: command };
  for (const line of [command, 'eval $AIRFLOW__CELERY__BROKER_URL_CMD']) { // of Airflow, and of the chart's probe
    expect(execFileSync('bash', ['-c', line], { env, encoding: 'utf8' })).toBe(url);
  }
});

test('custom: without Celery, no workers, no broker and no Flower', () => {
  const { workers, redis, flower, airflow } = values({ executor: AirflowExecutor.KUBERNETES });
  expect([workers, redis, flower]).toEqual([{ enabled: false }, { enabled: false }, { enabled: false }]);
  expect(JSON.stringify(airflow)).not.toContain('BROKER_URL');
});

test('custom: Kubernetes Secrets', () => {
  const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);
  const { airflow, flower } = values({ broker: CeleryBroker.fromUrl(own('connection')), secrets: { flowerPassword: own('flower') } });
  expect(airflow.extraEnv).toContainEqual({ name: 'AIRFLOW__CELERY__BROKER_URL', valueFrom: { secretKeyRef: { name: 'mine', key: 'connection' } } });
  expect(flower).toMatchObject({ basicAuthSecret: 'mine', basicAuthSecretKey: 'flower' });
});
