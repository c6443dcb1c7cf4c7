import { officialValues, synthOfficial } from './util';
import { AirflowExecutor, AirflowSecret } from '../../../src';
import { valuesOf } from '../../util';
import { writtenSecrets } from '../templates';

const ODD_PASSWORD = 'p@ss/w:rd?#%&+ "quoted" \\ é';

test('defaults: a broker that runs as the user of its image, and Flower', () => {
  const { template } = synthOfficial();
  const values = valuesOf(template);
  expect(values.redis).toMatchObject({ enabled: true, securityContexts: { pod: { runAsUser: 999, runAsGroup: 999, fsGroup: 999 } } });
  expect(values.flower.enabled).toBe(true);
});

test('defaults: the URL of the broker contains the password, which elsewhere is as it is', () => {
  const written = writtenSecrets(synthOfficial().template, () => ODD_PASSWORD);
  const url = new URL(written['airflow-broker-url'].connection);
  expect([url.protocol, url.username, decodeURIComponent(url.password), url.host, url.pathname, url.search])
    .toEqual(['redis:', '', ODD_PASSWORD, 'airflow-redis:6379', '/0', '']);
  expect(written['airflow-redis-password'].password).toBe(ODD_PASSWORD);
  expect(written['airflow-flower'].basicAuth).toBe(`airflow:${ODD_PASSWORD}`);
});

test('custom: without Celery, no broker, no Flower, and no Secret that the chart would create', () => {
  const values = officialValues({ executor: AirflowExecutor.KUBERNETES });
  expect(values).toMatchObject({ executor: 'KubernetesExecutor', redis: { enabled: false }, flower: { enabled: false } });
  expect(values.data.brokerUrlSecretName).toBe('airflow-broker-url');
});

const own = AirflowSecret.fromKubernetesSecret('mine', 'pw');

test('fails when the password of the broker is in a Kubernetes Secret', () => {
  expect(() => synthOfficial({ secrets: { brokerPassword: own } })).toThrow(new Error(
    "Data/Airflow: 'secrets.brokerPassword' is the Kubernetes Secret 'mine', but this chart needs the value as a part of 'airflow-broker-url';"
    + ' store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'));
});

test('fails when the password of Flower has another key than the chart reads', () => {
  expect(() => synthOfficial({ secrets: { flowerPassword: own } })).toThrow(new Error(
    "Data/Airflow: 'secrets.flowerPassword' must have the key 'basicAuth' in its Kubernetes Secret, which is the only key that the chart reads, got 'pw'"));
});
