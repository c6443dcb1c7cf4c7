import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { AirflowChart, AirflowOnEksProps, AirflowSecret } from '../../src';
import { HelmValueOverrides, mergeHelmValues } from '../../src/chart/helm-values';
import { casesOf } from '../matrix';
import { CHARTS_UNDER_TEST, Json, newStack, synthAirflow, valuesOf } from '../util';

type Props = Partial<AirflowOnEksProps>;

/** A value at a path. */
const nested = (path: string): Json => path.split('.').reduceRight<any>((value, key) => ({ [key]: value }), 'x');

const definitionOf = (chart: () => AirflowChart) => chart()._definition;

/** The paths of all values that are not maps. */
function pathsOf(values: Json, path: string[] = []): string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? pathsOf(value, [...path, key]) : [[...path, key].join('.')]);
}

/** Values that the library sets, and that users may replace: nothing else relies on them. `*` is the path of a component. */
const HARMLESS: Record<string, string[]> = {
  official: [
    '*.resources', '*.podDisruptionBudget', '*.topologySpreadConstraints', '*.startupProbe', '*.logGroomerSidecar', '*.safeToEvict', '*.podAnnotations',
    'apiServer.service.type', 'webserver.service.type', // refused with an ingress to the nodes
    'flower.enabled', // refused with an ingress to Flower
    'dags.persistence.enabled', // refused with `gitSync`
    'statsd.enabled', 'databaseCleanup.enabled', 'databaseCleanup.skipArchive', 'images.gitSync', 'images.migrationsWaitTimeout',
    'apiServer.hpa.behavior', 'webserver.hpa.behavior', 'workers.celery.hpa.behavior', 'workers.celery.keda.advanced', 'extraConfigMaps',
    'workers.celery.args', // refused with queues
    'scheduler.strategy', 'scheduler.terminationGracePeriodSeconds', // of a scheduler in which tasks run
  ],
  community: [
    '*.resources', '*.podDisruptionBudget', '*.topologySpreadConstraints', '*.livenessProbe', '*.safeToEvict', '*.podAnnotations',
    'web.service.type', 'flower.enabled', 'dags.persistence.enabled', // as above
    'ingress.enabled', // refused with `ingress`
    'airflow.image.pullPolicy', 'airflow.image.uid', 'airflow.image.gid', 'airflow.defaultSecurityContext.fsGroup', 'dags.gitSync.image',
  ],
};

const isIn = (path: string, containers: string[]) => containers.some((container) => `${path}.`.startsWith(`${container}.`));

describe.each(CHARTS_UNDER_TEST)('the $name chart', (chartUnderTest) => {
  const { chart } = chartUnderTest;
  const { ownedValues, refusedValues, appendedValues } = definitionOf(chart);
  const fails = (props: Props, message: string) => expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));

  test('each value that the library sets is refused, appended to, or reviewed as harmless', () => {
    const rendered = new Set(casesOf(chartUnderTest).flatMap(([, { props }]) => pathsOf(valuesOf(synthAirflow((stack) => (
      { chart: chart(), ...props(stack), helmValues: undefined, removedHelmValues: undefined })).template))));
    const decided = [...Object.keys(ownedValues), ...Object.keys(refusedValues), ...appendedValues];
    const reviewed = HARMLESS[chart()._definition.name];
    const undecided = [...rendered].filter((path) => !isIn(path, decided)).sort();
    const patterns = reviewed.map((path) => new RegExp(`^${path.replace(/\./g, '\\.').replace('*', '.+')}(\\.|$)`));
    expect(undecided.filter((path) => !patterns.some((pattern) => pattern.test(path)))).toEqual([]);
  });

  test.each([
    ...Object.entries(ownedValues).map(([path, prop]) => [path, `'${prop}' sets it; use '${prop}'`]),
    ...Object.entries(refusedValues),
  ])('fails when helmValues.%s is set, because %s', (path, reason) => {
    const rules = { owned: ownedValues, refused: refusedValues, appended: appendedValues, ownedVariables: {} };
    const merge = (overrides: HelmValueOverrides) => () => mergeHelmValues(newStack(), {}, overrides, rules);
    const error = new Error(`Data: 'helmValues.${path}' must not be set, because ${reason}`);
    expect(merge({ helmValues: nested(path) })).toThrow(error);
    expect(merge({ removedHelmValues: [path] })).toThrow(error);
  });

  test('fails when helmValues set the type of the Service of an ingress to the nodes', () => {
    const path = definitionOf(chart).webServiceType;
    const message = `'helmValues.${path}' must not be set, because 'ingress.targetType' sets it; use 'ingress.targetType'`;
    fails({ helmValues: nested(path), ingress: { targetType: elbv2.TargetType.INSTANCE } }, message);
    expect(() => synthAirflow({ chart: chart(), helmValues: nested(path), ingress: {} })).not.toThrow();
  });

  test.each<[string, string, string, Props]>([
    ['ingress', 'ingress', 'ingress.web.enabled', { ingress: {} }],
    ['flower.enabled', 'ingress.flowerHost', 'flower.enabled', { ingress: { host: 'airflow.example.com', flowerHost: 'flower.example.com' } }],
    ['workers.celery.args', 'workers.queues', 'workers.celery.args', { config: { 'operators.default_queue': 'etl' } }],
    ['dags.persistence', 'gitSync', 'dags.persistence.enabled', { gitSync: { repository: 'https://github.com/example/dags.git' } }],
  ])('fails when helmValues set %s beside the prop %s, and only then', (value, prop, path, props) => {
    fails({ helmValues: nested(path), ...props }, `'helmValues.${value}' must not be set, because '${prop}' sets it; use '${prop}'`);
    expect(() => synthAirflow({ chart: chart(), helmValues: nested(path) })).not.toThrow();
  });

  test('fails when helmValues set the auth manager in a list of environment variables', () => {
    fails({ helmValues: { scheduler: { env: [{ name: 'AIRFLOW__CORE__AUTH_MANAGER', value: 'x' }] } } },
      "'helmValues.scheduler.env' must not set AIRFLOW__CORE__AUTH_MANAGER, which 'config' sets; use 'config'");
  });

  test.each(Object.entries(definitionOf(chart).ownedConfig))('fails when %s is set, which belongs to %s', (name, prop) => {
    const [, section, key] = name.split('__');
    const message = (given: string) => `'${given}' must not set ${name}, which '${prop}' sets; use '${prop}'`;
    fails({ config: { [`${section.toLowerCase()}.${key.toLowerCase()}`]: 'x' } }, message('config'));
    fails({ environment: { [name]: 'x' } }, message('environment'));
    fails({ environmentSecrets: { [name]: AirflowSecret.fromKubernetesSecret('mine', 'key') } }, message('environmentSecrets'));
  });
});

