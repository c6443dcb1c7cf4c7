import { KubectlV29Layer } from '@aws-cdk/lambda-layer-kubectl-v29';
import { KubectlV35Layer } from '@aws-cdk/lambda-layer-kubectl-v35';
import { Duration, SecretValue } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AirflowChart, AirflowOnEksProps, WorkerAutoscaling } from '../../src';
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

test.each<[string, AirflowChart, typeof KubectlV29Layer, boolean]>([
  ['the community chart and Helm 4', AirflowChart.community(), KubectlV35Layer, true],
  ['the community chart and Helm 3', AirflowChart.community(), KubectlV29Layer, false],
  ['the official chart and Helm 4', AirflowChart.official(), KubectlV35Layer, false],
])('warns if an autoscaler keeps upgrades from succeeding: %s', (_name, chart, Layer, warns) => {
  const warnings = [undefined, WorkerAutoscaling.onMemory({ maxReplicas: 3 })].map((autoscaling) => {
    const { stack } = synthAirflow((scope) => {
      new Layer(scope, 'Layer');
      return { chart, workers: { autoscaling } };
    });
    return Annotations.fromStack(stack).findWarning('/Data/Airflow', Match.stringLikeRegexp(
      "^Helm 4 cannot upgrade the community chart once 'workers.autoscaling' has changed the number of workers; .*airflow-on-eks:autoscalingWithHelm4")).length;
  });
  expect(warnings).toEqual([0, warns ? 1 : 0]);
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
