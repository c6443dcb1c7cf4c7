import { KubectlV29Layer } from '@aws-cdk/lambda-layer-kubectl-v29';
import { KubectlV35Layer } from '@aws-cdk/lambda-layer-kubectl-v35';
import { Duration, SecretValue } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AirflowChart, AirflowOnEksProps, ApiServerAutoscaling, WorkerAutoscaling } from '../../src';
import { CHARTS_UNDER_TEST, releasesOf, synthAirflow, synthCommunity } from '../util';

type Props = Partial<AirflowOnEksProps>;

const releaseOf = (props?: Props) => releasesOf(synthAirflow(props).template).find(({ chart }) => chart === 'airflow')!;

test('defaults', () => {
  const { properties } = releaseOf();
  expect(properties).toMatchObject({ Release: 'airflow', Namespace: 'airflow', Version: '1.22.0' });
  expect([properties.Wait, properties.Timeout]).toEqual([undefined, undefined]); // resources of their own wait for the workloads
  expect(properties.CreateNamespace).toBeUndefined(); // a manifest of the library creates it
});

test('custom', () => {
  const { properties, values } = releaseOf({
    namespace: 'data',
    helmValues: { scheduler: { podAnnotations: { a: 'b' } } },
    removedHelmValues: ['scheduler.livenessProbe'],
  });
  expect(properties).toMatchObject({ Release: 'data', Namespace: 'data' });
  expect(values.scheduler).toMatchObject({ replicas: 2, podAnnotations: { a: 'b' }, livenessProbe: null });
});

test.each<[string, AirflowChart, boolean]>([
  ['Airflow 3', AirflowChart.official(), false],
  ['Airflow 2.11', AirflowChart.official({ airflowVersion: '2.11.2' }), true],
  ['the community chart', AirflowChart.community(), true],
])('warns about an Airflow version that has reached end of life: %s', (_name, chart, warns) => {
  const { stack } = synthAirflow({ chart });
  expect(Annotations.fromStack(stack).findWarning('/Data/Airflow', Match.stringLikeRegexp(
    `^Airflow ${chart.airflowVersion} gets no security fixes, because Airflow 2 reached end of life in April 2026; .*airflow-on-eks:airflow2EndOfLife`))).toHaveLength(warns ? 1 : 0);
});

describe('an autoscaler, whose number of pods an upgrade must not set', () => {
  const synth = (chart: AirflowChart, autoscaling?: WorkerAutoscaling, ...layers: (typeof KubectlV29Layer)[]) => () => synthAirflow((scope) => {
    layers.forEach((Layer, index) => new Layer(scope, `Layer${index}`));
    return { chart, workers: { autoscaling } };
  });
  const onMemory = WorkerAutoscaling.onMemory({ maxReplicas: 3 });

  test('works with Helm 3, and with the official chart', () => {
    expect(synth(AirflowChart.community(), onMemory, KubectlV29Layer)).not.toThrow();
    expect(synth(AirflowChart.community(), onMemory, KubectlV29Layer, KubectlV35Layer)).not.toThrow(); // one of another cluster
    expect(synth(AirflowChart.community(), undefined, KubectlV35Layer)).not.toThrow();
    expect(synth(AirflowChart.official(), onMemory, KubectlV35Layer)).not.toThrow();
  });

  test('fails when Helm 4 would conflict with it', () => {
    expect(synth(AirflowChart.community(), onMemory, KubectlV35Layer)).toThrow(new Error("Data/Airflow: 'workers.autoscaling' must not be set with the community chart and Helm 4,"
      + ' which cannot upgrade it once the number of pods has changed; use a kubectl layer with Helm 3 (v32 or older), or AirflowChart.official()'));
  });

  test('fails when Helm 4 would conflict with that of the API server', () => {
    expect(() => synthAirflow((scope) => {
      new KubectlV35Layer(scope, 'Layer');
      return { chart: AirflowChart.community(), apiServer: { autoscaling: ApiServerAutoscaling.onCpu({ maxReplicas: 3 }) } };
    })).toThrow("Data/Airflow: 'apiServer.autoscaling' must not be set with the community chart and Helm 4,");
  });

  test('fails when the chart has no KEDA', () => {
    expect(synth(AirflowChart.community(), WorkerAutoscaling.onQueuedTasks({ maxReplicas: 3 }))).toThrow(new Error("Data/Airflow: 'workers.autoscaling' must not be"
      + ' WorkerAutoscaling.onQueuedTasks() with the community chart, which has no KEDA; use AirflowChart.official(), or WorkerAutoscaling.onMemory()'));
  });
});

const PRIVATE_KEY = `${'-----BEGIN'} RSA PRIVATE KEY-----`;

describe.each(CHARTS_UNDER_TEST)('the $name chart', ({ chart }) => {
  test.each<[string, Props, string]>([
    ['a deployment may wait for longer than the function that waits', { readyTimeout: Duration.minutes(15) },
      "'readyTimeout' must be from 1 second to 14 minutes in whole seconds, because the function that waits stops after 15 minutes, got 900 seconds"],
    ['components have no time', { readyTimeout: Duration.seconds(0) },
      "'readyTimeout' must be from 1 second to 14 minutes in whole seconds, because the function that waits stops after 15 minutes, got 0 seconds"],
    ['helmValues contain a SecretValue', { helmValues: { web: { env: SecretValue.secretsManager('a') } } },
      "'helmValues.web.env' must not contain a SecretValue, which would reach the cluster as the text '{{resolve:...'; use an AirflowSecret"],
    ['helmValues contain a private key', { helmValues: { airflow: { x: PRIVATE_KEY } } },
      "'helmValues.airflow.x' must not contain a private key in plain text; use 'environmentSecrets', or name a Kubernetes Secret of your own"],
  ])('fails when %s', (_name, props, message) => {
    expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});

test('fails when helmValues contain a database', () => {
  expect(() => synthCommunity({ helmValues: { externalDatabase: { password: 'x' } } })).toThrow(new Error(
    "Data/Airflow: 'helmValues.externalDatabase' must not be set, because 'database' sets it; use 'database'"));
});
