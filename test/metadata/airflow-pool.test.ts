import { CHARTS_UNDER_TEST, synthAirflow, synthCommunity, valuesOf } from '../util';

test('defaults: no pools, and the name as the description of one', () => {
  expect(valuesOf(synthCommunity().template).airflow.pools).toEqual([]);
  expect(valuesOf(synthCommunity({ pools: [{ name: 'db', slots: 4 }] }).template).airflow.pools).toEqual([{ name: 'db', slots: 4, description: 'db' }]);
});

test('custom', () => {
  const pools = [{ name: 'db', slots: 4, description: 'Queries' }];
  expect(valuesOf(synthCommunity({ pools }).template).airflow.pools).toEqual(pools);
});

test.each(CHARTS_UNDER_TEST)('fails when a pool is there twice: $name chart', ({ chart }) => {
  expect(() => synthAirflow({ chart: chart(), pools: [{ name: 'a', slots: 1 }, { name: 'a', slots: 2 }] })).toThrow(new Error(
    "Data/Airflow: 'pools' must contain each name only once, got 'a' twice"));
});
