import { readFileSync } from 'fs';
import { join } from 'path';
import Ajv from 'ajv';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as YAML from 'yaml';
import { environmentOf, ODD, officialValues, synthOfficial } from './util';
import { AirflowImage, AirflowNodePools, AirflowOnEksProps, AirflowVariable } from '../../../src';
import { casesOf } from '../../matrix';
import { CHARTS, CHARTS_UNDER_TEST, Json, valuesOf } from '../../util';
import { writtenSecrets } from '../templates';

const POOL = (type: string) => ({
  nodeSelector: { 'role': 'airflow', 'airflow-deployment': 'airflow', type },
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }],
});

describe('defaults', () => {
  const values = officialValues();

  test('all pods are placed', () => {
    expect(values).toMatchObject(POOL('af-stateless'));
    expect(values.workers.celery).toMatchObject(POOL('af-stateful'));
    expect(values.workers.kubernetes).toMatchObject({ ...POOL('af-stateful'), podAnnotations: { 'karpenter.sh/do-not-disrupt': 'true' } });
    expect(JSON.stringify(values)).not.toContain('ffinity'); // it would replace that of the chart
  });

  test('the executor and the images', () => {
    expect(values.executor).toBe('CeleryExecutor');
    expect(values.images).toEqual({ migrationsWaitTimeout: 300 });
  });

  test('logs are on the claim of the library, and nothing waits for a storage class', () => {
    expect(values.logs.persistence).toEqual({ enabled: true, existingClaim: 'airflow-logs' });
    for (const component of [values.triggerer, values.workers.celery, values.dags]) {
      expect(component.persistence).toEqual({ enabled: false });
    }
  });

  test('tasks have two retries, because the workers are on Spot nodes', () => {
    expect(values.config).toEqual({ core: { default_task_retries: 2 } });
  });
});

describe('custom', () => {
  test('an ingress without a host name, which Airflow cannot know', () => {
    expect(officialValues({ ingress: {} }).config.api).toBeUndefined();
  });

  test('a base URL of the user, in the value from which the chart takes its path', () => {
    const values = officialValues({ config: { 'api.base_url': 'https://example.com/airflow' }, ingress: { host: 'airflow.example.com' } });
    expect(values.config.api).toEqual({ base_url: 'https://example.com/airflow' });
    expect(environmentOf(values)).toEqual({});
  });

  test('a number of retries, and for On-Demand workers the default of Airflow', () => {
    expect(officialValues({ workers: { defaultTaskRetries: 0 } }).config).toEqual({ core: { default_task_retries: 0 } });
    const nodePools = AirflowNodePools.managedNodeGroups({ workers: { capacityType: eks.CapacityType.ON_DEMAND } });
    expect(officialValues({ nodePools }).config).toEqual({});
  });

  test('nodes that already exist, for the workers any node', () => {
    const values = officialValues((stack) => ({
      nodePools: AirflowNodePools.existing({
        stateless: { labels: { team: 'data' }, taints: [{ key: 'data' }] },
        workers: { labels: {} },
        nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes'),
      }),
    }));
    const team = { nodeSelector: { team: 'data' }, tolerations: [{ key: 'data', operator: 'Exists' }] };
    expect(values).toMatchObject(team);
    // Without a selector, the chart uses that of all components.
    expect(values.workers.celery).toMatchObject({ nodeSelector: { 'kubernetes.io/os': 'linux' }, tolerations: [] });
  });

  test('an image', () => {
    const values = officialValues({ image: AirflowImage.fromRegistry('registry.example.com/airflow', '3.3.2-ours') });
    expect(values).toMatchObject({ defaultAirflowRepository: 'registry.example.com/airflow', defaultAirflowTag: '3.3.2-ours' });
    expect(values.dagProcessor.extraContainers[0].image).toBe('registry.example.com/airflow:3.3.2-ours');
  });

  test('names derive from the namespace', () => {
    const { template } = synthOfficial({ namespace: 'data' });
    const values = valuesOf(template);
    expect(JSON.stringify(values)).not.toMatch(/[nN]ame":"airflow-/);
    const written = writtenSecrets(template, () => 'x');
    expect(written['data-metadata'].connection).toBe('postgresql://postgres:x@data-pgbouncer.data:6432/airflow');
  });
});

describe('the JSON schema of the chart', () => {
  if (!CHARTS) {
    return test.skip('NOT CHECKED: set AIRFLOW_CHARTS to a folder of unpacked charts, named <chart>-<version>', () => undefined);
  }
  const file = (name: string) => readFileSync(join(CHARTS!, 'airflow-official-1.22.0', name), 'utf8');
  const defaults = YAML.parse(file('values.yaml'));
  const validate = new Ajv({ unknownFormats: 'ignore', allErrors: true, logger: false }).compile(JSON.parse(file('values.schema.json')));
  const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

  /** As helm merges values: null removes a default. */
  const merge = (ours: Json, theirs: Json): Json => Object.fromEntries(Object.entries({
    ...ours,
    ...Object.fromEntries(Object.entries(theirs).map(([key, value]) => [key, isMap(value) && isMap(ours[key]) ? merge(ours[key], value) : value])),
  }).filter(([key]) => theirs[key] !== null));

  const errorsOf = (values: Json) => validate(merge(defaults, values)) ? []
    : validate.errors!.map(({ dataPath, message }) => `${dataPath} ${message}`);

  const odd = (): Partial<AirflowOnEksProps> => ({
    connections: [{ id: 'a', type: 'http', login: ODD }],
    variables: [AirflowVariable.of('a', ODD)],
    pools: [{ name: ODD, slots: 1 }],
    config: { 'core.x': ODD },
    environment: { ODD },
  });
  const cases = casesOf(CHARTS_UNDER_TEST.find(({ name }) => name === 'official')!).map(([name, { props }]) => [name, props] as const);

  describe.each(['3.3.2', '2.11.2'])('accepts the values for Airflow %s', (version) => {
    test.each([...cases, ['odd text', odd] as const])('%s', (_name, props) => {
      expect(errorsOf(officialValues(props, version))).toEqual([]);
    });
  });

  test.each<[string, Json, string]>([
    ['a misspelled key', { scheduler: { replica: 2 } }, '.scheduler should NOT have additional properties'],
    ['a number instead of text', { dags: { gitSync: { period: 60 } } }, '.dags.gitSync.period should be string'],
  ])('refuses %s', (_name, values, error) => {
    expect(errorsOf(values)).toContain(error);
  });
});
