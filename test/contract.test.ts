import { join } from 'path';
import { CONTRACTS, contractOf, pathsOf } from './contract/extract';
import { casesOf } from './matrix';
import { CHARTS, CHARTS_UNDER_TEST, Json, releasesOf, synthAirflow, valuesOf } from './util';
import { EfsCsiDriverInstallation } from '../src';

/** The paths of values that a chart does not have, and would silently ignore. */
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

describe.each(CHARTS_UNDER_TEST)('the $name chart has all values that the library sets', (underTest) => {
  const { chart, folder } = underTest;

  test('in the version that the library installs', () => {
    expect(folder.endsWith(`-${chart().chartVersion}`)).toBe(true);
  });

  test.each(casesOf(underTest))('%s', (_name, { props }) => {
    const { template } = synthAirflow((stack) => ({ chart: chart(), ...props(stack) }));
    expect(unknownPaths(valuesOf(template), contractOf(folder))).toEqual([]);
  });
});

test.each<[string, EfsCsiDriverInstallation, number]>([
  ['on the nodes of Airflow', EfsCsiDriverInstallation.onAirflowNodes(), 2],
  ['on all nodes', EfsCsiDriverInstallation.onAllNodes(), 2],
  ['that already exists', EfsCsiDriverInstallation.existing(), 1],
])('the charts of the operator and of a driver %s have all values that the library sets', (_name, efsCsiDriver, releases) => {
  const { template } = synthAirflow({ efsCsiDriver });
  const others = releasesOf(template).filter(({ chart }) => chart !== 'airflow');
  expect(others).toHaveLength(releases);
  for (const { chart, version, values } of others) {
    expect(unknownPaths(values, contractOf(`${chart}-${version}`))).toEqual([]);
  }
});

test.each<[string, Json, string]>([
  ['misspelled', { workers: { celery: { gracefulTermination: true } } }, 'workers.celery.gracefulTermination'],
  ['one level too high', { gitSync: { enabled: true } }, 'gitSync.enabled'],
  ['below a value that is not a map', { web: { replicas: { minimum: 2 } } }, 'web.replicas.minimum'],
  ['misspelled in a sub-chart', { postgresql: { master: { comand: '' } } }, 'postgresql.master.comand'],
  ['text, where the chart has a map', { dags: '/opt/dags' }, 'dags'],
])('finds a path that is %s', (_name, values, path) => {
  expect(unknownPaths(values, contractOf('airflow-community-8.9.0'))).toEqual([path]);
});

describe('the contracts', () => {
  if (!CHARTS) {
    return test.skip('NOT COMPARED WITH THE CHARTS: set AIRFLOW_CHARTS to a folder of unpacked charts, named <chart>-<version>', () => undefined);
  }
  test.each(CONTRACTS)('%s lists the values of the chart', (chart) => {
    expect(contractOf(chart)).toEqual(pathsOf(join(CHARTS!, chart)));
  });
});
