import { Token } from 'aws-cdk-lib';
import { CHARTS_UNDER_TEST, newStack, synthAirflow, synthCommunity, valuesOf } from './util';
import { AirflowOnEksProps, ComponentOptions } from '../src';
import { componentSettings } from '../src/component';

const settings = (options?: ComponentOptions, defaults?: ComponentOptions) => componentSettings(newStack(), 'scheduler', options, defaults);

test('defaults', () => {
  expect(settings()).toEqual({ replicas: 1, resources: {} });
  expect(settings({}, { replicas: 2, cpu: '1', memory: '2Gi' })).toEqual({ replicas: 2, resources: { requests: { cpu: '1', memory: '2Gi' }, limits: { memory: '4Gi' } } });
});

test('custom', () => {
  expect(settings({ replicas: 3, cpu: '500m', memory: '1Gi', memoryLimit: '2Gi' }, { replicas: 2, cpu: '1', memory: '2Gi' }))
    .toEqual({ replicas: 3, resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } } });
});

test.each<[string, ComponentOptions, object]>([
  ['CPU alone', { cpu: '0.5' }, { requests: { cpu: '0.5' } }],
  ['memory alone', { memory: '512Mi' }, { requests: { memory: '512Mi' }, limits: { memory: '1024Mi' } }],
  ['half a unit of memory', { memory: '1.5Gi' }, { requests: { memory: '1.5Gi' }, limits: { memory: '3Gi' } }],
  ['a memory limit alone', { memoryLimit: '2G' }, { limits: { memory: '2G' } }],
  ['a memory limit that equals the memory in another unit', { memory: '1Gi', memoryLimit: '1024Mi' }, { requests: { memory: '1Gi' }, limits: { memory: '1024Mi' } }],
  ['bytes', { memory: '1073741824' }, { requests: { memory: '1073741824' }, limits: { memory: '2147483648' } }],
])('custom: %s', (_name, options, resources) => {
  expect(settings(options).resources).toEqual(resources);
});

test('a token passes the checks', () => {
  const token = Token.asString({ Ref: 'Memory' });
  expect(settings({ replicas: Token.asNumber({ Ref: 'Replicas' }), cpu: token, memory: '1Gi', memoryLimit: token }).resources)
    .toEqual({ requests: { cpu: token, memory: '1Gi' }, limits: { memory: token } });
});

test('the limit of memory that is a token is the same token', () => {
  const token = Token.asString({ Ref: 'Memory' });
  expect(settings({ memory: token }).resources).toEqual({ requests: { memory: token }, limits: { memory: token } });
});

const requesting = (cpu: string, memory: string, limit: string) => ({ requests: { cpu, memory }, limits: { memory: limit } });

test('the default resources', () => {
  const { apiServer, scheduler, dagProcessor, triggerer } = valuesOf(synthAirflow().template);
  expect({ apiServer, scheduler, dagProcessor, triggerer }).toMatchObject({
    apiServer: { resources: requesting('250m', '768Mi', '1536Mi') },
    scheduler: { resources: requesting('250m', '512Mi', '1024Mi') },
    dagProcessor: { resources: requesting('250m', '512Mi', '1024Mi') },
    triggerer: { resources: requesting('100m', '512Mi', '1024Mi') },
  });
});

test('the components of the official chart', () => {
  const component = (replicas: number) => ({ replicas, cpu: `${replicas}00m`, memory: `${replicas}Gi`, memoryLimit: `${replicas}5Gi` });
  const { template } = synthAirflow({ apiServer: component(1), scheduler: component(3), dagProcessor: component(4), triggerer: component(5) });
  const values = valuesOf(template);
  for (const [name, replicas] of Object.entries({ apiServer: 1, scheduler: 3, dagProcessor: 4, triggerer: 5 })) {
    expect(values[name]).toMatchObject({
      replicas,
      resources: { requests: { cpu: `${replicas}00m`, memory: `${replicas}Gi` }, limits: { memory: `${replicas}5Gi` } },
      podDisruptionBudget: { enabled: replicas > 1 },
    });
  }
});

test('the components of the community chart', () => {
  const component = (replicas: number) => ({ replicas, memory: `${replicas}Gi` });
  const values = valuesOf(synthCommunity({ apiServer: component(1), scheduler: component(3), triggerer: component(5) }).template);
  for (const [name, replicas] of Object.entries({ web: 1, scheduler: 3, triggerer: 5 })) {
    expect(values[name]).toMatchObject({ replicas, resources: { requests: { memory: `${replicas}Gi` }, limits: { memory: `${2 * replicas}Gi` } }, podDisruptionBudget: { enabled: replicas > 1 } });
  }
});

const CPU = "must be a Kubernetes quantity such as '500m' or '2', got";
const MEMORY = "must be a Kubernetes quantity such as '512Mi' or '2Gi', got";

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, Partial<AirflowOnEksProps>, string]>([
    ['there are no API servers', { apiServer: { replicas: 0 } }, "'apiServer.replicas' must be a whole number of at least 1, got 0"],
    ['there is half a scheduler', { scheduler: { replicas: 1.5 } }, "'scheduler.replicas' must be a whole number of at least 1, got 1.5"],
    ['the number of triggerers is negative', { triggerer: { replicas: -1 } }, "'triggerer.replicas' must be a whole number of at least 1, got -1"],
    ['the CPU is not a quantity', { scheduler: { cpu: '2 cores' } }, `'scheduler.cpu' ${CPU} '2 cores'`],
    ['the CPU is empty', { scheduler: { cpu: '' } }, `'scheduler.cpu' ${CPU} ''`],
    ['the memory has no valid unit', { apiServer: { memory: '2GB' } }, `'apiServer.memory' ${MEMORY} '2GB'`],
    ['the memory is in millibytes', { apiServer: { memory: '500m' } }, `'apiServer.memory' ${MEMORY} '500m'`],
    ['the memory limit is not a quantity', { triggerer: { memoryLimit: 'none' } }, `'triggerer.memoryLimit' ${MEMORY} 'none'`],
    ['the memory limit is below the memory', { scheduler: { memory: '1Gi', memoryLimit: '512Mi' } },
      "'scheduler.memoryLimit' must be at least 'scheduler.memory' (1Gi), got 512Mi"],
    ['the memory limit is below the memory by the kind of unit', { scheduler: { memory: '1Gi', memoryLimit: '1G' } },
      "'scheduler.memoryLimit' must be at least 'scheduler.memory' (1Gi), got 1G"],
    ['the memory limit is below the default of the memory', { workers: { memoryLimit: '1Gi' } },
      "'workers.memoryLimit' must be at least 'workers.memory' (2Gi), got 1Gi"],
  ])('fails when %s', (_name, props, message) => {
    expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});

test('fails when the DAG processor has no replicas', () => {
  expect(() => synthAirflow({ dagProcessor: { replicas: 0 } })).toThrow(new Error("Data/Airflow: 'dagProcessor.replicas' must be a whole number of at least 1, got 0"));
});

test('fails when the chart has no DAG processor', () => {
  expect(() => synthCommunity({ dagProcessor: { replicas: 1 } })).toThrow(new Error(
    "Data/Airflow: 'dagProcessor' is not available with the community chart; use 'scheduler', which processes the DAGs with this chart"));
});
