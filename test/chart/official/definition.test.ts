import { officialValues, synthOfficial } from './util';
import { AirflowChart } from '../../../src';
import { objectsOf, releasesOf } from '../../util';

test('defaults: one version of the chart, and one of Airflow', () => {
  const { template, airflow } = synthOfficial();
  expect([airflow.chart.chartVersion, airflow.chart.airflowVersion]).toEqual(['1.22.0', '3.3.2']);
  const [release] = releasesOf(template).filter(({ chart }) => chart === 'airflow');
  expect(release).toMatchObject({ release: 'airflow', namespace: 'airflow', version: '1.22.0' });
  expect(release.properties.Repository).toBe('https://airflow.apache.org');
  expect(release.values).toMatchObject({ airflowVersion: '3.3.2', defaultAirflowRepository: 'apache/airflow', defaultAirflowTag: '3.3.2' });
});

test('defaults: an ingress sends requests to the API server', () => {
  const [ingress] = objectsOf(synthOfficial({ ingress: { host: 'airflow.example.com' } }).template, 'Ingress');
  expect(ingress.spec.rules[0].http.paths[0].backend.service).toEqual({ name: 'airflow-api-server', port: { number: 8080 } });
  expect(ingress.metadata.annotations['alb.ingress.kubernetes.io/healthcheck-path']).toBe('/api/v2/monitor/health');
});

test('defaults: an ingress sends requests for its host name to Flower', () => {
  const { template } = synthOfficial({ ingress: { host: 'airflow.example.com', flowerHost: 'flower.example.com' } });
  const flower = objectsOf(template, 'Ingress')[1];
  expect(flower.spec.rules[0].http.paths[0].backend.service).toEqual({ name: 'airflow-flower', port: { number: 5555 } });
  expect(flower.metadata.annotations['alb.ingress.kubernetes.io/healthcheck-path']).toBe('/');
});

test('custom: versions', () => {
  const chart = AirflowChart.official({ chartVersion: '1.23.0', airflowVersion: '3.3.0' });
  const { template } = synthOfficial({ chart });
  expect(releasesOf(template).find((release) => release.chart === 'airflow')).toMatchObject({
    version: '1.23.0', values: { airflowVersion: '3.3.0', defaultAirflowTag: '3.3.0' },
  });
  expect(officialValues({}, '3.0.6').airflowVersion).toBe('3.0.6');
});
