import { SecretBook } from '../secrets';
import * as versions from '../versions';
import { AirflowSettings, ChartDefinition, Values } from './settings';

/**
 * The official chart: Airflow 3, and 2.11.
 *
 * @see https://airflow.apache.org/docs/helm-chart/stable/index.html
 */
export function officialChart(chartVersion = versions.OFFICIAL_CHART.version, airflowVersion = versions.OFFICIAL_AIRFLOW): ChartDefinition {
  const airflow3 = !airflowVersion.startsWith('2.');
  return {
    chart: { ...versions.OFFICIAL_CHART, version: chartVersion },
    airflowVersion,
    defaultImage: { repository: versions.AIRFLOW_REPOSITORY, tag: airflowVersion },
    maxNameLength: 40,
    taskApi: airflow3,
    webService: (name) => airflow3
      ? { name: `${name}-api-server`, port: 8080, healthCheckPath: '/api/v2/monitor/health' }
      : { name: `${name}-webserver`, port: 8080, healthCheckPath: '/health' },
    flowerService: (name) => ({ name: `${name}-flower`, port: 5555, healthCheckPath: '/' }),
    values,
    webServiceType: airflow3 ? 'apiServer.service.type' : 'webserver.service.type',
    ownedValues: {},
    ownedConfig: {},
  };
}

function values(_settings: AirflowSettings, _book: SecretBook): Values {
  throw new Error('under construction');
}
