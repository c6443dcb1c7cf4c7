import { execFileSync } from 'child_process';
import { mkdirSync, writeFileSync } from 'fs';
import { join } from 'path';
import { Template } from 'aws-cdk-lib/assertions';
import { HELMS, Json, objectsOf, temporaryFolder } from '../util';

/** Runs Go templates with helm, which has the template functions of charts and of the External Secrets operator. */
export function expand(templates: Record<string, string>, variables: Record<string, string> = {}): Record<string, string> {
  const chart = temporaryFolder();
  mkdirSync(join(chart, 'templates'));
  writeFileSync(join(chart, 'Chart.yaml'), JSON.stringify({ apiVersion: 'v2', name: 'templates', version: '1.0.0' }));
  writeFileSync(join(chart, 'values.yaml'), JSON.stringify({ templates, variables }));
  writeFileSync(join(chart, 'templates', 'all.json'), `
    {{- $texts := dict }}
    {{- range $key, $template := .Values.templates }}
    {{- $_ := set $texts $key (tpl $template (merge (dict "Template" $.Template) $.Values.variables)) }}
    {{- end }}
    {{- dict "apiVersion" "v1" "kind" "ConfigMap" "metadata" (dict "name" "texts") "data" $texts | toJson }}`);
  const output = execFileSync(HELMS['Helm 3'](), ['template', 'templates', chart], { encoding: 'utf8' });
  return JSON.parse(output.slice(output.indexOf('{'))).data;
}

/** The Kubernetes Secrets that the operator writes. `valueOf` returns the value of a secret, by its name and field. */
export function writtenSecrets(template: Template, valueOf: (key: string, field?: string) => string): Record<string, Record<string, string>> {
  return Object.fromEntries(objectsOf(template, 'ExternalSecret').map(({ spec }) => [spec.target.name, expand(
    spec.target.template.data,
    Object.fromEntries(spec.data.map(({ secretKey, remoteRef }: Json) => [secretKey, valueOf(remoteRef.key, remoteRef.property)])),
  )]));
}

/** A variable or an argument as a container receives it: Kubernetes expands `$(NAME)`, and turns `$$` into `$`. */
export function inContainer(text: string, variables: Record<string, string> = {}): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name) => match === '$$' ? '$' : variables[name] ?? match);
}
