import { execFileSync } from 'child_process';
import { cpSync, readFileSync, writeFileSync } from 'fs';
import { join } from 'path';
import { TaintEffect } from 'aws-cdk-lib/aws-eks';
import * as YAML from 'yaml';
import { Case, casesOf, POOLS } from './matrix';
import { violations } from './rendered';
import { Expectations, NodePool } from './rendered-pods';
import { CHARTS, CHARTS_UNDER_TEST, ChartUnderTest, HELMS, Json, NO_ASSETS, objectsOf, releasesOf, render, synthAirflow, temporaryFolder } from './util';
import { EfsCsiDriverInstallation, NodePlacement } from '../src';

const EFS_CSI_DRIVER = 'aws-efs-csi-driver-4.4.1';
const EFS_CSI_DRIVER_PODS = /^(Deployment\/efs-csi-controller|DaemonSet\/efs-csi-node)$/;
const EXTERNAL_SECRETS = 'external-secrets-2.9.0';

/** Shows that the tests were skipped, in the output and in the report. */
function skipped(): void {
  const message = 'NO CHART WAS RENDERED: set AIRFLOW_CHARTS to a folder of unpacked charts, named <chart>-<version>';
  console.warn(`${'!'.repeat(message.length)}\n${message}\n${'!'.repeat(message.length)}`);
  test.skip(message, () => undefined);
}

/** The keys in the values of a chart, which are public. */
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

/** The effects of taints, in the words of Kubernetes. */
const EFFECTS: Record<TaintEffect, string> = { NO_SCHEDULE: 'NoSchedule', PREFER_NO_SCHEDULE: 'PreferNoSchedule', NO_EXECUTE: 'NoExecute' };

/** A node pool with the taints of a placement. The nodes may have any value and any effect that the placement does not specify. */
function nodePool(workload: RegExp, { labels, taints = [] }: NodePlacement): NodePool {
  return {
    workload,
    labels,
    taints: taints.map(({ key, value = 'any', effect = TaintEffect.NO_EXECUTE }) => ({ key: key!, value, effect: EFFECTS[effect] })),
  };
}

function expectations(chart: ChartUnderTest, release: string, { placement = POOLS, existingSecrets }: Partial<Case> = {}): Expectations {
  return {
    pools: (['stateless', 'workers', 'database'] as const).map((name) => nodePool(chart.workloads[name], placement[name])),
    mounts: [{ ...chart.logs, claim: `${release}-logs` }, { ...chart.database, claim: `data-${release}-postgresql` }],
    forbiddenText: publishedKeys(chart.folder),
    absentKeys: chart.absentKeys?.(release),
    existingSecrets,
  };
}

/** The template of an example, synthesized as users do it, but without the CLI. */
function synthExample(name: string, stack: string): Json {
  const outdir = temporaryFolder();
  execFileSync(process.execPath, [
    '-r', 'ts-node/register/transpile-only', '-r', 'tsconfig-paths/register', `examples/${name}/typescript/app.ts`,
  ], { env: { ...process.env, CDK_OUTDIR: outdir, CDK_VALIDATION: 'false', TS_NODE_PROJECT: 'tsconfig.dev.json', CDK_CONTEXT_JSON: JSON.stringify(NO_ASSETS) }, stdio: 'pipe', cwd: join(__dirname, '..') });
  return JSON.parse(readFileSync(join(outdir, `${stack}.template.json`), 'utf8'));
}

/** A copy of a chart from Git, which lacks the archives of its dependencies. The library disables all of them. */
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
      test.each(casesOf(chart))('%s', (_name, { props, withoutOperator = false, ...expected }) => {
        const { template, airflow } = synthAirflow((stack) => ({ chart: chart.chart(), ...props(stack) }));
        const rendered = render(helm(), chart.folder, template);
        expect(violations(rendered, expectations(chart, airflow.namespace, expected))).toEqual([]);
        expect(render(helm(), chart.folder, template)).toBe(rendered); // a chart that generates keys generates new ones with each upgrade
        expect(objectsOf(template, 'ExternalSecret').length === 0).toBe(withoutOperator);
      });
    });

    test('the published keys of the community chart are found', () => {
      expect(publishedKeys('airflow-community-8.9.0')).toHaveLength(2);
    });

    test.each([['blog', 'AirflowBlog'], ['quickstart', 'AirflowQuickstart']])('the example %s', (name, stack) => {
      const template = synthExample(name, stack);
      const { version, release } = releasesOf(template).find((found) => found.chart === 'airflow')!;
      const chart = CHARTS_UNDER_TEST.find(({ folder }) => folder.endsWith(`-${version}`))!;
      expect(violations(render(helm(), chart.folder, template), expectations(chart, release))).toEqual([]);
    });

    const { taints } = POOLS.stateless;

    test('the EFS CSI driver runs only on the nodes of Airflow', () => {
      const { template } = synthAirflow();
      expect(violations(render(helm(), EFS_CSI_DRIVER, template, 'aws-efs-csi-driver'), {
        pools: [nodePool(EFS_CSI_DRIVER_PODS, { labels: { role: 'airflow' }, taints })],
      })).toEqual([]);
    });

    test('the EFS CSI driver runs on all nodes', () => {
      const { template } = synthAirflow({ efsCsiDriver: EfsCsiDriverInstallation.onAllNodes() });
      expect(violations(render(helm(), EFS_CSI_DRIVER, template, 'aws-efs-csi-driver'), {
        pools: [nodePool(EFS_CSI_DRIVER_PODS, { labels: {}, taints: [...taints!, { key: 'any', effect: TaintEffect.NO_EXECUTE }] })],
      })).toEqual([]);
    });

    test('the External Secrets operator runs on any node, also on those of Airflow', () => {
      const { template } = synthAirflow();
      expect(violations(render(helm(), withoutDependencies(EXTERNAL_SECRETS), template, 'external-secrets'), {
        pools: [nodePool(/^Deployment\/external-secrets$/, { labels: {}, taints })],
      })).toEqual([]);
    });
  });
});
