import { Stack, Token, Tokenization } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { fail } from '../validation';

/** What to do with a secret, by the prop that contains it. */
const WAYS_OUT: Record<string, string> = {
  config: "use 'environmentSecrets' with this name",
  environment: "use 'environmentSecrets' with this name",
  connections: "store it in AWS Secrets Manager and use 'password', 'loginSecret' or 'extraSecret' with AirflowSecret.fromSecretsManager()",
  database: 'remove it, because PgBouncer needs only the certificates',
  variables: 'use AirflowVariable.fromSecret()',
  gitSync: "use 'gitSync.auth' with GitAuth.http()",
  helmValues: "use 'environmentSecrets', or name a Kubernetes Secret of your own",
};
const STORE = 'store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()';

/**
 * Fails if a value contains a secret, at any depth: it would be readable in the template, and in the log of the function that runs helm.
 *
 * A secret is
 * 1. text that is one by its form: a private key, a URL with a password or a token, a token of a well-known service, a pair of AWS access keys,
 *    the contents of a Kubernetes Secret;
 * 2. text whose name ends in a word for a secret, such as `password`, `token` or `access_key`. A name is the key of a map, that of an environment
 *    variable, of a field of JSON, of a parameter in a URL or in a list of arguments, and of an assignment in text.
 *
 * Under such a name, these are no secrets: empty text, `true` and `false`, and references: a path, an ARN, `$(NAME)`, a template. So are options of
 * Airflow that end in `_cmd` or `_secret` after the name of a secret, and chart values that name a Kubernetes Secret, such as `existingSecret`.
 *
 * Dynamic references are refused as well, because CloudFormation does not resolve them in a custom resource.
 */
export function checkNoSecret(scope: Construct, prop: string, value: unknown): void {
  new SecretSearch(scope).visit(prop, '', value);
}

/** Fails if one of several props contains a secret. */
export function checkPlainText(scope: Construct, props: object): void {
  Object.entries(props).forEach(([prop, value]) => checkNoSecret(scope, prop, value));
}

class SecretSearch {
  constructor(private readonly scope: Construct) {}

  /** `name` is what the value is called, if it is called anything. */
  public visit(path: string, name: string, value: unknown): void {
    if (Token.isUnresolved(value)) {
      this.visitToken(path, name, value);
    } else if (typeof value === 'string') {
      this.visitText(path, name, value);
    } else if (typeof value === 'number' && isSecretName(path, name)) {
      this.found(path, 'a secret');
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => {
        const flag = /^--?([\w-]+)$/.exec(typeof value[index - 1] === 'string' ? value[index - 1] : '')?.[1];
        this.visit(`${path}.${nameOf(item) ?? index}`, flag ?? name, item);
      });
    } else if (isMap(value)) {
      this.visitMap(path, value);
    }
  }

  private visitMap(path: string, map: Record<string, unknown>): void {
    if (map.kind === 'Secret' && (map.data ?? map.stringData)) {
      this.found(path, 'the contents of a Kubernetes Secret');
    }
    for (const [key, value] of Object.entries(map)) {
      this.visit(path, '', Token.isUnresolved(key) ? key : undefined);
      // The list of environment variables of a container has the name beside the value.
      this.visit(`${path}.${key}`, key === 'value' && typeof map.name === 'string' ? map.name : key, value);
    }
  }

  private visitToken(path: string, name: string, value: unknown): void {
    const resolved = JSON.stringify(Stack.of(this.scope).resolve(value)) ?? '';
    if (resolved.includes('{{resolve:')) {
      this.foundReference(path);
    }
    // Whatever the token stands for: CloudFormation writes it in plain text.
    const text = typeof value === 'string' ? Tokenization.reverseString(value).mapTokens({ mapToken: () => 'token' }).join({ join: (a, b) => `${a}${b}` }) : 'token';
    this.visitText(path, name, text);
  }

  private visitText(path: string, name: string, text: string): void {
    if (text.includes('{{resolve:')) {
      this.foundReference(path);
    }
    const form = FORMS.find(({ isIn }) => isIn(text));
    if (form) {
      this.found(path, form.description);
    }
    if (isSecretName(path, name) && !isReference(text)) {
      this.found(path, 'a secret');
    }
    const json = jsonOf(text);
    if (json !== undefined) {
      return this.visit(path, '', json);
    }
    for (const [, assigned, value] of ASSIGNMENTS.flatMap((assignment) => [...text.matchAll(assignment)])) {
      if (isSecretName(path, assigned) && !isReference(value)) {
        this.found(`${path}.${assigned}`, 'a secret');
      }
    }
  }

  private found(path: string, what: string): never {
    fail(this.scope, `'${path}' must not contain ${what} in plain text; ${WAYS_OUT[path.split('.')[0]] ?? STORE}`);
  }

  private foundReference(path: string): never {
    fail(this.scope, `'${path}' must not contain a SecretValue, which would reach the cluster as the text '{{resolve:...'; use an AirflowSecret`);
  }
}

/**
 * Words in which the names of secrets end.
 *
 * @see https://airflow.apache.org/docs/apache-airflow/stable/security/secrets/mask-sensitive-values.html
 */
