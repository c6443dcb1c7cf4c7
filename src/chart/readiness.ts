import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ChartDefinition, Values, Workload } from './chart-definition';
import { valueAt } from './helm-values';
import { Cluster } from '../cluster';
import { readObject, revisionOf } from '../kubernetes';

interface ReadinessProps {
  readonly cluster: Cluster;
  readonly chart: ChartDefinition;
  /** The name of the release and of its namespace. */
  readonly name: string;
  readonly values: Values;
  readonly timeout: Duration;
}

const OBSERVED = '.items[?(@.status.observedGeneration==@.metadata.generation)]'; // else the status is that of the last release
const ROLLED_OUT = '.items[?(@.status.currentRevision==@.status.updateRevision)]';

/** A field of a list with one workload, which has a value when the pods of the workload run. */
function readyField({ kind, finishesTasks }: Workload): string {
  return kind === 'Deployment'
    ? `${OBSERVED}.status.conditions[?(@.reason=="NewReplicaSetAvailable")].status` // the condition Progressing, when it has ended well
    : `${finishesTasks ? OBSERVED : ROLLED_OUT}.status.readyReplicas`; // absent as long as none is ready
}

/**
 * Waits for each workload in a resource of its own, whose name says what a failed deployment waited for.
 *
 * Helm would name any pod that waits for another one, and Helm 4 gives up after the progress deadline of a Deployment, ten minutes, whatever
 * its timeout: no chart has a value for it.
 */
export function workloadsReady(scope: Construct, { cluster, chart, name, values, timeout }: ReadinessProps): Construct {
  const ready = new Construct(scope, 'Ready');
  const revision = revisionOf(scope, [chart.chart, values]); // waits again with each release
  for (const workload of chart.workloads.filter(({ enabledBy }) => enabledBy === undefined || valueAt(values, enabledBy) !== false)) {
    readObject(ready, workload.id, cluster, {
      objectType: workload.kind.toLowerCase(),
      objectName: `--field-selector=metadata.name=${name}-${workload.name}`, // a list of one: only the objects of a list can be compared with themselves
      objectNamespace: name,
      jsonPath: readyField(workload),
      timeout,
    }, revision);
  }
  return ready;
}
