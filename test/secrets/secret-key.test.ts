import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AirflowSecret } from '../../src';
import { checkSameSecret, composedKey, copiedKey, fixedKey, keyRefOf } from '../../src/secrets/secret-key';
import { newStack } from '../util';

const target = { name: 'airflow-secret', key: 'password' };
const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);
const stored = (name: string, stack = newStack()) => AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, name, name));
const plus = (variable: string) => `+{{ .${variable} }}`;

test('a copied key: a secret of AWS Secrets Manager, unchanged or by a template', () => {
  const secret = stored('a');
  const key = copiedKey(newStack(), 'prop', target, secret);
  expect(keyRefOf(key)).toEqual(target);
  expect(key.content!.secrets).toEqual([secret._source]);
  expect(key.content!.template('secret0')).toBe('{{ .secret0 }}');
  expect(copiedKey(newStack(), 'prop', target, secret, plus).content!.template('secret0')).toBe('+{{ .secret0 }}');
});

test('a copied key: a Kubernetes Secret is used where it is', () => {
  expect(copiedKey(newStack(), 'prop', target, own('other'))).toEqual({ name: 'mine', key: 'other' });
});

test('a fixed key: a Kubernetes Secret with the key that the chart reads', () => {
  expect(fixedKey(newStack(), 'prop', target, own('password'))).toEqual({ name: 'mine', key: 'password' });
  expect(fixedKey(newStack(), 'prop', target, stored('a'), plus).content!.template('secret0')).toBe('+{{ .secret0 }}');
});

test('a composed key: several secrets, in the order in which they are given', () => {
  const stack = newStack();
  const [user, password] = [stored('a', stack), stored('b', stack)];
  const key = composedKey(stack, target, { user, password }, (a, b) => `{{ .${a} }}:{{ .${b} }}`);
  expect(keyRefOf(key)).toEqual(target);
  expect(key.content!.secrets).toEqual([user._source, password._source]);
  expect(key.content!.template('secret0', 'secret1')).toBe('{{ .secret0 }}:{{ .secret1 }}');
});

test('keys of one Kubernetes Secret', () => {
  expect(() => checkSameSecret(newStack(), { a: { name: 'mine', key: 'a' }, b: { name: 'mine', key: 'b' } })).not.toThrow();
});

test.each<[string, () => unknown, string]>([
  ['a secret is plain text', () => copiedKey(newStack(), 'prop', target, 'plain' as any),
    "'prop' must be an AirflowSecret, not a value in plain text; use AirflowSecret.fromSecretsManager()"],
  ['the name of a key is not valid', () => copiedKey(newStack(), 'prop', target, own('a/b')), "'prop' must be a key of a Kubernetes Secret, got 'a/b'"],
  ['the chart cannot read the key', () => fixedKey(newStack(), 'prop', target, own('other')),
    "'prop' must have the key 'password' in its Kubernetes Secret, which is the only key that the chart reads, got 'other'"],
  ['one of several secrets is a Kubernetes Secret', () => composedKey(newStack(), target, { a: stored('a'), password: own('password') }, () => ''),
    "'password' is the Kubernetes Secret 'mine', but this chart needs the value as a part of 'airflow-secret'; store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()"],
  ['two keys are in two Kubernetes Secrets', () => checkSameSecret(newStack(), { a: { name: 'mine', key: 'a' }, b: { name: 'yours', key: 'b' } }),
    "'a' and 'b' must be in one Kubernetes Secret, got 'mine' and 'yours'; store both in one, or both in AWS Secrets Manager"],
])('fails when %s', (_name, make, message) => {
  expect(make).toThrow(new Error(`Data: ${message}`));
});
