import { combine, HelmValueOverrides, mergeHelmValues, ValueRules } from '../../src/chart/helm-values';
import { Json, newStack } from '../util';

const ours = { web: { replicas: 2, tolerations: [{ key: 'a' }], service: { type: 'ClusterIP' } }, flower: { enabled: true } };
const merge = (overrides: HelmValueOverrides, rules: Partial<ValueRules> = {}) =>
  mergeHelmValues(newStack(), ours, overrides, { owned: {}, refused: {}, appended: [], ownedVariables: {}, ...rules });

test('defaults: the values of the library', () => {
  expect(merge({})).toEqual(ours);
});

test.each<[string, Json, Json]>([
  ['maps are merged', { web: { service: { annotations: { a: 'b' } } } }, { ...ours, web: { ...ours.web, service: { type: 'ClusterIP', annotations: { a: 'b' } } } }],
  ['lists are replaced', { web: { tolerations: [] } }, { ...ours, web: { ...ours.web, tolerations: [] } }],
  ['a map replaces a value', { flower: { enabled: { a: 1 } } }, { ...ours, flower: { enabled: { a: 1 } } }],
  ['a value replaces a map', { flower: false }, { ...ours, flower: false }],
  ['null removes a default', { web: { replicas: null } }, { ...ours, web: { ...ours.web, replicas: null } }],
  ['new keys are added', { triggerer: { enabled: false } }, { ...ours, triggerer: { enabled: false } }],
])('custom: %s', (_name, helmValues, merged) => {
  expect(merge({ helmValues })).toEqual(merged);
});

test('custom: lists without which the release does not work are appended to', () => {
  const appended = (helmValues: Json) => merge({ helmValues }, { appended: ['web.tolerations', 'none'] }).web.tolerations;
  expect(appended({ web: { tolerations: [{ key: 'b' }] } })).toEqual([{ key: 'a' }, { key: 'b' }]);
  expect(appended({ web: { replicas: 3 } })).toEqual([{ key: 'a' }]);
  expect(merge({ helmValues: { none: ['a'] } }, { appended: ['none'] }).none).toEqual(['a']);
  expect(ours.web.tolerations).toEqual([{ key: 'a' }]);
});

test('custom: removedHelmValues remove defaults of the library and of the chart, at any depth', () => {
  expect(merge({ removedHelmValues: ['web.replicas', 'scheduler.livenessProbe', 'flower'] })).toEqual({
    web: { ...ours.web, replicas: null }, scheduler: { livenessProbe: null }, flower: null,
  });
});

test('the merged values are a copy', () => {
  const before = JSON.stringify(ours);
  const helmValues = { web: { service: { type: 'NodePort' } } };
  merge({ helmValues, removedHelmValues: ['web.service.type'] });
  expect(JSON.stringify(ours)).toBe(before);
  expect(helmValues.web.service.type).toBe('NodePort');
});

test('parts of the values are combined, with the keys of all', () => {
  const key = (name: string) => ({ name, key: 'key' });
  expect(combine([
    { values: { a: { b: 1 } }, keys: [key('one')] }, { values: { a: { c: [2] } } }, { values: { a: { c: [3] }, d: 4 }, keys: [key('two')] },
  ])).toEqual({ values: { a: { b: 1, c: [3] }, d: 4 }, keys: [key('one'), key('two')] });
  expect(combine([])).toEqual({ values: {}, keys: [] });
});

const owned = { 'web.service': 'ingress' };

test('values beside those of another prop are allowed', () => {
  expect(() => merge({ helmValues: { web: { services: {} } }, removedHelmValues: ['web.serviceAccount'] }, { owned })).not.toThrow();
});

const TOUCHING: [string, HelmValueOverrides][] = [
  ['itself', { helmValues: { web: { service: null } } }],
  ['a part of it', { helmValues: { web: { service: { type: 'NodePort' } } } }],
  ['the map that contains it', { helmValues: { web: null } }],
  ['itself, removed', { removedHelmValues: ['web.service'] }],
  ['a part of it, removed', { removedHelmValues: ['web.service.type'] }],
  ['the map that contains it, removed', { removedHelmValues: ['web'] }],
];

test.each(TOUCHING)('fails when helmValues set a value of another prop: %s', (_name, overrides) => {
  expect(() => merge(overrides, { owned })).toThrow(new Error("Data: 'helmValues.web.service' must not be set, because 'ingress' sets it; use 'ingress'"));
});

test.each(TOUCHING)('fails when helmValues set a value without which the release does not work: %s', (_name, overrides) => {
  expect(() => merge(overrides, { refused: { 'web.service': 'users need it' } })).toThrow(
    new Error("Data: 'helmValues.web.service' must not be set, because users need it"));
});

test.each<[string, HelmValueOverrides, string]>([
  ['null', { helmValues: { web: { tolerations: null } } }, 'null'],
  ['a map', { helmValues: { web: { tolerations: { key: 'b' } } } }, '{"key":"b"}'],
  ['a value above it', { helmValues: { web: 'x' } }, 'undefined'],
  ['its removal', { removedHelmValues: ['web.tolerations'] }, 'its removal'],
  ['the removal of the map that contains it', { removedHelmValues: ['web'] }, 'its removal'],
])('fails when helmValues take away a list to which they can only append: %s', (_name, overrides, given) => {
  expect(() => merge(overrides, { appended: ['web.tolerations'] })).toThrow(
    new Error(`Data: 'helmValues.web.tolerations' must be a list, which is appended to that of the library, got ${given}`));
});

test('fails when helmValues set an environment variable of another prop, at any depth', () => {
  const rules = { ownedVariables: { AIRFLOW__CORE__EXECUTOR: 'executor' } };
  const helmValues = (name: string) => ({ web: { waitForMigrations: { env: [{ name: 'A', value: 'b' }, { name, value: 'c' }] } } });
  expect(() => merge({ helmValues: helmValues('AIRFLOW__CORE__EXECUTOR') }, rules)).toThrow(
    new Error("Data: 'helmValues.web.waitForMigrations.env' must not set AIRFLOW__CORE__EXECUTOR, which 'executor' sets; use 'executor'"));
  expect(() => merge({ helmValues: helmValues('AIRFLOW__CORE__PARALLELISM') }, rules)).not.toThrow();
});

test('fails when a disruption budget has both bounds, which Kubernetes refuses', () => {
  const budgets = { web: { podDisruptionBudget: { config: { maxUnavailable: 1 } } } };
  const rules = { owned: {}, refused: {}, appended: [], ownedVariables: {} };
  const helmValues = { web: { podDisruptionBudget: { config: { minAvailable: 2 } } } };
  expect(() => mergeHelmValues(newStack(), budgets, { helmValues }, rules)).toThrow(new Error(
    "Data: 'helmValues.web.podDisruptionBudget.config' must not have both 'minAvailable' (2) and 'maxUnavailable' (1);"
    + " add 'web.podDisruptionBudget.config.maxUnavailable' to 'removedHelmValues'"));
  const removedHelmValues = ['web.podDisruptionBudget.config.maxUnavailable'];
  const { web } = mergeHelmValues(newStack(), budgets, { helmValues, removedHelmValues }, rules);
  expect(web.podDisruptionBudget.config).toEqual({ minAvailable: 2, maxUnavailable: null });
});
