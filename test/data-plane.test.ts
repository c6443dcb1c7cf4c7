import { COMBINATIONS, pairsOf, pairwise, propsOf, refusalOf } from './data-plane';
import { objectsOf, synthAirflow } from './util';

// That of Airflow 2.11 is the official chart too: the pairs of it are rendered.
const cases = COMBINATIONS.filter(({ chart }) => chart.name !== 'official, Airflow 2.11');

test('there are all combinations', () => {
  expect([cases.length, cases.filter((combination) => !refusalOf(combination)).length]).toEqual([224, 120]);
});

test.each(cases.filter((combination) => !refusalOf(combination)).map((combination) => [combination.name, combination] as const))('%s', (_name, combination) => {
  const { database, broker, logs } = combination;
  const { template } = synthAirflow((stack) => propsOf(combination, stack));
  const created = (type: string) => Object.keys(template.findResources(type)).length;
  expect({
    aurora: created('AWS::RDS::DBCluster'),
    rds: created('AWS::RDS::DBInstance'),
    elastiCache: created('AWS::ElastiCache::ReplicationGroup'),
    bucket: created('AWS::S3::Bucket'),
    fileSystem: created('AWS::EFS::FileSystem'),
    pods: objectsOf(template, 'StatefulSet').map(({ metadata }) => metadata.name).sort(),
    brokerUrl: objectsOf(template, 'ExternalSecret').filter(({ metadata }) => metadata.name === 'airflow-broker-url').length,
  }).toEqual({
    aurora: database === 'Aurora' ? 1 : 0,
    rds: database === 'in the cluster' || database === 'an endpoint' ? 0 : 1, // the writer of Aurora is one too
    elastiCache: broker === 'ElastiCache' ? 1 : 0,
    bucket: logs === 'a bucket' ? 1 : 0,
    fileSystem: database === 'in the cluster' || logs === 'the file system' ? 1 : 0,
    pods: [...database === 'in the cluster' ? ['airflow-postgresql'] : [], ...broker === 'Valkey' ? ['airflow-valkey'] : []],
    brokerUrl: broker === 'no broker' ? 0 : 1,
  });
});

test.each(cases.flatMap((combination) => {
  const refusal = refusalOf(combination);
  return refusal ? [[combination.name, combination, refusal] as const] : [];
}))('fails for %s', (_name, combination, refusal) => {
  expect(() => synthAirflow((stack) => propsOf(combination, stack))).toThrow(new Error(`Data/Airflow: ${refusal}`));
});

test('those that are rendered contain all pairs', () => {
  const rendered = new Set(pairwise().flatMap(pairsOf));
  expect(COMBINATIONS.filter((combination) => !refusalOf(combination)).flatMap(pairsOf).filter((pair) => !rendered.has(pair))).toEqual([]);
  expect(pairwise().length).toBeLessThan(25);
});