test.each<[string, () => AirflowChart, string[]]>([
  ['official', AirflowChart.official, ['AIRFLOW__CORE__FERNET_KEY', 'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', 'AIRFLOW__API_AUTH__JWT_SECRET', 'AIRFLOW__API__SECRET_KEY']],
  ['community', AirflowChart.community, ['AIRFLOW__CORE__FERNET_KEY', 'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', 'AIRFLOW__WEBSERVER__SECRET_KEY']],
])('the %s chart owns the configuration options on which the library relies', (_name, chart, config) => {
  expect(Object.keys(definitionOf(chart).ownedConfig)).toEqual(expect.arrayContaining(config));
});

const UNSUPPORTED: [string, string, () => AirflowChart, Props, string][] = [
  ['official', 'pipPackages', () => AirflowChart.official(), { pipPackages: ['pandas'] },
    "'pipPackages' is not available with the official chart; use an 'image' that contains the packages, such as AirflowImage.fromAsset()"],
  ['community', 'dagProcessor', () => AirflowChart.community(), { dagProcessor: { replicas: 2 } },
    "'dagProcessor' is not available with the community chart; use 'scheduler', which processes the DAGs with this chart"],
  ['community', 'workers.queues', () => AirflowChart.community(), { workers: { queues: ['reports'] } },
    "'workers.queues' is not available with the community chart; its workers take only the tasks of the default queue; use AirflowChart.official(),"
    + " or AirflowExecutor.CELERY_KUBERNETES, which runs tasks with queue='kubernetes' in pods of their own"],
  ['community', 'workers.groups', () => AirflowChart.community(), { workers: { groups: [{ name: 'gpu' }] } },
    "'workers.groups' is not available with the community chart; its workers are all alike; use AirflowChart.official(),"
    + " or AirflowExecutor.CELERY_KUBERNETES, which runs tasks with queue='kubernetes' in pods of their own"],
];

test.each(UNSUPPORTED)('the %s chart fails when %s is set, which it cannot implement', (_name, _prop, chart, props, message) => {
  expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));
  const unset = Object.fromEntries(Object.keys(props).map((prop) => [prop, undefined]));
  expect(() => synthAirflow({ chart: chart(), ...unset })).not.toThrow();
});

test.each(CHARTS_UNDER_TEST)('all props that the $name chart cannot implement are tested', ({ name, chart }) => {
  const tested = UNSUPPORTED.filter(([of]) => name.startsWith(of)).map(([, prop]) => prop);
  expect(Object.keys(definitionOf(chart).unsupportedProps)).toEqual(tested);
});
