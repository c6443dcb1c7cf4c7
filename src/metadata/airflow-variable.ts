import { Construct } from 'constructs';
import { checkNoSecret } from '../config/plain-text';
import { AirflowSecret } from '../secrets/airflow-secret';
import { checkFormat, checkTexts, checkUnique, fail } from '../validation';

/**
 * An Airflow variable, whose value DAGs read by its key.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/howto/variable.html
 * @example
 * declare const license: secretsmanager.ISecret;
 *
 * const variables = [
 *   AirflowVariable.of('stage', 'production'),
 *   AirflowVariable.fromSecret('license', AirflowSecret.fromSecretsManager(license)),
 * ];
 */
export class AirflowVariable {
  /**
   * A variable with a value in plain text.
   *
   * Everyone who can read the template can read the value. Keys of secrets, such as `api_key`, are refused when the variable is used.
   *
   * @param key the key: letters, digits and `_`, not beginning with a digit; with the official chart, keys must not differ only in case
   * @param value the value
   */
  public static of(key: string, value: string): AirflowVariable {
    return new AirflowVariable(key, { kind: 'text', value });
  }

  /**
   * A variable whose value is a secret.
   *
   * @param key the key: letters, digits and `_`, not beginning with a digit; with the official chart, keys must not differ only in case
   * @param secret the value
   */
  public static fromSecret(key: string, secret: AirflowSecret): AirflowVariable {
    return new AirflowVariable(key, { kind: 'secret', secret });
  }

  private constructor(
    /** The key. */
    public readonly key: string,
    /** @internal */
    public readonly _value: { readonly kind: 'text'; readonly value: string } | { readonly kind: 'secret'; readonly secret: AirflowSecret },
  ) {}
}

/** Checks the keys of variables, and that none contains a secret in plain text. */
export function checkVariables(scope: Construct, variables: AirflowVariable[]): void {
  checkUnique(scope, 'variables', variables.map(({ key }) => key));
  for (const { key, _value: variable } of variables) {
    if (variable === undefined) {
      fail(scope, `'variables.${key}' must be made by AirflowVariable.of() or AirflowVariable.fromSecret(), got another object`);
    }
    checkFormat(scope, 'variables.key', key, /^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and _');
    if (variable.kind === 'text') {
      checkTexts(scope, 'variables', { [key]: variable.value });
      checkNoSecret(scope, 'variables', { [key]: variable.value });
    }
  }
}
