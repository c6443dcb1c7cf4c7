import { Annotations, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { AirflowSettings, ChartDefinition } from './chart-definition';
import { HelmValueOverrides, mergeHelmValues, valueAt, ValueRules } from './helm-values';
import { workloadsReady } from './readiness';
import { Cluster, hasHelm4 } from '../cluster';
import { checkNoSecret, checkPlainText } from '../config/plain-text';
import { AirflowExecutor, nameOfExecutor } from '../executor';
import { installChart } from '../kubernetes';
import { PodRequests } from '../pod-requests';
import { SecretKey } from '../secrets/secret-key';
import { fail, secondsOf } from '../validation';

/** Fails if a prop, or the executor, is one that the chart cannot implement, and warns about a version of Airflow that has reached end of life. */
export function checkChart(scope: Construct, chart: ChartDefinition, props: { readonly executor?: AirflowExecutor }): void {
  for (const [prop, wayOut] of Object.entries(chart.unsupportedProps)) {
    if (valueAt(props, prop) !== undefined) {
      fail(scope, `'${prop}' is not available with the ${chart.name} chart; ${wayOut}`);
    }
  }
  if (props.executor && chart.unsupportedExecutors.includes(props.executor)) {
    fail(scope, `'executor' must be one of the ${chart.name} chart, got ${nameOfExecutor(props.executor)}; use another executor, or AirflowChart.official()`);
  }
  if (chart.airflowVersion.startsWith('2.')) {
    Annotations.of(scope).addWarningV2('airflow-on-eks:airflow2EndOfLife',
      `Airflow ${chart.airflowVersion} gets no security fixes, because Airflow 2 reached end of life in April 2026; use AirflowChart.official() with Airflow 3 for new deployments`);
  }
}

interface AirflowReleaseProps extends HelmValueOverrides {
  readonly cluster: Cluster;
  readonly chart: ChartDefinition;
  readonly settings: AirflowSettings;
  readonly readyTimeout: Duration;
}

/** How long to wait for the pods of each workload. */
export function readyTimeoutOf(scope: Construct, timeout = Duration.minutes(14)): Duration {
  secondsOf(scope, 'readyTimeout', timeout, [1, 14 * 60],
    'from 1 second to 14 minutes in whole seconds, because the function that waits stops after 15 minutes');
  return timeout;
}

/** The Helm release of Airflow. */
interface AirflowRelease {
  readonly release: Construct;
  /** Complete when the pods of the release are ready. */
  readonly ready: Construct;
  /** The keys of Kubernetes Secrets to which the values refer. */
  readonly keys: SecretKey[];
  readonly pods: PodRequests[];
}

/** Fails if an upgrade would set a number of pods that belongs to an autoscaler. */
function checkAutoscalers(scope: Construct, { cluster, chart, settings: { apiServer, workers } }: AirflowReleaseProps): void {
  if (!chart.setsAutoscaledReplicas) {
    return;
  }
  if (workers.autoscaling?.on === 'queuedTasks') {
    fail(scope, `'workers.autoscaling' must not be WorkerAutoscaling.onQueuedTasks() with the ${chart.name} chart, which has no KEDA; use AirflowChart.official(), or WorkerAutoscaling.onMemory()`);
  }
  const [autoscaled] = Object.entries({ apiServer, workers }).find(([, { autoscaling }]) => autoscaling) ?? [];
  if (autoscaled && hasHelm4(cluster)) {
    fail(scope, `'${autoscaled}.autoscaling' must not be set with the ${chart.name} chart and Helm 4, which cannot upgrade it once the number of pods has changed;`
      + ' use a kubectl layer with Helm 3 (v32 or older), or AirflowChart.official()');
  }
}

/** Installs the chart of Airflow, and waits for its workloads. */
export function airflowRelease(scope: Construct, props: AirflowReleaseProps): AirflowRelease {
  const { cluster, chart, settings } = props;
  checkAutoscalers(scope, props);
  const rendered = chart.render(scope, settings);
  const values = mergeHelmValues(scope, rendered.values, props, valueRules(chart, settings));
  checkPlainText(scope, settings);
  checkNoSecret(scope, 'helmValues', props.helmValues);
  const release = installChart(scope, 'Release', cluster, {
    chart: chart.chart,
    release: settings.name,
    namespace: settings.name,
    values,
  });
  const ready = workloadsReady(scope, { cluster, chart, settings, values, timeout: props.readyTimeout });
  ready.node.addDependency(release);
  return { release, ready, keys: rendered.keys, pods: chart.pods(values, settings) };
}

function valueRules(chart: ChartDefinition, { gitSync, ingress, workers }: AirflowSettings): ValueRules {
  return {
    owned: {
      ...chart.ownedValues,
      ...gitSync && { 'dags.persistence': 'gitSync' },
      ...ingress && { ingress: 'ingress' },
      ...ingress?.nodePort && { [chart.webServiceType]: 'ingress.targetType' },
      ...ingress?.flower && { 'flower.enabled': 'ingress.flowerHost' },
      ...workers.queues && { 'workers.args': 'workers.queues', 'workers.celery.args': 'workers.queues' },
    },
    refused: chart.refusedValues,
    appended: chart.appendedValues,
    ownedVariables: { ...chart.ownedConfig, AIRFLOW__CORE__AUTH_MANAGER: 'config' },
  };
}
