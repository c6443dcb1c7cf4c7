import { Token } from 'aws-cdk-lib';
import { AirflowSecret } from '../../src';
import { AirflowSettings } from '../../src/chart/chart-definition';
import { escapeDollars, userEnvironment } from '../../src/chart/environment';
import { newStack, remoteSecret } from '../util';

const settings = (rest: Partial<AirflowSettings>) => ({ name: 'data', environment: {}, environmentSecrets: {}, ...rest }) as AirflowSettings;

test('defaults: no variables', () => {
  expect(userEnvironment(newStack(), settings({}))).toEqual({ variables: [], keys: [] });
});

test('custom: text, and secrets by reference', () => {
  const stack = newStack();
  const { variables, keys } = userEnvironment(stack, settings({
    environment: { STAGE: 'dev' },
    environmentSecrets: { SLACK_WEBHOOK: remoteSecret(stack, 'slack'), OWN: AirflowSecret.fromKubernetesSecret('mine', 'own') },
  }));
  expect(variables).toEqual([
    { name: 'STAGE', value: 'dev' },
    { name: 'SLACK_WEBHOOK', valueFrom: { secretKeyRef: { name: 'data-secret', key: 'SLACK_WEBHOOK' } } },
    { name: 'OWN', valueFrom: { secretKeyRef: { name: 'mine', key: 'own' } } },
  ]);
  expect(keys.map(({ name, key, content }) => [name, key, content !== undefined])).toEqual([['data-secret', 'SLACK_WEBHOOK', true], ['mine', 'own', false]]);
});

test.each([
  ['cost: 5$', 'cost: 5$$'],
  ['$(HOME) $$ ${X}', '$$(HOME) $$$$ $${X}'],
  ['', ''],
])('dollars are escaped in %j', (text, escaped) => {
  expect(escapeDollars(text)).toBe(escaped);
});

test('tokens are not escaped', () => {
  expect(escapeDollars(`$${Token.asString({ Ref: 'Host' })}$`)).toMatch(/^\$\$\$\{Token\[[^$]+\$\$$/);
});

test('fails when a secret is plain text', () => {
  const environmentSecrets = { SLACK_WEBHOOK: 'plain' as any };
  expect(() => userEnvironment(newStack(), settings({ environmentSecrets }))).toThrow(new Error(
    "Data: 'environmentSecrets.SLACK_WEBHOOK' must be an AirflowSecret, not a value in plain text; use AirflowSecret.fromSecretsManager()"));
});
