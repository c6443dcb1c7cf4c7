import { SecretTemplate } from './secret-key';

/**
 * Go templates for the External Secrets operator.
 *
 * @see https://external-secrets.io/latest/guides/templating/
 */

/** Encodes each 32 letters and digits as a Fernet key, and leaves Fernet keys unchanged, alone and in a list for rotation. */
export const fernetTemplate: SecretTemplate = (variable) =>
  `{{ $keys := list }}{{ range splitList "," (trim .${variable}) }}{{ $keys = append $keys (eq (len .) 32 | ternary (b64enc .) .) }}{{ end }}{{ join "," $keys }}`;

/** Restores the line end that a private key must have and that secret stores remove. */
export const privateKeyTemplate: SecretTemplate = (variable) => `{{ .${variable} | replace "\\r" "" | trim }}\n`;

/** The user and the password of Flower. */
export const flowerTemplate: SecretTemplate = (password) => `airflow:{{ .${password} }}`;

/** The value of a variable, as a part of a URL. */
export function inUrl(variable: string): string {
  return `{{ .${variable} | urlquery | replace "+" "%20" }}`;
}
