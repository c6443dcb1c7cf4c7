import { SecretValue } from 'aws-cdk-lib';
import { checkNoSecret, mergeValues, ValueOverrides } from '../../src/chart/values';
import { Json, newStack } from '../util';

const ours = { web: { replicas: 2, tolerations: [{ key: 'a' }], service: { type: 'ClusterIP' } }, flower: { enabled: true } };
const merge = (overrides: ValueOverrides, owned: Record<string, string> = {}) => mergeValues(newStack(), ours, overrides, owned);

test('defaults: ours', () => {
  expect(merge({})).toEqual(ours);
});

test.each<[string, Json, Json]>([
  ['maps are merged', { web: { service: { annotations: { a: 'b' } } } }, { ...ours, web: { ...ours.web, service: { type: 'ClusterIP', annotations: { a: 'b' } } } }],
  ['lists are replaced', { web: { tolerations: [] } }, { ...ours, web: { ...ours.web, tolerations: [] } }],
  ['a map takes the place of a value', { flower: { enabled: { a: 1 } } }, { ...ours, flower: { enabled: { a: 1 } } }],
  ['a value takes the place of a map', { flower: false }, { ...ours, flower: false }],
  ['null takes a default away', { web: { replicas: null } }, { ...ours, web: { ...ours.web, replicas: null } }],
  ['new keys are added', { triggerer: { enabled: false } }, { ...ours, triggerer: { enabled: false } }],
])('%s', (_name, values, merged) => {
  expect(merge({ values })).toEqual(merged);
});

test('removedValues take defaults away, ours and the chart\'s, whatever is above them', () => {
  expect(merge({ removedValues: ['web.replicas', 'scheduler.livenessProbe', 'flower'] })).toEqual({
    web: { ...ours.web, replicas: null }, scheduler: { livenessProbe: null }, flower: null,
  });
});

test('what is merged is a copy', () => {
  const before = JSON.stringify(ours);
  const values = { web: { service: { type: 'NodePort' } } };
  merge({ values, removedValues: ['web.service.type'] });
  expect(JSON.stringify(ours)).toBe(before);
  expect(values.web.service.type).toBe('NodePort');
});

const owned = { 'web.service': 'ingress' };
const message = "Data: 'values.web.service' is what 'ingress' is for; take it out of 'values' and use 'ingress'";

test.each<[string, ValueOverrides]>([
  ['itself', { values: { web: { service: null } } }],
  ['a part of it', { values: { web: { service: { type: 'NodePort' } } } }],
  ['what it is in', { values: { web: null } }],
  ['itself, removed', { removedValues: ['web.service'] }],
  ['a part of it, removed', { removedValues: ['web.service.type'] }],
  ['what it is in, removed', { removedValues: ['web'] }],
])('fails when values say what another prop is for: %s', (_name, overrides) => {
  expect(() => merge(overrides, owned)).toThrow(new Error(message));
});

test('values beside what another prop is for are free', () => {
  expect(() => merge({ values: { web: { services: {} } }, removedValues: ['web.serviceAccount'] }, owned)).not.toThrow();
});

test.each<[string, unknown, string]>([
  ['a SecretValue', SecretValue.secretsManager('a'), "must not hold a SecretValue, which would arrive in the cluster as the text '{{resolve:...'; give it as an AirflowSecret"],
  ['a dynamic reference', 'x {{resolve:ssm-secure:a}}', "must not hold a SecretValue, which would arrive in the cluster as the text '{{resolve:...'; give it as an AirflowSecret"],
  ['a private key', `${'-----BEGIN'} OPENSSH PRIVATE KEY-----\nabc`, 'must not hold a private key in plain text; keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'],
  ['a URL with a password', 'postgresql://user:word@db.example.com/airflow', 'must not hold a URL with a password; keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'],
  ['a URL with a password only', 'redis://:word@redis.example.com', 'must not hold a URL with a password; keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'],
])('fails when there is %s, however deep', (_name, secret, text) => {
  expect(() => checkNoSecret(newStack(), 'values', { a: [{ b: secret }] })).toThrow(new Error(`Data: 'values' ${text}`));
});

test.each(['https://example.com/a:b@c', 'postgresql://user@db:5432/airflow', 'BEGIN PUBLIC KEY', 'a: b@c', undefined])('%s is no secret', (text) => {
  expect(() => checkNoSecret(newStack(), 'values', { a: text })).not.toThrow();
});
