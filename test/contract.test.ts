import { join } from 'path';
import { CONTRACTS, contractOf, pathsOf } from './contract/extract';
import { casesOf } from './matrix';
import { CHARTS, CHARTS_UNDER_TEST, Json, releasesOf, synthAirflow, valuesOf } from './util';
import { EfsCsiDriverSetup } from '../src';

/** The paths that are written, and that a chart does not know: it would ignore them without a word. */
function unknownPaths(values: Json, contract: string[]): string[] {
  const known = new Set(contract);
  const walk = (value: unknown, path: string): string[] => {
    if (known.has(`${path}.*`)) {
      return [];
    }
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([key, child]) => walk(child, path ? `${path}.${key}` : key))
      : known.has(path) ? [] : [path];
  };
  return walk(values, '');
}

describe.each(CHARTS_UNDER_TEST)('the $name chart knows each value that we write', (underTest) => {
  const { chart, folder } = underTest;

  test('in the version that we install', () => {
    expect(folder.endsWith(`-${chart().chartVersion}`)).toBe(true);
  });

  test.each(casesOf(underTest))('%s', (_name, { props }) => {
    const { template } = synthAirflow((stack) => ({ chart: chart(), ...props(stack) }));
    expect(unknownPaths(valuesOf(template), contractOf(folder))).toEqual([]);
  });
});

test.each(Object.values(EfsCsiDriverSetup))('the charts of the driver (%s) and of the operator know each value that we write', (efsCsiDriver) => {
  const { template } = synthAirflow({ efsCsiDriver });
  const others = releasesOf(template).filter(({ chart }) => chart !== 'airflow');
  expect(others).toHaveLength(efsCsiDriver === EfsCsiDriverSetup.EXISTING ? 1 : 2);
  for (const { chart, version, values } of others) {
    expect(unknownPaths(values, contractOf(`${chart}-${version}`))).toEqual([]);
  }
});

test.each<[string, Json, string]>([
  ['misspelt', { workers: { celery: { gracefulTermination: true } } }, 'workers.celery.gracefulTermination'],
  ['one level too high', { gitSync: { enabled: true } }, 'gitSync.enabled'],
  ['below a value that is no map', { web: { replicas: { minimum: 2 } } }, 'web.replicas.minimum'],
  ['of a sub-chart, misspelt', { redis: { master: { comand: '' } } }, 'redis.master.comand'],
  ['text where the chart has a map', { dags: '/opt/dags' }, 'dags'],
])('a path that is %s is found', (_name, values, path) => {
  expect(unknownPaths(values, contractOf('airflow-community-8.9.0'))).toEqual([path]);
});

describe('the contracts', () => {
  if (!CHARTS) {
    return test.skip('NOT COMPARED WITH THE CHARTS: set AIRFLOW_CHARTS to a folder of unpacked charts, named <chart>-<version>', () => undefined);
  }
  test.each(CONTRACTS)('%s is what the chart says', (chart) => {
    expect(contractOf(chart)).toEqual(pathsOf(join(CHARTS!, chart)));
  });
});
