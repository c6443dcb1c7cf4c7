import { SecretValue } from 'aws-cdk-lib';
import secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
import { IConstruct } from 'constructs';
import { fail } from '../validation';

/** A key of a Kubernetes Secret, as pods refer to it. */
export interface SecretKeyRef {
  readonly name: string;
  readonly key: string;
}

/** A secret in AWS Secrets Manager, or one field of its JSON. */
export interface SecretsManagerSource {
  readonly kind: 'SecretsManager';
  readonly secret: secretsmanager.ISecret;
  readonly field?: string;
}

interface KubernetesSource extends SecretKeyRef {
  readonly kind: 'Kubernetes';
}

/**
 * A reference to a secret value.
 *
 * The value itself is never part of the CDK app, the template or the Helm release.
 *
 * @example
 * declare const slack: secretsmanager.ISecret; // {"token": "..."}
 *
 * const token = AirflowSecret.fromSecretsManager(slack, 'token');
 */
export class AirflowSecret {
  /**
   * A secret in AWS Secrets Manager, or one field of a secret that is a JSON object.
   *
   * The External Secrets operator copies it into the cluster and refreshes it every hour. Environment variables follow when the pods restart. The
   * secret must exist in the Region of the deployment: if it is missing, the deployment fails after three minutes.
   *
   * A secret with a customer managed KMS key must be imported with its `encryptionKey`, so that the operator is granted to decrypt it.
   *
   * @param secret the secret
   * @param field the name of the field; without a name, the whole secret string is the value
   * @see https://external-secrets.io/latest/provider/aws-secrets-manager/
   */
  public static fromSecretsManager(secret: secretsmanager.ISecret, field?: string): AirflowSecret {
    return new AirflowSecret({ kind: 'SecretsManager', secret, field });
  }

  /**
   * A key of a Kubernetes Secret of your own in the namespace of the deployment.
   *
   * The first deployment creates the namespace: create the Secret while Helm waits for the pods, which do not start without it. Where a chart can
   * read the secret only under another key, or only from AWS Secrets Manager, an error at synthesis states what it needs.
   *
   * @param name the name of the Kubernetes Secret
   * @param key the key in its `data`
   * @see https://kubernetes.io/docs/concepts/configuration/secret/
   */
  public static fromKubernetesSecret(name: string, key: string): AirflowSecret {
    return new AirflowSecret({ kind: 'Kubernetes', name, key });
  }

  private constructor(
    /** @internal */
    public readonly _source: SecretsManagerSource | KubernetesSource,
  ) {}
}

/** Fails if a secret is in plain text, which JavaScript and Python can pass. */
export function checkIsSecret(scope: IConstruct, prop: string, secret: unknown): asserts secret is AirflowSecret {
  if (!(secret instanceof AirflowSecret)) {
    fail(scope, `'${prop}' must be an AirflowSecret, not a value in plain text; use AirflowSecret.fromSecretsManager()`);
  }
}

/** The value of a secret, for a property of a CloudFormation resource, in which CloudFormation resolves it. */
export function secretValueOf(scope: IConstruct, prop: string, secret: AirflowSecret): SecretValue {
  checkIsSecret(scope, prop, secret);
  const { _source: source } = secret;
  if (source.kind === 'Kubernetes') {
    fail(scope, `'${prop}' must be in AWS Secrets Manager, where CloudFormation reads it, got the Kubernetes Secret '${source.name}'`);
  }
  return source.field === undefined ? source.secret.secretValue : source.secret.secretValueFromJson(source.field);
}

/** The construct of a secret in AWS Secrets Manager. */
export function secretOf(value?: AirflowSecret): secretsmanager.ISecret | undefined {
  // Plain text, which JavaScript and Python can pass, is refused later with the name of its prop.
  return value instanceof AirflowSecret && value._source.kind === 'SecretsManager' ? value._source.secret : undefined;
}
