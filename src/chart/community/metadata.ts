import { Construct } from 'constructs';
import { AirflowConnection } from '../../metadata/airflow-connection';
import { copiedKey, keyRefOf, SecretKey, userSecretName } from '../../secrets/secret-key';
import { AirflowSettings, ChartPart, Values } from '../chart-definition';
import { escapeDollars } from '../environment';
import { passwordKeys, variableKey } from '../user-keys';

/**
 * Users, connections, variables and pools, which the chart synchronizes with these lists.
 *
 * A secret stands in a list as `${NAME}`; the pods of the chart read each NAME from a file.
 */
export function metadata(scope: Construct, settings: AirflowSettings): ChartPart {
  const [users, connections, variables] = [usersOf(scope, settings), connectionsOf(scope, settings), variablesOf(scope, settings)];
  return {
    values: {
      airflow: {
        users: users.list('email', 'firstName', 'lastName'),
        usersTemplates: users.templates,
        usersUpdate: true,
        connections: connections.list('host', 'login', 'schema', 'extra'),
        connectionsTemplates: connections.templates,
        connectionsUpdate: true,
        variables: variables.list('value'),
        variablesTemplates: variables.templates,
        variablesUpdate: true,
        pools: settings.pools.map(({ name, slots, description }) => ({ name, slots, description: description ?? name })),
        poolsUpdate: true,
      },
    },
    keys: [users, connections, variables].flatMap(({ keys }) => keys),
  };
}

/** One list of the chart with the templates for its secrets. */
class MetadataList {
  public readonly templates: Values = {};
  public readonly keys: SecretKey[] = [];
  private readonly items: Values[] = [];

  public add(item: Values): void {
    this.items.push(item);
  }

  /** Text that stands for a secret. */
  public reference(words: string[], key: SecretKey): string {
    // `my-db` and `my_db` are two connections with one identifier.
    let id = words.join('_').toUpperCase().replace(/[^A-Z0-9_]/g, '_');
    while (id in this.templates) {
      id += '_';
    }
    this.templates[id] = { kind: 'secret', ...keyRefOf(key) };
    this.keys.push(key);
    return `\${${id}}`;
  }

  /** The list. With templates, the chart reads `$` in the fields with text as the beginning of one, and `$$` as `$`. */
  public list(...textFields: string[]): Values[] {
    const references = new Set(Object.keys(this.templates).map((id) => `\${${id}}`));
    const escaped = (field: string, text: unknown) =>
      references.size > 0 && textFields.includes(field) && typeof text === 'string' && !references.has(text) ? escapeDollars(text) : text;
    return this.items.map((item) => Object.fromEntries(Object.entries(item).map(([field, text]) => [field, escaped(field, text)])));
  }
}

function usersOf(scope: Construct, settings: AirflowSettings): MetadataList {
  const list = new MetadataList();
  const passwords = passwordKeys(scope, settings);
  for (const { username, email, role, firstName, lastName } of settings.users) {
    list.add({ username, email, role, firstName, lastName, password: list.reference([username, 'PASSWORD'], passwords[username]) });
  }
  return list;
}

function connectionsOf(scope: Construct, { name, connections }: AirflowSettings): MetadataList {
  const list = new MetadataList();
  for (const { id, type, description, host, port, schema, login, extra, ...secrets } of connections) {
    const secret = (field: string, value: AirflowConnection['password']) => value && list.reference([id, field],
      copiedKey(scope, `connections.${id}.${field}`, { name: userSecretName(name), key: `connection-${id}-${field}` }, value));
    list.add({
      id,
      type,
      description,
      host,
      port,
      schema,
      login: secret('login', secrets.loginSecret) ?? login,
      password: secret('password', secrets.password),
      extra: secret('extra', secrets.extraSecret) ?? extra,
    });
  }
  return list;
}

function variablesOf(scope: Construct, { name, variables }: AirflowSettings): MetadataList {
  const list = new MetadataList();
  for (const { key, _value: variable } of variables) {
    list.add({ key, value: variable.kind === 'secret' ? list.reference([key], variableKey(scope, name, key, variable.secret)) : variable.value });
  }
  return list;
}
