import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AirflowOnEks, SecretsBackend } from '../../src';
import { CHARTS_UNDER_TEST, importedCluster, Json, newApp, newStack, synthAirflow, synthCommunity, valuesOf } from '../util';

const KWARGS = { connections_prefix: 'airflow/connections', variables_prefix: 'airflow/variables', config_prefix: 'airflow/config' };
const BACKEND = 'airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend';

/** The statements in the role of the pods. */
function statementsOf(template: Template): Json[] {
  const [role] = Object.values(template.findResources('AWS::IAM::Role', { Properties: { Description: "Pods and DAGs of the Airflow deployment 'airflow'" } }));
  return (role.Properties.Policies ?? []).flatMap(({ PolicyDocument }: Json) => PolicyDocument.Statement);
}

test('defaults: no backend', () => {
  const { template } = synthCommunity();
  expect(Object.keys(valuesOf(template).airflow.config).filter((name) => name.startsWith('AIRFLOW__SECRETS'))).toEqual([]);
  expect(statementsOf(template)).toEqual([]);
});

test('AWS Secrets Manager: options of Airflow', () => {
  const props = { secretsBackend: SecretsBackend.secretsManager('airflow') };
  const { config } = valuesOf(synthCommunity(props).template).airflow;
  expect(config.AIRFLOW__SECRETS__BACKEND).toBe(BACKEND);
  expect(JSON.parse(config.AIRFLOW__SECRETS__BACKEND_KWARGS)).toEqual(KWARGS);
  const variables = valuesOf(synthAirflow(props).template).extraEnv.split('\n').map((line: string) => JSON.parse(line.replace('- ', '')));
  expect(variables.map(({ name }: Json) => name)).toEqual(['AIRFLOW__SECRETS__BACKEND', 'AIRFLOW__SECRETS__BACKEND_KWARGS']);
});

test('AWS Secrets Manager: permissions for the prefix, and for nothing else', () => {
  expect(statementsOf(synthAirflow({ secretsBackend: SecretsBackend.secretsManager('data/airflow') }).template)).toEqual([{
    Action: 'secretsmanager:GetSecretValue',
    Effect: 'Allow',
    Resource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':secretsmanager:eu-central-1:123456789012:secret:data/airflow/*']] },
  }]);
});

test('one backend can be used by two deployments', () => {
  const secretsBackend = SecretsBackend.secretsManager('airflow');
  const stack = new Stack(newApp(), 'Data');
  const cluster = importedCluster(stack);
  for (const namespace of ['one', 'two']) {
    expect(() => new AirflowOnEks(stack, namespace, { cluster, namespace, secretsBackend })).not.toThrow();
  }
});

test.each(['a', 'a/b', 'team+data=1.@-_'])('a prefix: %s', (prefix) => {
  expect(() => SecretsBackend.secretsManager(prefix)._bind(newStack())).not.toThrow();
});

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each(['/airflow', 'airflow/', '', 'air*', 'a b'])("fails when the prefix is '%s'", (prefix) => {
    expect(() => synthAirflow({ chart: chart(), secretsBackend: SecretsBackend.secretsManager(prefix) })).toThrow(new Error(
      `Data/Airflow: 'secretsBackend' must be a prefix of secret names without a leading or trailing /, got '${prefix}'`));
  });
});
