import { execFileSync } from 'child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { Template } from 'aws-cdk-lib/assertions';
import { HELMS, Json, objectsOf } from '../util';

/** Runs Go templates by helm, which has the functions that charts and the External Secrets operator have. */
export function expand(templates: Record<string, string>, variables: Record<string, string> = {}): Record<string, string> {
  const chart = mkdtempSync(join(tmpdir(), 'chart-'));
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

/** The Kubernetes Secrets that the operator writes, if each secret has the value that `valueOf` says for its name and field. */
export function writtenSecrets(template: Template, valueOf: (key: string, field?: string) => string): Record<string, Record<string, string>> {
  return Object.fromEntries(objectsOf(template, 'ExternalSecret').map(({ spec }) => [spec.target.name, expand(
    spec.target.template.data,
    Object.fromEntries(spec.data.map(({ secretKey, remoteRef }: Json) => [secretKey, valueOf(remoteRef.key, remoteRef.property)])),
  )]));
}

/** What a container gets of a variable or an argument: Kubernetes expands `$(NAME)`, and makes `$` of `$$`. */
export function inContainer(text: string, variables: Record<string, string> = {}): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name) => match === '$$' ? '$' : variables[name] ?? match);
}
