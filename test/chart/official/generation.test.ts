import { officialValues, synthOfficial } from './util';
import { AirflowExecutor } from '../../../src';
import { generationOf } from '../../../src/chart/official/generation';
import { objectsOf, valuesOf } from '../../util';

test.each([
  ['2.11.0', 'webserver', 'scheduler'], ['3.0.0', 'apiServer', 'dag_processor'], ['3.12.1', 'apiServer', 'dag_processor'],
])('Airflow %s has the web component %s, and looks for DAG files as %s says', (version, web, section) => {
  expect([generationOf(version).web, generationOf(version).dagRefresh.section]).toEqual([web, section]);
});

test('Airflow 3: an API server behind a proxy', () => {
  const values = officialValues({ ingress: { host: 'airflow.example.com' } });
  expect(values.apiServer).toMatchObject({
    args: ['bash', '-c', 'exec airflow api-server --proxy-headers'],
    env: [{ name: 'FORWARDED_ALLOW_IPS', value: '*' }],
  });
  expect(values.config.api).toEqual({ base_url: 'http://airflow.example.com' });
  expect(Object.keys(values)).not.toContain('webserver');
});

test('Airflow 3: both executors', () => {
  expect(officialValues({ executor: AirflowExecutor.CELERY_KUBERNETES })).toMatchObject({ executor: 'CeleryExecutor,KubernetesExecutor' });
});

test('Airflow 2.11: a web server, without keys that it does not know', () => {
  const { template } = synthOfficial({ ingress: { host: 'airflow.example.com' } }, '2.11.2');
  const values = valuesOf(template);
  expect(values).toMatchObject({
    airflowVersion: '2.11.2',
    defaultAirflowTag: '2.11.2',
    webserverSecretKeySecretName: 'airflow-webserver-secret-key',
    webserver: { replicas: 2, serviceAccount: { create: false, name: 'airflow' } },
    config: { webserver: { base_url: 'http://airflow.example.com' } },
  });
  expect(values.webserver.args).toBeUndefined();
  expect(Object.keys(values)).not.toContain('apiServer');
  expect(Object.keys(values).filter((key) => /jwt|apiSecret/.test(key))).toEqual([]);
  const [ingress] = objectsOf(template, 'Ingress');
  expect(ingress.spec.rules[0].http.paths[0].backend.service.name).toBe('airflow-webserver');
  expect(ingress.metadata.annotations['alb.ingress.kubernetes.io/healthcheck-path']).toBe('/health');
});

test('Airflow 2.11: both executors', () => {
  expect(officialValues({ executor: AirflowExecutor.CELERY_KUBERNETES }, '2.11.2').executor).toBe('CeleryKubernetesExecutor');
});
