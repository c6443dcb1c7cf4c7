import { Lazy } from 'aws-cdk-lib';
import { synthAirflow } from './util';
import { AirflowSecret } from '../src';
import { sortKeys } from '../src/sort-keys';

test('sorts the keys of maps at every depth', () => {
  expect(JSON.stringify(sortKeys({ b: [{ d: 1, c: null }], a: { f: 'x', e: true } }))).toBe('{"a":{"e":true,"f":"x"},"b":[{"c":null,"d":1}]}');
});

test('keeps the order of lists, and everything that is not a map', () => {
  const token = Lazy.any({ produce: () => 'later' });
  expect(sortKeys(['b', 'a', token])).toEqual(['b', 'a', token]);
  expect(sortKeys({ token }).token).toBe(token);
});

test('the order of the maps in props does not change the template', () => {
  const secrets: [string, AirflowSecret][] = ['one', 'two'].map((key) => [key, AirflowSecret.fromKubernetesSecret('mine', key)]);
  const template = (order: <T>(entries: T[]) => T[]) => synthAirflow({
    config: Object.fromEntries(order([['core.parallelism', '64'], ['celery.worker_prefetch_multiplier', '8']])),
    environment: Object.fromEntries(order([['TZ', 'UTC'], ['STAGE', 'prod']])),
    environmentSecrets: Object.fromEntries(order(secrets)),
    helmValues: { scheduler: { podAnnotations: Object.fromEntries(order([['a', '1'], ['b', '2']])) } },
    ingress: { annotations: Object.fromEntries(order([['x', '1'], ['y', '2']])) },
  }).template.toJSON();
  expect(template((entries) => [...entries].reverse())).toEqual(template((entries) => entries));
});
