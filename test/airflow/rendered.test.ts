/**
 * Keeps `rendered/quickstart.yaml`, with which the tests in this folder run without charts, and without Node.js.
 *
 * With AIRFLOW_CHARTS it is compared with what the chart renders, and with UPDATE_RENDERED as well, written. Without, it must at least be of
 * the values and secrets that the example has now.
 */
import { execFileSync } from 'child_process';
import { createHash } from 'crypto';
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';
import * as YAML from 'yaml';
import { CHARTS, HELMS, Json, NO_ASSETS, objectsOf, releasesOf, render, temporaryFolder } from '../util';

const ROOT = join(__dirname, '..', '..');
const FILE = join(__dirname, 'rendered', 'quickstart.yaml');
const CHART = 'airflow-official-1.22.0';

/** A file of the library that the chart passes on as it is. The rendered file names it, so that each change of it need not be rendered. */
const PROGRAM = 'src/assets/users_and_pools.py';

/** Objects that the tests run or read, and what runs in them. */
const KINDS = ['ConfigMap', 'CronJob', 'Deployment', 'ExternalSecret', 'Service', 'StatefulSet'];
const NOT_RUN = /-(statsd|flower)$/;
const IMAGES = /airflow:\d|pgbouncer-\d|\/postgres:|valkey/;

function synthesize(): Json {
  const outdir = temporaryFolder();
  execFileSync(process.execPath, [
    '-r', 'ts-node/register/transpile-only', '-r', 'tsconfig-paths/register', 'examples/quickstart/typescript/app.ts',
  ], { env: { ...process.env, CDK_OUTDIR: outdir, CDK_VALIDATION: 'false', TS_NODE_PROJECT: 'tsconfig.dev.json', CDK_CONTEXT_JSON: JSON.stringify(NO_ASSETS) }, stdio: 'pipe', cwd: ROOT });
  return JSON.parse(readFileSync(join(outdir, 'AirflowQuickstart.template.json'), 'utf8'));
}

/** The program as a value or as an argument, of which the chart expands templates, and Kubernetes turns `$$` into `$`. */
function isProgram(text: unknown): boolean {
  return typeof text === 'string' && text.replace(/\{\{`\{\{`\}\}/g, '{{').replace(/\$\$/g, '$') === readFileSync(join(ROOT, PROGRAM), 'utf8');
}

function container({ name, image, command, args, env, volumeMounts, securityContext, ...rest }: Json): Json {
  return {
    name,
    image,
    command,
    args: args?.map((text: string) => isProgram(text) ? { file: PROGRAM } : text),
    env,
    volumeMounts,
    securityContext,
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => key.endsWith('Probe'))),
  };
}

function pod({ initContainers, containers, volumes, securityContext, terminationGracePeriodSeconds }: Json): Json {
  const run = (list?: Json[]) => list?.filter(({ image }) => IMAGES.test(image)).map(container);
  return { initContainers: run(initContainers), containers: run(containers), volumes, securityContext, terminationGracePeriodSeconds };
}

/** What the tests need of an object. */
function reduced({ kind, metadata: { name }, data, spec }: Json): Json {
  const template = (spec?.jobTemplate?.spec ?? spec)?.template?.spec;
  return {
    kind,
    name,
    ...kind === 'ConfigMap' ? { data } : {},
    ...kind === 'ExternalSecret' ? { target: spec.target, data: spec.data } : {},
    ...template ? { pod: pod(template) } : {},
  };
}

/** The digest of all that decides what the chart renders. */
function digest(template: Json): string {
  const { version, values } = releasesOf(template).find(({ chart }) => chart === 'airflow')!;
  const text = JSON.stringify([version, values, objectsOf(template)], (_, value) => isProgram(value) ? PROGRAM : value);
  return createHash('sha256').update(text).digest('hex');
}

const template = synthesize();

test('the rendered file is of the values and secrets of examples/quickstart', () => {
  const header = YAML.parseAllDocuments(readFileSync(FILE, 'utf8'))[0].toJS();
  expect(header.digest).toEqual(process.env.UPDATE_RENDERED ? expect.anything() : digest(template));
});

(CHARTS ? test : test.skip)('the rendered file is what the chart renders', () => {
  const objects = YAML.parseAllDocuments(render(Object.values(HELMS).pop()!(), CHART, template)).map((document) => document.toJS()).filter(Boolean)
    .filter(({ kind, metadata }: Json) => KINDS.includes(kind) && (kind === 'Service' || !NOT_RUN.test(metadata.name)));
  const text = [{ chart: CHART, digest: digest(template) }, ...objects.map(reduced)]
    .map((object) => YAML.stringify(object, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0, sortMapEntries: true })).join('---\n');
  if (process.env.UPDATE_RENDERED) {
    writeFileSync(FILE, text);
  }
  expect(readFileSync(FILE, 'utf8')).toEqual(text);
});
