import { AirflowChart } from '../../src';

test('defaults', () => {
  expect([AirflowChart.official().chartVersion, AirflowChart.official().airflowVersion]).toEqual(['1.22.0', '3.3.2']);
  expect([AirflowChart.community().chartVersion, AirflowChart.community().airflowVersion]).toEqual(['8.9.0', '2.8.4']);
});

test.each<[string, () => AirflowChart, string, string]>([
  ['official', () => AirflowChart.official({ chartVersion: '1.30.2', airflowVersion: '3.10.0' }), '1.30.2', '3.10.0'],
  ['official, Airflow 2', () => AirflowChart.official({ airflowVersion: '2.11.0' }), '1.22.0', '2.11.0'],
  ['community', () => AirflowChart.community({ chartVersion: '8.7.0', airflowVersion: '2.0.0' }), '8.7.0', '2.0.0'],
  ['community, the latest Airflow', () => AirflowChart.community({ chartVersion: '8.10.1', airflowVersion: '2.9.3' }), '8.10.1', '2.9.3'],
])('custom: %s', (_name, make, chartVersion, airflowVersion) => {
  const chart = make();
  expect([chart.chartVersion, chart.airflowVersion]).toEqual([chartVersion, airflowVersion]);
});

test.each<[string, () => unknown, string]>([
  ['a community chart uses Kubernetes APIs that are no longer served', () => AirflowChart.community({ chartVersion: '8.5.2' }),
    "'chartVersion' must be 8.7.0 or a later 8.x, got '8.5.2'"],
  ['the community chart cannot start Airflow 3', () => AirflowChart.community({ airflowVersion: '3.0.0' }),
    "'airflowVersion' must be from 2.0.0 to 2.9.x; for a later version use AirflowChart.official(), got '3.0.0'"],
  ['the community chart cannot start Airflow 2.10', () => AirflowChart.community({ airflowVersion: '2.10.0' }),
    "'airflowVersion' must be from 2.0.0 to 2.9.x; for a later version use AirflowChart.official(), got '2.10.0'"],
  ['an official chart is too old', () => AirflowChart.official({ chartVersion: '1.21.0' }), "'chartVersion' must be 1.22.0 or a later 1.x, got '1.21.0'"],
  ['an official chart has other values', () => AirflowChart.official({ chartVersion: '2.0.0' }), "'chartVersion' must be 1.22.0 or a later 1.x, got '2.0.0'"],
  ['the official chart cannot start Airflow 2.10', () => AirflowChart.official({ airflowVersion: '2.10.5' }), "'airflowVersion' must be 2.11.x or 3.x.x, got '2.10.5'"],
  ['a version is not complete', () => AirflowChart.official({ airflowVersion: '3.2' }), "'airflowVersion' must be 2.11.x or 3.x.x, got '3.2'"],
])('fails when %s', (_name, make, message) => {
  expect(make).toThrow(new Error(`AirflowChart: ${message}`));
});
