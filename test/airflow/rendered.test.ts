/**
 * Keeps the files in `rendered`, with which the tests in this folder run without charts, and without Node.js.
 *
 * With AIRFLOW_CHARTS they are compared with what the charts render, and with UPDATE_RENDERED as well, written. Without, they must at least be of
 * the values and secrets that the library creates now.
 */
import { execFileSync } from 'child_process';
import { createHash } from 'crypto';
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';
import { Duration } from 'aws-cdk-lib';
import * as YAML from 'yaml';
import { AirflowChart, AirflowDatabase, AirflowLogs, CeleryBroker } from '../../src';
import { CHARTS, HELMS, Json, NO_ASSETS, objectsOf, releasesOf, render, synthAirflow, temporaryFolder } from '../util';

const ROOT = join(__dirname, '..', '..');
const OFFICIAL = 'airflow-official-1.22.0';
const COMMUNITY = 'airflow-community-8.9.0';

/** A file of the library that the chart passes on as it is. The rendered file names it, so that each change of it need not be rendered. */
const PROGRAM = 'src/assets/users_and_pools.py';

/** The file with the authorities of the database, in whose place the tests have their own. */
const AUTHORITIES = 'server-ca.pem';

/** Objects that the tests run or read, and what runs in them. */
const KINDS = ['ConfigMap', 'CronJob', 'Deployment', 'ExternalSecret', 'Secret', 'Service', 'StatefulSet'];
const NOT_RUN = /-statsd$/;
const IMAGES = /airflow:\d|pgbouncer-\d|\/postgres:|valkey/;

function synthExample(name: string, stack: string): Json {
  const outdir = temporaryFolder();
  execFileSync(process.execPath, [
    '-r', 'ts-node/register/transpile-only', '-r', 'tsconfig-paths/register', `examples/${name}/typescript/app.ts`,
  ], { env: { ...process.env, CDK_OUTDIR: outdir, CDK_VALIDATION: 'false', TS_NODE_PROJECT: 'tsconfig.dev.json', CDK_CONTEXT_JSON: JSON.stringify(NO_ASSETS) }, stdio: 'pipe', cwd: ROOT });
  return JSON.parse(readFileSync(join(outdir, `${stack}.template.json`), 'utf8'));
}

/** Airflow 2 with the database, the broker and the logs of examples/production. */
function synthManaged(chart: AirflowChart): Json {
  return synthAirflow({
    chart,
    database: AirflowDatabase.aurora({ passwordRotation: Duration.days(30) }),
    broker: CeleryBroker.elastiCache(),
    logs: AirflowLogs.inBucket(),
    gitSync: { repository: 'https://github.com/example/dags.git' },
  }).template.toJSON();
}

/** The rendered files, each with the chart that renders it. */
const RELEASES: Record<string, { chart: string; synth: () => Json }> = {
  'quickstart': { chart: OFFICIAL, synth: () => synthExample('quickstart', 'AirflowQuickstart') },
  'production': { chart: OFFICIAL, synth: () => synthExample('production', 'AirflowProduction') },
  'managed-2.11.2': { chart: OFFICIAL, synth: () => synthManaged(AirflowChart.official({ airflowVersion: '2.11.2' })) },
  'managed-2.8.4': { chart: COMMUNITY, synth: () => synthManaged(AirflowChart.community()) },
};

/** The names that CloudFormation gives to what is outside the cluster. */
const NAMES: [RegExp, string][] = [
  [/<\w+\.PrimaryEndPoint\.Address>/g, 'broker.example.com'],
  [/<\w+\.Endpoint\.Address>/g, 'database.example.com'],
  [/<\w+\.Endpoint\.Port>/g, '5432'],
  [/(?<=s3:\/\/)<\w+>/g, 'logs'],
];

/** The program as a value or as an argument, of which the chart expands templates, and Kubernetes turns `$$` into `$`. */
function isProgram(text: unknown): boolean {
  return typeof text === 'string' && text.replace(/\{\{`\{\{`\}\}/g, '{{').replace(/\$\$/g, '$') === readFileSync(join(ROOT, PROGRAM), 'utf8');
}

function container({ name, image, command, args, env, envFrom, ports, volumeMounts, securityContext, ...rest }: Json): Json {
  return {
    name,
    image,
    command,
    args: args?.map((text: string) => isProgram(text) ? { file: PROGRAM } : text),
    env,
    envFrom,
    ports,
    volumeMounts,
    securityContext,
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => key.endsWith('Probe'))),
  };
}

function pod({ initContainers, containers, volumes, securityContext, terminationGracePeriodSeconds }: Json): Json {
  const run = (list?: Json[]) => list?.filter(({ image }) => IMAGES.test(image)).map(container);
  return { initContainers: run(initContainers), containers: run(containers), volumes, securityContext, terminationGracePeriodSeconds };
}

function decoded(data: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]));
}

/** What the tests need of an object. */
function reduced({ kind, metadata: { name }, data, stringData, spec }: Json): Json {
  const template = (spec?.jobTemplate?.spec ?? spec)?.template?.spec;
  return {
    kind,
    name,
    ...kind === 'ConfigMap' ? { data: { ...data, ...data?.[AUTHORITIES] ? { [AUTHORITIES]: 'those of Amazon RDS' } : {} } } : {},
    ...kind === 'Secret' ? { data: { ...decoded(data), ...stringData } } : {},
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

describe.each(Object.entries(RELEASES))('%s', (name, { chart, synth }) => {
  const file = join(__dirname, 'rendered', `${name}.yaml`);
  const template = synth();

  test('the rendered file is of the values and secrets that are synthesized', () => {
    const header = YAML.parseAllDocuments(readFileSync(file, 'utf8'))[0].toJS();
    expect(header.digest).toEqual(process.env.UPDATE_RENDERED ? expect.anything() : digest(template));
  });

  (CHARTS ? test : test.skip)('the rendered file is what the chart renders', () => {
    const objects = YAML.parseAllDocuments(render(Object.values(HELMS).pop()!(), chart, template)).map((document) => document.toJS()).filter(Boolean)
      .filter(({ kind, metadata }: Json) => KINDS.includes(kind) && (kind === 'Service' || !NOT_RUN.test(metadata.name)));
    const rendered = [{ chart, digest: digest(template) }, ...objects.map(reduced)]
      .map((object) => YAML.stringify(object, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0, sortMapEntries: true })).join('---\n');
    const text = NAMES.reduce((before, [reference, value]) => before.replace(reference, value), rendered);
    if (process.env.UPDATE_RENDERED) {
      writeFileSync(file, text);
    }
    expect(readFileSync(file, 'utf8')).toEqual(text);
  });
});
