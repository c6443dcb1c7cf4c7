import { AirflowSecret } from '../../src';
import { AirflowSettings } from '../../src/chart/chart-definition';
import { passwordKeys, variableKey } from '../../src/chart/user-keys';
import { newStack, remoteSecret } from '../util';

function passwordKeyOf(username: string, password: (stack: ReturnType<typeof newStack>) => AirflowSecret) {
  const stack = newStack();
  const user = { username, email: 'a@example.com', role: 'Viewer', firstName: 'a', lastName: 'b' };
  return passwordKeys(stack, { name: 'data', users: [user], secrets: { passwords: { [username]: password(stack) } } } as unknown as AirflowSettings)[username];
}

test.each([['jane.doe', 'airflow-jane.doe-password'], ['a@b.c', 'airflow-a.b.c-password']])('the key of the password of %s', (username, key) => {
  expect(passwordKeyOf(username, (stack) => remoteSecret(stack, 'password'))).toMatchObject({ name: 'data-secret', key });
});

test('the key of a variable', () => {
  const stack = newStack();
  expect(variableKey(stack, 'data', 'license', remoteSecret(stack, 'license'))).toMatchObject({ name: 'data-secret', key: 'variable-license' });
});

test('keys of Kubernetes Secrets stay where they are', () => {
  const own = AirflowSecret.fromKubernetesSecret('mine', 'key');
  expect(passwordKeyOf('admin', () => own)).toEqual({ name: 'mine', key: 'key' });
  expect(variableKey(newStack(), 'data', 'license', own)).toEqual({ name: 'mine', key: 'key' });
});

test('fails when a secret is plain text', () => {
  const message = (prop: string) => new Error(`Data: '${prop}' must be an AirflowSecret, not a value in plain text; use AirflowSecret.fromSecretsManager()`);
  expect(() => passwordKeyOf('joe', () => 'plain' as any)).toThrow(message('users.joe.password'));
  expect(() => variableKey(newStack(), 'data', 'license', 'plain' as any)).toThrow(message('variables.license'));
});
