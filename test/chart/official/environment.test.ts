import { Fn, Token } from 'aws-cdk-lib';
import { environmentOf, ODD, officialValues, synthOfficial } from './util';
import { AirflowSecret, AirflowVariable, SecretsBackend } from '../../../src';
import { Props, remoteSecret, valuesOf } from '../../util';
import { writtenSecrets } from '../templates';

test('defaults: no variables', () => {
  expect(officialValues().extraEnv).toBe('');
});

describe('custom', () => {
  test('connections, variables, configuration options and environment are variables of all containers', () => {
    const environment = environmentOf(officialValues({
      connections: [{ id: 'aws.main', type: 'aws', login: ODD, extra: '{"region_name":"eu-central-1"}', description: ODD, port: 1 }],
      variables: [AirflowVariable.of('Stage', ODD)],
      config: { 'logging.log_filename_template': 'dag_id={{ ti.dag_id }}/$x' },
      environment: { PLAIN: '$(HOME)/x' },
    }));
    expect(JSON.parse(environment['AIRFLOW_CONN_AWS.MAIN'])).toEqual({
      conn_type: 'aws', login: ODD, extra: '{"region_name":"eu-central-1"}', description: ODD, port: 1,
    });
    expect(environment).toMatchObject({
      AIRFLOW_VAR_STAGE: ODD,
      AIRFLOW__LOGGING__LOG_FILENAME_TEMPLATE: 'dag_id={{ ti.dag_id }}/$x',
      PLAIN: '$(HOME)/x', // expanded by Kubernetes, as in any container
    });
  });

  test('a connection with secrets is JSON that the operator writes', () => {
    const { template } = synthOfficial((stack) => ({
      connections: [{
        id: 'warehouse',
        type: 'postgres',
        host: ODD,
        port: 5432,
        schema: 'x',
        loginSecret: remoteSecret(stack, 'db', 'user'),
        password: remoteSecret(stack, 'db', 'password'),
        extraSecret: remoteSecret(stack, 'db', 'extra'),
      }],
      variables: [AirflowVariable.fromSecret('license', remoteSecret(stack, 'license'))],
      environmentSecrets: { SLACK_WEBHOOK: remoteSecret(stack, 'slack') },
    }));
    expect(environmentOf(valuesOf(template))).toEqual({
      AIRFLOW_CONN_WAREHOUSE: { name: 'airflow-secret', key: 'connection-warehouse' },
      AIRFLOW_VAR_LICENSE: { name: 'airflow-secret', key: 'variable-license' },
      SLACK_WEBHOOK: { name: 'airflow-secret', key: 'SLACK_WEBHOOK' },
    });
    const written = writtenSecrets(template, (key, field) => `${key} ${field} "<&>\\ ${ODD}`)['airflow-secret'];
    expect(JSON.parse(written['connection-warehouse'])).toEqual({
      conn_type: 'postgres',
      host: ODD,
      port: 5432,
      schema: 'x',
      login: `db user "<&>\\ ${ODD}`,
      password: `db password "<&>\\ ${ODD}`,
      extra: `db extra "<&>\\ ${ODD}`,
    });
    expect(written['variable-license']).toBe(`license undefined "<&>\\ ${ODD}`);
  });

  test('text from other resources', () => {
    const environment = environmentOf(officialValues({
      connections: [{ id: 'db', type: 'postgres', host: Fn.importValue('Host'), port: Token.asNumber(Fn.importValue('Port')) }],
      config: { 'logging.remote_base_log_folder': `s3://${Fn.importValue('Bucket')}/$logs` },
    }));
    expect(environment).toEqual({
      AIRFLOW_CONN_DB: '{"conn_type":"postgres","host":"<Fn::ImportValue>","port":<Fn::ImportValue>}',
      AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER: 's3://<Fn::ImportValue>/$logs',
    });
  });

  test('a secrets backend', () => {
    const environment = environmentOf(officialValues({ secretsBackend: SecretsBackend.secretsManager('prod/airflow') }));
    expect(environment.AIRFLOW__SECRETS__BACKEND).toBe('airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend');
    expect(JSON.parse(environment.AIRFLOW__SECRETS__BACKEND_KWARGS)).toEqual({
      connections_prefix: 'prod/airflow/connections', variables_prefix: 'prod/airflow/variables', config_prefix: 'prod/airflow/config',
    });
  });
});

const twice = (name: string) => "'connections', 'variables', 'environmentSecrets', 'environment' and 'config' must set each environment variable only once,"
  + ` got '${name}' twice; connections and variables whose names differ only in case set the same one`;

test.each<[string, Props, string]>([
  ['two variables differ only in case', { variables: [AirflowVariable.of('a', '1'), AirflowVariable.of('A', '2')] }, twice('AIRFLOW_VAR_A')],
  ['two connections differ only in case', { connections: [{ id: 'a', type: 'http' }, { id: 'A', type: 'http' }] }, twice('AIRFLOW_CONN_A')],
  ['the environment sets a variable of AirflowVariable', { variables: [AirflowVariable.of('a', '1')], environment: { AIRFLOW_VAR_A: '2' } }, twice('AIRFLOW_VAR_A')],
  ['the chart sets the variable', { environment: { AIRFLOW_HOME: '/x' } }, twice('AIRFLOW_HOME')],
  ['a connection has a Kubernetes Secret', { connections: [{ id: 'db', type: 'postgres', password: AirflowSecret.fromKubernetesSecret('mine', 'pw') }] },
    "'connections.db.password' is the Kubernetes Secret 'mine', but this chart needs the value as a part of 'airflow-secret';"
    + ' store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'],
])('fails when %s', (_name, props, message) => {
  expect(() => synthOfficial(props)).toThrow(new Error(`Data/Airflow: ${message}`));
});
