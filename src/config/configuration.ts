import { Construct } from 'constructs';
import { AirflowSecret } from '../secrets/airflow-secret';
import { sortKeys } from '../sort-keys';
import { checkFormat, checkTexts, checkUnique, fail } from '../validation';

interface ConfigurationProps {
  readonly config?: { [option: string]: string };
  readonly environment?: { [name: string]: string };
  readonly environmentSecrets?: { [name: string]: AirflowSecret };
}

/** Configuration options and environment variables, for the chart. */
export interface ConfigurationSettings {
  /** Configuration options as `AIRFLOW__SECTION__KEY`. */
  readonly config: Record<string, string>;
  readonly environment: Record<string, string>;
  readonly environmentSecrets: Record<string, AirflowSecret>;
}

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Checks configuration options and environment variables, and sorts them.
 *
 * @param owned the options that the chart or another prop sets, and the prop to use instead
 * @param set the options that other props set, by prop
 */
export function configurationSettings(
  scope: Construct, props: ConfigurationProps, owned: Record<string, string>, set: Record<string, Record<string, string> | undefined> = {},
): ConfigurationSettings {
  const { config = {}, environment = {}, environmentSecrets = {} } = props;
  for (const option of Object.keys(config)) {
    checkFormat(scope, 'config', option, /^[A-Za-z0-9_.-]+\.[A-Za-z0-9_]+$/, "configuration options as 'section.key'");
  }
  checkTexts(scope, 'config', config);
  checkTexts(scope, 'environment', environment);
  const options = asEnvironment(config);
  const ownedNames = { ...owned };
  const setOptions: Record<string, string> = {};
  for (const [prop, given = {}] of Object.entries(set)) {
    const variables = asEnvironment(given);
    Object.keys(variables).forEach((name) => ownedNames[name] = prop);
    Object.assign(setOptions, variables);
  }
  for (const [prop, variables] of Object.entries({ config: options, environment, environmentSecrets })) {
    for (const name of Object.keys(variables)) {
      checkFormat(scope, prop, name, VARIABLE_NAME, 'names of environment variables');
      if (ownedNames[name]) {
        fail(scope, `'${prop}' must not set ${name}, which '${ownedNames[name]}' sets; use '${ownedNames[name]}'`);
      }
    }
  }
  checkUnique(scope, 'config, environment and environmentSecrets', [options, environment, environmentSecrets].flatMap(Object.keys));
  return sortKeys({ config: { ...setOptions, ...options }, environment, environmentSecrets });
}

/** Configuration options by the environment variables from which Airflow reads them. */
function asEnvironment(config: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(config).map(([option, value]) => {
    const dot = option.lastIndexOf('.');
    const name = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]/g, '_');
    return [`AIRFLOW__${name(option.slice(0, dot))}__${name(option.slice(dot + 1))}`, value];
  }));
}
