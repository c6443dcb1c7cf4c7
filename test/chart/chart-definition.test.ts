import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { AirflowChart, AirflowOnEksProps, AirflowSecret } from '../../src';
import { Json, synthAirflow } from '../util';

type Props = Partial<AirflowOnEksProps>;

/** A value at a path. */
const nested = (path: string): Json => path.split('.').reduceRight<any>((value, key) => ({ [key]: value }), 'x');

const definitionOf = (chart: () => AirflowChart) => chart()._definition;

const CHARTS: [string, () => AirflowChart][] = [
  ['official', () => AirflowChart.official()],
  ['official, Airflow 2.11', () => AirflowChart.official({ airflowVersion: '2.11.2' })],
  ['community', () => AirflowChart.community()],
];

describe.each(CHARTS)('the %s chart', (_name, chart) => {
  const fails = (props: Props, message: string) => expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));

  test.each(Object.entries(definitionOf(chart).ownedValues))('fails when helmValues.%s is set, which belongs to %s', (path, prop) => {
    const reason = prop.startsWith('helmValues.') ? 'it would contain a secret in plain text' : `'${prop}' sets it`;
    const message = `'helmValues.${path}' must not be set, because ${reason}; use '${prop}'`;
    fails({ helmValues: nested(path) }, message);
    fails({ removedHelmValues: [path] }, message);
  });

  test('fails when helmValues set the type of the Service of an ingress to the nodes', () => {
    const path = definitionOf(chart).webServiceType;
    const message = `'helmValues.${path}' must not be set, because 'ingress.targetType' sets it; use 'ingress.targetType'`;
    fails({ helmValues: nested(path), ingress: { targetType: elbv2.TargetType.INSTANCE } }, message);
    expect(() => synthAirflow({ chart: chart(), helmValues: nested(path), ingress: {} })).not.toThrow();
  });

  test.each(Object.entries(definitionOf(chart).ownedConfig))('fails when %s is set, which belongs to %s', (name, prop) => {
    const [, section, key] = name.split('__');
    const message = (given: string) => `'${given}' must not set ${name}, which '${prop}' sets; use '${prop}'`;
    fails({ config: { [`${section.toLowerCase()}.${key.toLowerCase()}`]: 'x' } }, message('config'));
    fails({ environment: { [name]: 'x' } }, message('environment'));
    fails({ environmentSecrets: { [name]: AirflowSecret.fromKubernetesSecret('mine', 'key') } }, message('environmentSecrets'));
  });
});

test.each<[string, () => AirflowChart, string[], string[]]>([
  ['official', AirflowChart.official,
    ['executor', 'extraEnv', 'dags.gitSync', 'logs.persistence', 'postgresql.auth', 'fernetKeySecretName', 'nodeSelector', 'workers.celery.tolerations', 'ingress.enabled'],
    ['AIRFLOW__CORE__FERNET_KEY', 'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', 'AIRFLOW__API_AUTH__JWT_SECRET', 'AIRFLOW__API__SECRET_KEY']],
  ['community', AirflowChart.community,
    ['airflow.executor', 'airflow.extraEnv', 'dags.gitSync', 'logs.persistence', 'postgresql.existingSecret', 'airflow.defaultAffinity', 'workers.tolerations', 'ingress.enabled'],
    ['AIRFLOW__CORE__FERNET_KEY', 'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', 'AIRFLOW__WEBSERVER__SECRET_KEY']],
])('the %s chart owns the values and configuration options on which the library relies', (_name, chart, values, config) => {
  const { ownedValues, ownedConfig } = definitionOf(chart);
  expect(Object.keys(ownedValues)).toEqual(expect.arrayContaining(values));
  expect(Object.keys(ownedConfig)).toEqual(expect.arrayContaining(config));
});

const UNSUPPORTED: [string, () => AirflowChart, Props, string][] = [
  ['official', () => AirflowChart.official(), { pipPackages: ['pandas'] },
    "'pipPackages' is not available with the official chart; use an 'image' that contains the packages, such as AirflowImage.fromAsset()"],
  ['community', () => AirflowChart.community(), { dagProcessor: { replicas: 2 } },
    "'dagProcessor' is not available with the community chart; use 'scheduler', which processes the DAGs with this chart"],
];

test.each(UNSUPPORTED)('the %s chart fails when a prop is set that it cannot implement', (_name, chart, props, message) => {
  expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));
  const unset = Object.fromEntries(Object.keys(props).map((prop) => [prop, undefined]));
  expect(() => synthAirflow({ chart: chart(), ...unset })).not.toThrow();
});

test.each(CHARTS)('all props that the %s chart cannot implement are tested', (name, chart) => {
  const tested = UNSUPPORTED.filter(([of]) => name.startsWith(of)).flatMap(([, , props]) => Object.keys(props));
  expect(Object.keys(definitionOf(chart).unsupportedProps)).toEqual(tested);
});
