import { ChartDefinition } from './chart-definition';
import { communityChart } from './community/definition';
import { officialChart } from './official/definition';

/**
 * Versions of a Helm chart and of Airflow.
 */
export interface AirflowChartOptions {
  /**
   * The version of the chart.
   *
   * The library is tested with the default versions.
   *
   * @default - 1.22.0 (official), 8.9.0 (community)
   */
  readonly chartVersion?: string;

  /**
   * The version of Airflow.
   *
   * With an image of your own, specify the version that it contains. A newer version migrates the database when it starts, and an older version
   * does not start on a newer database schema: back up the database before you change the version.
   *
   * Airflow 2 reached end of life in April 2026, and causes a warning at synthesis.
   *
   * @default - 3.3.2 (official), 2.8.4 (community)
   */
  readonly airflowVersion?: string;
}

/**
 * The Helm chart that installs Airflow, with its version and the version of Airflow.
 *
 * @example
 * const airflow2 = AirflowChart.official({ airflowVersion: '2.11.2' });
 */
export class AirflowChart {
  /**
   * The community chart, for Airflow 2.0 to 2.9.
   *
   * Its last release dates from 2024, and Airflow 2 reached end of life in April 2026. Chart versions before 8.7.0 are refused: they use Kubernetes
   * APIs that no supported EKS version serves, and their PostgreSQL and Redis images can no longer be pulled.
   *
   * Connections and variables are synchronized continuously with the database.
   *
   * @param options other versions: chart 8.7.0 or later, Airflow 2.0 to 2.9
   * @throws if the chart cannot install a version
   * @see https://github.com/airflow-helm/charts/tree/main/charts/airflow
   */
  public static community(options: AirflowChartOptions = {}): AirflowChart {
    check('chartVersion', options.chartVersion, /^8\.([7-9]|\d\d+)\.\d+$/, '8.7.0 or a later 8.x');
    check('airflowVersion', options.airflowVersion, /^2\.[0-9]\.\d+$/, 'from 2.0.0 to 2.9.x; for a later version use AirflowChart.official()');
    return new AirflowChart(communityChart(options.chartVersion, options.airflowVersion));
  }

  /**
   * The official chart, for Airflow 3 and 2.11.
   *
   * Connections and variables become environment variables: DAGs can read them, but the web UI does not list them. Additional Python packages must
   * be in the image.
   *
   * @param options other versions: chart 1.22.0 or later, Airflow 2.11, or 3.0 or later
   * @throws if the chart cannot install a version
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
