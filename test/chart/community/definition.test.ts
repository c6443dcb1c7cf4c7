import { AirflowChart, EfsCsiDriverInstallation } from '../../../src';
import { objectsOf, releasesOf, synthCommunity } from '../../util';

test('defaults: one version of the chart, and one of Airflow', () => {
  const { template, airflow } = synthCommunity();
  expect([airflow.chart.chartVersion, airflow.chart.airflowVersion]).toEqual(['8.9.0', '2.8.4']);
  const releases = releasesOf(template).filter(({ chart }) => chart === 'airflow');
  expect(releases).toEqual([expect.objectContaining({ release: 'airflow', namespace: 'airflow', version: '8.9.0' })]);
  expect(releases[0].properties.Repository).toBe('https://airflow-helm.github.io/charts');
  expect(releases[0].values.airflow.image).toMatchObject({ repository: 'apache/airflow', tag: '2.8.4-python3.9' });
});

test('defaults: an ingress sends requests to the web server, and for its host name to Flower', () => {
  const { template } = synthCommunity({ ingress: { host: 'airflow.example.com', flowerHost: 'flower.example.com' } });
  expect(objectsOf(template, 'Ingress').map(({ metadata, spec }) => [
    spec.rules[0].http.paths[0].backend.service, metadata.annotations['alb.ingress.kubernetes.io/healthcheck-path'],
  ])).toEqual([
    [{ name: 'airflow-web', port: { number: 8080 } }, '/health'],
    [{ name: 'airflow-flower', port: { number: 5555 } }, '/'],
  ]);
});

test('custom: versions', () => {
  const chart = AirflowChart.community({ chartVersion: '8.8.0', airflowVersion: '2.6.3' });
  const { template } = synthCommunity({ chart, efsCsiDriver: EfsCsiDriverInstallation.existing() });
  expect(releasesOf(template).find((release) => release.chart === 'airflow')).toMatchObject({
    version: '8.8.0', values: { airflow: { image: { tag: '2.6.3-python3.9' } } },
  });
  expect(chart.airflowVersion).toBe('2.6.3');
});
