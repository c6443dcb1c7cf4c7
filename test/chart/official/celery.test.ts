import { officialValues, synthOfficial } from './util';
import { AirflowExecutor, AirflowSecret } from '../../../src';
import { valuesOf } from '../../util';
import { writtenSecrets } from '../templates';

const ODD_PASSWORD = 'p@ss/w:rd?#%&+ "quoted" \\ é';

test('defaults: the broker of the library instead of that of the chart, and Flower', () => {
  const { template } = synthOfficial();
  expect(valuesOf(template)).toMatchObject({
    redis: { enabled: false }, data: { brokerUrlSecretName: 'airflow-broker-url' }, flower: { enabled: true, secretName: 'airflow-flower' },
  });
  const written = writtenSecrets(template, () => ODD_PASSWORD);
  expect(written['airflow-flower'].basicAuth).toBe(`airflow:${ODD_PASSWORD}`);
});

test('custom: without Celery, no broker, no Flower, and no Secret that the chart would create', () => {
  const values = officialValues({ executor: AirflowExecutor.KUBERNETES });
  expect(values).toMatchObject({ executor: 'KubernetesExecutor', redis: { enabled: false }, flower: { enabled: false } });
  expect(values.data.brokerUrlSecretName).toBe('airflow-broker-url');
});

const own = AirflowSecret.fromKubernetesSecret('mine', 'pw');

test('fails when the password of Flower has another key than the chart reads', () => {
  expect(() => synthOfficial({ secrets: { flowerPassword: own } })).toThrow(new Error(
    "Data/Airflow: 'secrets.flowerPassword' must have the key 'basicAuth' in its Kubernetes Secret, which is the only key that the chart reads, got 'pw'"));
});
