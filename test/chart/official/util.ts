import * as YAML from 'yaml';
import { AirflowChart } from '../../../src';
import { Json, Props, synthAirflow, valuesOf } from '../../util';
import { expand, inContainer } from '../templates';

/** As `synthAirflow`, with the official chart. */
export function synthOfficial(props: Props = {}, airflowVersion?: string): ReturnType<typeof synthAirflow> {
  return synthAirflow((stack) => ({ chart: AirflowChart.official({ airflowVersion }), ...typeof props === 'function' ? props(stack) : props }));
}

/** The values of the official chart. */
export function officialValues(props: Props = {}, airflowVersion?: string): Json {
  return valuesOf(synthOfficial(props, airflowVersion).template);
}

/** The environment variables of all containers: the values that the containers receive, and references to keys of Secrets. */
export function environmentOf(values: Json): Json {
  const variables: Json[] = YAML.parse(expand({ text: values.extraEnv }).text) ?? [];
  return Object.fromEntries(variables.map(({ name, value, valueFrom }) => [name, valueFrom?.secretKeyRef ?? inContainer(value)]));
}

/** Text with everything that Go templates, shells, YAML, JSON and Kubernetes treat specially. */
export const ODD = 'it\'s "{{ .Values }}" $(HOME) $$PATH `id` \\n: # é';
