import { execFileSync } from 'child_process';
import { cpSync, readFileSync, writeFileSync } from 'fs';
import { join } from 'path';
import * as YAML from 'yaml';
import { Case, MATRIX, POOLS, TAINT } from './matrix';
import { Expectations, violations } from './rendered';
import { CHARTS, CHARTS_UNDER_TEST, ChartUnderTest, HELMS, Json, NO_ASSETS, objectsOf, render, synthAirflow, temporaryFolder } from './util';
import { EfsCsiDriverSetup } from '../src';

const EFS_CSI_DRIVER = 'aws-efs-csi-driver-4.4.1';
const EXTERNAL_SECRETS = 'external-secrets-2.9.0';

/** Says it where nobody can overlook it, and in the report of the tests. */
function skipped(): void {
  const message = 'NO CHART WAS RENDERED: set AIRFLOW_CHARTS to a folder of unpacked charts, named <chart>-<version>';
  console.warn(`${'!'.repeat(message.length)}\n${message}\n${'!'.repeat(message.length)}`);
  test.skip(message, () => undefined);
}

/** The keys that a chart comes with are published, and so known to everybody. */
function publishedKeys(folder: string): string[] {
  const keys: string[] = [];
  YAML.visit(YAML.parseDocument(readFileSync(join(CHARTS!, folder, 'values.yaml'), 'utf8')), {
    Pair: (_, { key, value }) => {
      const text = YAML.isScalar(value) && String(value.value);
      // Names of keys are made of these characters; keys themselves rarely are.
      if (text && /(key|password|secret)$/i.test(String(key)) && /[^\w.-]/.test(text)) {
        keys.push(text);
      }
    },
  });
  return keys;
}

function expectations(chart: ChartUnderTest, { placement = POOLS, existingSecrets }: Pick<Case, 'placement' | 'existingSecrets'> = {}): Expectations {
  return {
    pools: (['stateless', 'workers', 'database'] as const).map((name) => [chart.workloads[name], placement[name].labels]),
    taints: placement.stateless.tolerations!,
    mounts: [{ ...chart.logs, claim: 'airflow-logs' }, { ...chart.database, claim: 'data-airflow-postgresql' }],
    forbiddenText: publishedKeys(chart.folder),
    existingSecrets,
  };
}

/** An example as its users run it, without the CLI. */
function synthExample(name: string, stack: string): Json {
  const outdir = temporaryFolder();
  execFileSync(process.execPath, [
    '-r', 'ts-node/register/transpile-only', '-r', 'tsconfig-paths/register', `examples/${name}/typescript/app.ts`,
  ], { env: { ...process.env, CDK_OUTDIR: outdir, CDK_VALIDATION: 'false', TS_NODE_PROJECT: 'tsconfig.dev.json', CDK_CONTEXT_JSON: JSON.stringify(NO_ASSETS) }, stdio: 'pipe', cwd: join(__dirname, '..') });
  return JSON.parse(readFileSync(join(outdir, `${stack}.template.json`), 'utf8'));
}

/** Folders of charts as they are in Git lack the archives of what they depend on; what we switch off needs none. */
function withoutDependencies(folder: string): string {
  const copy = join(temporaryFolder(), folder);
  cpSync(join(CHARTS!, folder), copy, { recursive: true });
  const file = join(copy, 'Chart.yaml');
  const chart = YAML.parseDocument(readFileSync(file, 'utf8'));
  chart.delete('dependencies');
  writeFileSync(file, chart.toString());
  return copy;
}

jest.setTimeout(120_000);

describe('the real charts', () => {
  if (!CHARTS) {
    return skipped();
  }

  describe.each(Object.entries(HELMS))('under %s', (_helm, helm) => {
    describe.each(CHARTS_UNDER_TEST)('the $name chart', (chart) => {
      test.each(Object.entries(MATRIX))('%s', (_name, { props, ...expected }) => {
        const { template } = synthAirflow((stack) => ({ chart: chart.chart(), ...props(stack) }));
        expect(violations(render(helm(), chart.folder, template), expectations(chart, expected))).toEqual([]);
        expect(objectsOf(template, 'ExternalSecret').length === 0).toBe(expected.existingSecrets !== undefined);
      });
    });

    test('the keys that are published with the community chart are known', () => {
      expect(publishedKeys('airflow-community-8.9.0')).toHaveLength(2);
    });

    test.each([['blog', 'AirflowBlog'], ['quickstart', 'AirflowQuickstart']])('the example %s', (name, stack) => {
      const chart = CHARTS_UNDER_TEST.find((candidate) => candidate.name === 'community')!;
      expect(violations(render(helm(), chart.folder, synthExample(name, stack)), expectations(chart))).toEqual([]);
    });

    test('the EFS CSI driver runs on the nodes of Airflow only', () => {
      const { template } = synthAirflow();
      expect(violations(render(helm(), EFS_CSI_DRIVER, template, 'aws-efs-csi-driver'), {
        pools: [[/^(Deployment\/efs-csi-controller|DaemonSet\/efs-csi-node)$/, { role: 'airflow' }]], taints: [TAINT],
      })).toEqual([]);
    });

    test('the EFS CSI driver runs on all nodes', () => {
      const { template } = synthAirflow({ efsCsiDriver: EfsCsiDriverSetup.ALL_NODES });
      expect(violations(render(helm(), EFS_CSI_DRIVER, template, 'aws-efs-csi-driver'), {
        pools: [[/^(Deployment\/efs-csi-controller|DaemonSet\/efs-csi-node)$/, {}]], taints: [TAINT, { key: 'any', value: 'other', effect: 'NoExecute' }],
      })).toEqual([]);
    });

    test('the External Secrets operator runs on whatever node there is', () => {
      const { template } = synthAirflow();
      expect(violations(render(helm(), withoutDependencies(EXTERNAL_SECRETS), template, 'external-secrets'), {
        pools: [[/^Deployment\/external-secrets$/, {}]], taints: [TAINT],
      })).toEqual([]);
    });
  });
});
