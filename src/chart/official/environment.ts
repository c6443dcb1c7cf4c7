import { Tokenization } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Generation } from './generation';
import { AirflowKeys } from './keys';
import { envVar, verbatim } from './text';
import { AirflowConnection } from '../../metadata/airflow-connection';
import { AirflowSecret } from '../../secrets/airflow-secret';
import { composedKey, SecretKey, userSecretName } from '../../secrets/secret-key';
import { fail } from '../../validation';
import { AirflowSettings, ChartPart } from '../chart-definition';
import { Environment, EnvVar, fromSecret, userEnvironment } from '../environment';
import { variableKey } from '../user-keys';

/** The environment variables of all Airflow containers: those of the user, configuration options, connections and variables. */
export function airflowEnvironment(scope: Construct, settings: AirflowSettings, { baseUrl }: Generation, keys: AirflowKeys): Environment {
  const user = userEnvironment(scope, settings);
  const options = Object.entries(settings.config).filter(([name]) => name !== baseUrl.variable).map(([name, value]) => envVar(name, value));
  const metadata = [
    ...settings.connections.map((connection) => connectionVariable(scope, settings.name, connection)),
    ...settings.variables.map(({ key, _value: variable }) => {
      const name = `AIRFLOW_VAR_${key.toUpperCase()}`;
      return variable.kind === 'secret' ? secretVariable(name, variableKey(scope, settings.name, key, variable.secret)) : { variable: envVar(name, variable.value) };
    }),
  ];
  const variables = [...user.variables, ...options, ...metadata.map(({ variable }) => variable)];
  checkNames(scope, [...Object.keys(keys), ...variables.map(({ name }) => name)]);
  return { variables, keys: [...user.keys, ...metadata.flatMap(({ key }) => key ?? [])] };
}

export function environmentValues({ variables, keys }: Environment): ChartPart {
  return { values: { extraEnv: variables.map((variable) => `- ${verbatim(JSON.stringify(variable))}`).join('\n') }, keys };
}

function checkNames(scope: Construct, given: string[]): void {
  const names = ['AIRFLOW_HOME', 'AIRFLOW_CONN_AIRFLOW_DB', ...given];
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate) {
    fail(scope, "'connections', 'variables', 'environmentSecrets', 'environment' and 'config' must set each environment variable only once,"
      + ` got '${duplicate}' twice; connections and variables whose names differ only in case set the same one`);
  }
}

interface Variable { readonly variable: EnvVar; readonly key?: SecretKey }

function secretVariable(name: string, key: SecretKey): Variable {
  return { variable: fromSecret(name, key), key };
}

/** A connection as JSON, into which the operator writes the secrets, so that none of them needs to be valid in a URL. */
function connectionVariable(scope: Construct, release: string, connection: AirflowConnection): Variable {
  const { id, type, description, host, port, schema, login, extra, loginSecret, password, extraSecret } = connection;
  const plain = [
    ...Object.entries({ conn_type: type, description, host, schema, login, extra })
      .filter(([, text]) => text !== undefined).map(([field, text]) => `"${field}":${JSON.stringify(text)}`),
    ...port === undefined ? [] : [`"port":${Tokenization.stringifyNumber(port)}`],
  ];
  const secrets = Object.entries({ login: loginSecret, password, extra: extraSecret })
    .filter((field): field is [string, AirflowSecret] => field[1] !== undefined);
  const name = `AIRFLOW_CONN_${id.toUpperCase()}`;
  if (secrets.length === 0) {
    return { variable: envVar(name, `{${plain.join()}}`) };
  }
  return secretVariable(name, composedKey(
    scope,
    { name: userSecretName(release), key: `connection-${id}` },
    Object.fromEntries(secrets.map(([field, secret]) => [`connections.${id}.${field}`, secret])),
    (...variables) => `{${[...plain.map(verbatim), ...secrets.map(([field], index) => `"${field}":{{ .${variables[index]} | toJson }}`)].join()}}`,
  ));
}
