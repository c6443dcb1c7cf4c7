import { ArnFormat, Stack } from 'aws-cdk-lib';
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { checkFormat } from '../validation';

/** A secrets backend, as configuration options of Airflow and as permissions of its pods. */
export interface SecretsBackendSettings {
  readonly config: Record<string, string>;
  readonly statements: iam.PolicyStatement[];
}

/**
 * A secrets backend, in which Airflow looks up connections and variables before the environment and its database.
 *
 * @example
 * declare const cluster: eks.ICluster;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   secretsBackend: SecretsBackend.secretsManager('airflow'), // reads airflow/connections/<id> and airflow/variables/<key>
 * });
 */
export class SecretsBackend {
  /**
   * AWS Secrets Manager, in the Region of the deployment.
   *
   * The secret `<prefix>/connections/<id>` contains a connection, `<prefix>/variables/<key>` a variable, and `<prefix>/config/<name>` the value of
   * a configuration option whose `_secret` variant is set to the name. All Airflow pods, and with them all DAGs, can read all secrets below the
   * prefix.
   *
   * For secrets with a customer managed KMS key, grant decryption to the deployment: `key.grantDecrypt(airflow)`. AWS bills each lookup as an API
   * call.
   *
   * @param prefix the beginning of the names of the secrets, without a leading or trailing `/`
   * @see https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/secrets-backends/aws-secrets-manager.html
   */
  public static secretsManager(prefix: string): SecretsBackend {
    return new SecretsBackend((scope) => {
      checkFormat(scope, 'secretsBackend', prefix, /^(?!\/)[\w/+=.@-]+(?<!\/)$/, 'a prefix of secret names without a leading or trailing /');
      return {
        config: {
          'secrets.backend': 'airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend',
          'secrets.backend_kwargs': JSON.stringify({
            connections_prefix: `${prefix}/connections`, variables_prefix: `${prefix}/variables`, config_prefix: `${prefix}/config`,
          }),
        },
        statements: [new iam.PolicyStatement({
          actions: ['secretsmanager:GetSecretValue'],
          resources: [Stack.of(scope).formatArn({
            service: 'secretsmanager', resource: 'secret', resourceName: `${prefix}/*`, arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          })],
        })],
      };
    });
  }

  private constructor(private readonly resolve: (scope: Construct) => SecretsBackendSettings) {}

  /** @internal */
  public _bind(scope: Construct): SecretsBackendSettings {
    return this.resolve(scope);
  }
}