const SECRET_NAME = new RegExp(`(${[
  'password', 'passwd', 'passphrase', '(^|_|db|pg|user)pass', '(^|_)pwd', 'secret', 'token', 'credentials?', 'authorization', 'basic_auth',
  '(api|access|secret|private|fernet|signing|encryption|account|storage)_?key', 'sql_alchemy_conn', 'broker_url', 'result_backend', 'sentry_dsn', 'connection_string',
].join('|')})(_?\\d+)?$`);

/** Camel case, in which charts name Kubernetes Secrets and their keys. The exceptions are secrets by themselves. */
const KUBERNETES_SECRET = /(?<!(client|app|application|consumer|shared|jwt|webhook))Secret(Key)?$/;

function isSecretName(path: string, name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[^A-Za-z0-9]+/g, '_').toLowerCase();
  if (!SECRET_NAME.test(words)) {
    return false;
  }
  const ofAirflow = /^((helmValues\.)?config\.|.*\bAIRFLOW__)/.test(path);
  const reference = ofAirflow && SECRET_NAME.test(words.replace(/_secret$/, '')) && words.endsWith('_secret')
    || path.startsWith('helmValues.') && KUBERNETES_SECRET.test(name);
  return !reference;
}

/** Whether text under the name of a secret only says where the secret is. */
function isReference(text: string): boolean {
  return /^\s*(true|false|yes|no|on|off|null|none)?\s*$/i.test(text)
    || /^(\.{0,2}|~)\/[\w.@/-]+$/.test(text)
    || /^(file:|arn:aws[\w-]*:)/.test(text)
    || /^(\$\(\w+\)|\$\{?\w+\}?|\{\{.*\}\}|<[^<>]*>|\*+)$/s.test(text);
}

/** Tokens of services that scanners find by their form, too. */
const SERVICE_TOKENS = [
  /\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}/, // GitHub
  /\bgl[a-z]{2,6}-[\w-]{20,}/, // GitLab
  /\bxox[a-z]-[\w-]{10,}|\bxapp-[\w-]{10,}|hooks\.slack\.com\/(services|workflows)\/\w+/, // Slack
  /\b[sr]k_live_\w{10,}|\bsk-(ant|proj)-[\w-]{10,}|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}/, // Stripe, Anthropic, OpenAI, Google
  /\bnpm_\w{30,}|\bpypi-[\w-]{30,}|\bdckr_pat_[\w-]{20,}|\bhf_\w{30,}|\bdapi[0-9a-f]{32}\b|\bATATT3[\w=-]{20,}/, // registries, Databricks, Atlassian
  /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*/, // a JSON web token
  /\b(Bearer|Basic) [\w+/.~-]{20,}/,
];

/** Secrets by their form. */
const FORMS: { readonly description: string; readonly isIn: (text: string) => boolean }[] = [
  { description: 'a private key', isIn: (text) => [text, ...decoded(text)].some((pem) => /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(pem)) },
  { description: 'a URL with a password', isIn: (text) => passwordsOf(text).some((password) => !isReference(password)) },
  { description: 'a URL with a token', isIn: (text) => usersOf(text).some((user) => /^(?=\D*\d)(?=.*[a-z])[\w.-]{20,}$/i.test(user)) },
  { description: 'a token', isIn: (text) => SERVICE_TOKENS.some((token) => token.test(text)) },
  {
    description: 'AWS access keys',
    isIn: (text) => /\b(AKIA|ASIA)[A-Z0-9]{16}\b/.test(text) && /(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/.test(text),
  },
  { description: 'the contents of a Kubernetes Secret', isIn: (text) => /^\s*kind: *["']?Secret["']?\s*$/m.test(text) && /^\s*(data|stringData):/m.test(text) },
];

/** The beginnings of PEM files that are in base64. */
function decoded(text: string): string[] {
  return [...text.matchAll(/LS0tLS1CRUdJTi[\w+/]{10,60}/g)].map(([base64]) => Buffer.from(base64, 'base64').toString());
}

/** The passwords in the URLs of a text. A port with a query is none. */
function passwordsOf(text: string): string[] {
  return [...text.matchAll(/\w:\/\/[^/\s:@"'?#]*:((?!\d+[?#])[^/\s"']+)@/g)].map(([, password]) => password);
}

/** The users without a password in the URLs of a text. Those of SSH name a key, which is public. */
function usersOf(text: string): string[] {
  return [...text.matchAll(/(?<!\bssh):\/\/([^/\s:@"'?#]+)@/g)].map(([, user]) => user);
}

/** A name and the text that is assigned to it: in quotes, as a parameter, or alone on its line. */
const ASSIGNMENTS = [
  /([\w.-]+)["']?\s*(?::|=>?)\s*["']([^"'\n]+)["']/g,
  /(?<![\w.-])([\w.-]+)=([^\s;&,"'()[\]{}]+)(?![\w(.[-])/g, // not the result of a call
  /^[\s-]*([\w.-]+):[ \t]+([^\s"'()[\]{}]+)\s*$/gm,
];

function jsonOf(text: string): unknown {
  try {
    return /^\s*[[{]/.test(text) ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  const prototype = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : undefined;
  return prototype === Object.prototype || prototype === null;
}

/** What identifies an item of a list, for the path in an error. */
function nameOf(item: any): string | undefined {
  return isMap(item) ? [item.id, item.username, item.name].find((name): name is string => typeof name === 'string') : undefined;
}
