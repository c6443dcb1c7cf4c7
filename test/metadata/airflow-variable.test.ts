import { SecretValue } from 'aws-cdk-lib';
import { AirflowSecret, AirflowVariable } from '../../src';
import { CHARTS_UNDER_TEST, synthAirflow, synthCommunity, valuesOf } from '../util';

const secret = AirflowSecret.fromKubernetesSecret('mine', 'key');
const PEM = `${'-----BEGIN'} RSA PRIVATE KEY-----`;

test('defaults: no variables', () => {
  expect(valuesOf(synthCommunity().template).airflow).toMatchObject({ variables: [], variablesTemplates: {} });
});

test('the kinds of variables', () => {
  expect(AirflowVariable.of('stage', 'dev')).toMatchObject({ key: 'stage', _value: { kind: 'text', value: 'dev' } });
  expect(AirflowVariable.fromSecret('license', secret)).toMatchObject({ key: 'license', _value: { kind: 'secret', secret } });
});

const variables = [AirflowVariable.of('stage', 'dev'), AirflowVariable.of('empty', ''), AirflowVariable.fromSecret('api_token', secret)];

test('custom: the community chart', () => {
  expect(valuesOf(synthCommunity({ variables }).template).airflow).toMatchObject({
    variables: [{ key: 'stage', value: 'dev' }, { key: 'empty', value: '' }, { key: 'api_token', value: '${API_TOKEN}' }],
    variablesTemplates: { API_TOKEN: { kind: 'secret', name: 'mine', key: 'key' } },
  });
});

test('custom: the official chart', () => {
  expect(valuesOf(synthAirflow({ variables }).template).extraEnv.split('\n').map((line: string) => JSON.parse(line.replace('- ', '')))).toEqual([
    { name: 'AIRFLOW_VAR_STAGE', value: 'dev' },
    { name: 'AIRFLOW_VAR_EMPTY', value: '' },
    { name: 'AIRFLOW_VAR_API_TOKEN', valueFrom: { secretKeyRef: { name: 'mine', key: 'key' } } },
  ]);
});

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, AirflowVariable[], string]>([
    ['a variable is there twice', [AirflowVariable.of('a', '1'), AirflowVariable.of('a', '2')], "'variables' must contain each name only once, got 'a' twice"],
    ['a variable is there with a value and a secret', [AirflowVariable.of('a', '1'), AirflowVariable.fromSecret('a', secret)], "'variables' must contain each name only once, got 'a' twice"],
    ['a key has other characters', [AirflowVariable.of('a-b', '1')], "'variables.key' must be letters, digits and _, got 'a-b'"],
    ['the key of a secret has other characters', [AirflowVariable.fromSecret('1a', secret)], "'variables.key' must be letters, digits and _, got '1a'"],
    ['a key names a password', [AirflowVariable.of('smtp_password', 'x')],
      "'variables.smtp_password' must not contain a secret in plain text; use AirflowVariable.fromSecret()"],
    ['a value is a SecretValue', [AirflowVariable.of('a', SecretValue.secretsManager('a').unsafeUnwrap())],
      "'variables.a' must not contain a SecretValue, which would reach the cluster as the text '{{resolve:...'; use an AirflowSecret"],
    ['a value is a private key', [AirflowVariable.of('a', PEM)],
      "'variables.a' must not contain a private key in plain text; use AirflowVariable.fromSecret()"],
  ])('fails when %s', (_name, given, message) => {
    expect(() => synthAirflow({ chart: chart(), variables: given })).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});
