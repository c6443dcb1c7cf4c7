import { communityChart } from './community';
import { officialChart } from './official';
import { ChartDefinition } from './settings';

/**
 * Other versions than the ones that this library was made for.
 */
export interface AirflowChartOptions {
  /**
   * The version of the chart.
   *
   * @default - 8.9.0 (community), 1.22.0 (official)
   */
  readonly chartVersion?: string;

  /**
   * The version of Airflow. With an image of your own, the version in it.
   *
   * @default - 2.8.4 (community), 3.2.2 (official)
   */
  readonly airflowVersion?: string;
}

/**
 * The Helm chart that Airflow is installed by.
 */
export class AirflowChart {
  /**
   * The community chart, for Airflow 2.
   *
   * Its last release is of 2024, and Airflow 2 has had no security fixes since April 2026. Chart versions before 8.7.0 are refused:
   * they speak APIs that no EKS version in support has, and their images of PostgreSQL and Redis are gone from the registries.
   *
   * @param options other versions: the chart from 8.7.0, Airflow from 2.0 to 2.9
   * @throws if a version is not one that the chart can install
   * @see https://github.com/airflow-helm/charts/tree/main/charts/airflow
   */
  public static community(options: AirflowChartOptions = {}): AirflowChart {
    check('chartVersion', options.chartVersion, /^8\.([7-9]|\d\d+)\.\d+$/, '8.7.0 or a later 8.x');
    check('airflowVersion', options.airflowVersion, /^2\.[0-9]\.\d+$/, 'from 2.0.0 to 2.9.x; for a later one use AirflowChart.official()');
    return new AirflowChart(communityChart(options.chartVersion, options.airflowVersion));
  }

  /**
   * The official chart, for Airflow 3, and for 2.11.
   *
   * Connections and variables are environment variables there: DAGs read them, the web UI does not list them. Packages have to be
   * in the image. Its PostgreSQL is a later one than the community chart's, and refuses that one's files: an Airflow that changes
   * its chart needs a new namespace, or a dump of its database.
   *
   * @param options other versions: the chart from 1.22.0, Airflow 2.11 and from 3.0
   * @throws if a version is not one that the chart can install
   * @see https://airflow.apache.org/docs/helm-chart/stable/index.html
   */
  public static official(options: AirflowChartOptions = {}): AirflowChart {
    check('chartVersion', options.chartVersion, /^1\.(2[2-9]|[3-9]\d)\.\d+$/, '1.22.0 or a later 1.x');
    check('airflowVersion', options.airflowVersion, /^(2\.11|3\.\d+)\.\d+$/, '2.11.x or 3.x.x');
    return new AirflowChart(officialChart(options.chartVersion, options.airflowVersion));
  }

  /**
   * The version of the chart.
   */
  public readonly chartVersion: string;

  /**
   * The version of Airflow.
   */
  public readonly airflowVersion: string;

  private constructor(
    /** @internal */
    public readonly _definition: ChartDefinition,
  ) {
    this.chartVersion = _definition.chart.version;
    this.airflowVersion = _definition.airflowVersion;
  }
}

function check(option: string, version: string | undefined, format: RegExp, allowed: string): void {
  if (version !== undefined && !format.test(version)) {
    throw new Error(`AirflowChart: '${option}' must be ${allowed}, got '${version}'`);
  }
}
