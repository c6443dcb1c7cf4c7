/**
 * Writes the contract of each chart, which is the list of its values: `ts-node test/contract/extract.ts <folder of unpacked charts>`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'fs';
import { basename, join } from 'path';
import * as YAML from 'yaml';

/** The charts for which the library sets values, as `<chart>-<version>`. */
export const CONTRACTS = ['airflow-community-8.9.0', 'airflow-official-1.22.0', 'aws-efs-csi-driver-4.4.1', 'external-secrets-2.9.0'];

/** Values that are free-form maps of Kubernetes or of the user, even if the chart has defaults in them. */
const FREE_FORM = /(labels|annotations|resources|affinity|nodeSelector|securityContext|^config)$/i;

/** Values that occur only in comments of values.yaml; `charts.test.ts` shows that the charts read them. */
const IN_COMMENTS: Record<string, string[]> = {
  'airflow-official-1.22.0': ['credentialsSecret', 'knownHosts', 'sshKeySecret'].map((key) => `dags.gitSync.${key}`),
};

/** The paths of the values of a chart and its sub-charts. Below `path.*`, every path is valid. */
export function pathsOf(folder: string): string[] {
  const values = YAML.parse(readFileSync(join(folder, 'values.yaml'), 'utf8'));
  const subCharts = join(folder, 'charts');
  return [...new Set([
    ...walk(values, []),
    ...IN_COMMENTS[basename(folder)] ?? [],
    ...existsSync(subCharts) ? readdirSync(subCharts).flatMap((name) => pathsOf(join(subCharts, name)).map((path) => `${name}.${path}`)) : [],
  ])].sort();
}

function walk(value: unknown, path: string[]): string[] {
  if (typeof value !== 'object') {
    return [path.join('.')];
  }
  const entries = value === null || Array.isArray(value) ? [] : Object.entries(value);
  return entries.length === 0 || FREE_FORM.test(path[path.length - 1] ?? '')
    ? [[...path, '*'].join('.')]
    : entries.flatMap(([key, child]) => walk(child, [...path, key]));
}

export function contractOf(chart: string): string[] {
  return JSON.parse(readFileSync(join(__dirname, `${chart}.json`), 'utf8'));
}

if (require.main === module) {
  for (const chart of CONTRACTS) {
    writeFileSync(join(__dirname, `${chart}.json`), `${JSON.stringify(pathsOf(join(process.argv[2], chart)), undefined, 1)}\n`);
  }
}
