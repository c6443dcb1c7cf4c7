import { AirflowOnEksProps, AirflowSecret, SecretsBackend } from '../../src';
import { configurationSettings } from '../../src/config/configuration';
import { CHARTS_UNDER_TEST, newStack, synthAirflow, synthCommunity, valuesOf } from '../util';

const secret = AirflowSecret.fromKubernetesSecret('mine', 'key');
const settings = (props: Partial<AirflowOnEksProps>, owned = {}) => configurationSettings(newStack(), props, owned);

test('defaults', () => {
  expect(settings({})).toEqual({ config: {}, environment: {}, environmentSecrets: {} });
});

test('custom: options become environment variables, and all are sorted', () => {
  const found = settings({
    config: { 'core.parallelism': '64', 'celery.worker_concurrency': '8' },
    environment: { STAGE: 'dev', A: '1' },
    environmentSecrets: { slack: secret, Z: secret },
  });
  expect(found).toEqual({
    config: { AIRFLOW__CELERY__WORKER_CONCURRENCY: '8', AIRFLOW__CORE__PARALLELISM: '64' },
    environment: { A: '1', STAGE: 'dev' },
    environmentSecrets: { Z: secret, slack: secret },
  });
  expect(Object.values(found).map((variables) => Object.keys(variables))).toEqual([
    ['AIRFLOW__CELERY__WORKER_CONCURRENCY', 'AIRFLOW__CORE__PARALLELISM'], ['A', 'STAGE'], ['Z', 'slack'],
  ]);
});

test.each([
  ['kubernetes_executor.namespace', 'AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE'],
  ['my-section.key', 'AIRFLOW__MY_SECTION__KEY'],
  ['common.io.xcom_objectstorage_path', 'AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH'],
])('the environment variable of %s', (option, name) => {
  expect(settings({ config: { [option]: '1' } }).config).toEqual({ [name]: '1' });
});

test('a secret may come from a command or a secrets backend', () => {
  expect(settings({ config: { 'smtp.smtp_password_cmd': 'cat /run/smtp', 'smtp.smtp_password_secret': 'smtp' } }).config).toEqual({
    AIRFLOW__SMTP__SMTP_PASSWORD_CMD: 'cat /run/smtp', AIRFLOW__SMTP__SMTP_PASSWORD_SECRET: 'smtp',
  });
});

test('environment variables reach both charts', () => {
  const props = { config: { 'core.parallelism': '64' }, environment: { STAGE: 'dev' }, environmentSecrets: { SLACK_WEBHOOK: secret } };
  const webhook = { name: 'SLACK_WEBHOOK', valueFrom: { secretKeyRef: { name: 'mine', key: 'key' } } };
  const { airflow } = valuesOf(synthCommunity(props).template);
  expect(airflow.config).toMatchObject({ AIRFLOW__CORE__PARALLELISM: '64', AIRFLOW__CORE__LOAD_EXAMPLES: 'False' });
  expect(airflow.extraEnv.slice(-2)).toEqual([{ name: 'STAGE', value: 'dev' }, webhook]);
  expect(valuesOf(synthAirflow(props).template).extraEnv.split('\n').map((line: string) => JSON.parse(line.replace('- ', '')))).toEqual([
    { name: 'STAGE', value: 'dev' }, webhook, { name: 'AIRFLOW__CORE__PARALLELISM', value: '64' },
  ]);
});

const NAMES = 'must be names of environment variables, got';
const TWICE = "'config, environment and environmentSecrets' must contain each name only once, got";

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, Partial<AirflowOnEksProps>, string]>([
    ['an option has no section', { config: { parallelism: '1' } }, "'config' must be configuration options as 'section.key', got 'parallelism'"],
    ['the name of an environment variable is not valid', { environment: { 'A-B': '1' } }, `'environment' ${NAMES} 'A-B'`],
    ['the name of an environment secret begins with a digit', { environmentSecrets: { '1a': secret } }, `'environmentSecrets' ${NAMES} '1a'`],
    ['the name of an environment secret is not exact', { environmentSecrets: { 'slack-webhook': secret } }, `'environmentSecrets' ${NAMES} 'slack-webhook'`],
    ['a variable is set by two props', { environment: { SLACK: 'x' }, environmentSecrets: { SLACK: secret } }, `${TWICE} 'SLACK' twice`],
    ['an option is also an environment variable', { config: { 'core.parallelism': '1' }, environment: { AIRFLOW__CORE__PARALLELISM: '2' } },
      `${TWICE} 'AIRFLOW__CORE__PARALLELISM' twice`],
    ['an option is one of another prop', { config: { 'core.executor': 'LocalExecutor' } }, "'config' must not set AIRFLOW__CORE__EXECUTOR, which 'executor' sets; use 'executor'"],
    ['an environment variable is one of another prop', { environment: { AIRFLOW__CORE__FERNET_KEY: 'x' } },
      "'environment' must not set AIRFLOW__CORE__FERNET_KEY, which 'secrets.fernetKey' sets; use 'secrets.fernetKey'"],
    ['an environment secret is one of another prop', { environmentSecrets: { AIRFLOW__CORE__FERNET_KEY: secret } },
      "'environmentSecrets' must not set AIRFLOW__CORE__FERNET_KEY, which 'secrets.fernetKey' sets; use 'secrets.fernetKey'"],
    ['an option is one of the secrets backend', { config: { 'secrets.backend': 'x' }, secretsBackend: SecretsBackend.secretsManager('airflow') },
      "'config' must not set AIRFLOW__SECRETS__BACKEND, which 'secretsBackend' sets; use 'secretsBackend'"],
  ])('fails when %s', (_name, props, message) => {
    expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});
