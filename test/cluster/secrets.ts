/**
 * Stands in for AWS Secrets Manager: a file with a JSON object of values by name or ARN. Values of secrets that an app refers to are
 * written into it by hand; those of secrets that an app creates are generated.
 */
import { randomInt } from 'crypto';
import { existsSync, readFileSync, writeFileSync } from 'fs';
import { Value } from './intrinsics';
import { Properties } from './provider';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export class Secrets {
  constructor(private readonly file: string) {}

  public create(arn: string, { GenerateSecretString: generate = {} }: Properties): void {
    const { PasswordLength = 32, GenerateStringKey, SecretStringTemplate = '{}' } = generate;
    const random = Array.from({ length: Number(PasswordLength) }, () => LETTERS[randomInt(LETTERS.length)]).join('');
    const value = GenerateStringKey ? JSON.stringify({ ...JSON.parse(SecretStringTemplate), [GenerateStringKey]: random }) : random;
    this.write({ ...this.read(), [arn]: value });
  }

  public delete(arn: string): void {
    const { [arn]: _deleted, ...rest } = this.read();
    this.write(rest);
  }

  /** A store of the External Secrets operator that holds the values itself. Secrets without a value are missing in it, as they would be in AWS. */
  public provider(keys: string[]): Value {
    const values = this.read();
    return { fake: { data: [...new Set(keys)].filter((key) => key in values).map((key) => ({ key, value: values[key] })) } };
  }

  private read(): Record<string, string> {
    return existsSync(this.file) ? JSON.parse(readFileSync(this.file, 'utf8')) : {};
  }

  private write(values: Record<string, string>): void {
    writeFileSync(this.file, JSON.stringify(values, undefined, 1), { mode: 0o600 });
  }
}
