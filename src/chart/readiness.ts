import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { AirflowSettings, ChartDefinition, Values } from './chart-definition';
import { valueAt } from './helm-values';
import { Cluster } from '../cluster';
import { revisionOf, waitUntilReady } from '../kubernetes';

interface ReadinessProps {
  readonly cluster: Cluster;
  readonly chart: ChartDefinition;
  readonly settings: AirflowSettings;
  readonly values: Values;
  readonly timeout: Duration;
}

/**
 * Waits for each workload in a resource of its own, whose name says what a failed deployment waited for.
 *
 * Helm would name any pod that waits for another one, and Helm 4 gives up after the progress deadline of a Deployment, ten minutes, whatever
 * its timeout: no chart has a value for it.
 */
export function workloadsReady(scope: Construct, { cluster, chart, settings, values, timeout }: ReadinessProps): Construct {
  const { name } = settings;
  const ready = new Construct(scope, 'Ready');
  const revision = revisionOf(scope, [chart.chart, values]); // waits again with each release
  for (const workload of chart.workloads(settings).filter(({ enabledBy }) => enabledBy === undefined || valueAt(values, enabledBy) !== false)) {
    waitUntilReady(ready, workload.id, cluster, { ...workload, name: `${name}-${workload.name}`, namespace: name }, timeout, revision);
  }
  return ready;
}
