// Tests the packages: installs them by npm, pip and Maven into fresh copies of the examples, and synthesizes these with the CDK CLI.
// `npx projen test:consumers` builds the packages first.
import { spawnSync } from 'child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { delimiter, join } from 'path';
import { stripVTControlCharacters } from 'util';
import { Json, releasesOf, valuesOf } from '../util';

const ROOT = join(__dirname, '../..');
const { version, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** One version of the CDK for all languages, because their registries do not receive a new version on the same day. */
const CDK_VERSION: string = process.env.CDK_VERSION ?? devDependencies['aws-cdk-lib'];

const APPS: Record<string, string> = {
  'quickstart': 'examples/quickstart',
  'blog': 'examples/blog',
  'auto-mode': 'examples/auto-mode',
  'production': 'examples/production',
  'features': 'test/consumers/features',
};

const WORK = mkdtempSync(join(tmpdir(), 'consumers-'));
const MAVEN_REPOSITORY = join(WORK, 'm2');
afterAll(() => rmSync(WORK, { recursive: true }));

interface Language {
  /** Installs the package and, from the registries, the other dependencies of the app in the folder. */
  install(folder: string): void;
}

const LANGUAGES: Record<string, Language> = {
  typescript: {
    install: (folder) => {
      must('npm', ['install', '--no-audit', '--no-fund', packaged('js', /\.tgz$/), `aws-cdk-lib@${CDK_VERSION}`], folder);
    },
  },
  python: {
    install: (folder) => {
      edit(join(folder, 'requirements.txt'), [/^airflow-on-eks.*$/m, packaged('python', /\.whl$/)], [/^aws-cdk-lib.*$/m, `aws-cdk-lib==${CDK_VERSION}`]);
      must('python3', ['-m', 'venv', '.venv'], folder);
      must('pip', ['install', '--quiet', '-r', 'requirements.txt'], folder);
    },
  },
  java: {
    install: (folder) => {
      mkdirSync(join(folder, '.mvn'));
      writeFileSync(join(folder, '.mvn/maven.config'), [
        '--batch-mode', '--no-transfer-progress', `-Dmaven.repo.local=${MAVEN_REPOSITORY}`, `-Dairflow-on-eks.version=${version}`, `-Dcdk.version=${CDK_VERSION}`,
      ].join('\n'));
      installJar(folder, packaged('java', /\d\.jar$/));
      const pom = readFileSync(join(folder, 'pom.xml'), 'utf8');
      const layer = /cdk-(lambda-layer-kubectl-v\d+)/.exec(pom)?.[1];
      const artifact = `software.amazon.awscdk:cdk-${layer}:${/<kubectl-layer.version>(.*)</.exec(pom)?.[1]}`;
      if (layer && run('mvn', ['-q', 'dependency:get', '-Dtransitive=false', `-Dartifact=${artifact}`], folder).status !== 0) {
        process.stdout.write(`MAVEN DOES NOT FIND ${artifact}; building its jar from its npm package\n`);
        const built = join(WORK, layer);
        must(join(ROOT, 'node_modules/.bin/jsii-pacmak'), ['--target', 'java', '--outdir', built, join(ROOT, 'node_modules/@aws-cdk', layer)], ROOT);
        const jar = find(built, /\d\.jar$/);
        installJar(folder, jar);
        appendFileSync(join(folder, '.mvn/maven.config'), `\n-Dkubectl-layer.version=${/(\d+\.\d+\.\d+)\.jar$/.exec(jar)![1]}`);
      }
      must('mvn', ['-q', 'compile'], folder);
    },
  },
};

/** The errors of the library that every language must show. */
const BAD_INPUT: Record<string, string> = {
  sizes: "EksV1/Airflow/NodePools: 'nodePools.workers.maxSize' must be at least 'nodePools.workers.minSize' (2), got 1",
  auth: "EksV1/Airflow: 'gitSync.auth' is GitAuth.ssh(), but 'gitSync.repository' is an HTTP URL,"
    + " got 'https://github.com/example/dags.git'; use GitAuth.http() or the SSH URL",
  cluster: "EksV1/Airflow: the imported 'cluster' must specify 'vpc' (the VPC of the nodes and the file system),"
    + " 'clusterSecurityGroupId' (the security group of the nodes), 'openIdConnectProvider' (the OIDC provider, for the IAM roles of pods),"
    + " 'kubectlProvider' (the provider that runs kubectl and helm); pass them to fromClusterAttributes()",
};

/** The programs that print the error of each bad input. */
const BAD_INPUTS: Record<string, string[]> = {
  typescript: ['npx', 'ts-node', 'bad-input.ts'],
  python: ['python3', 'bad_input.py'],
  java: ['mvn', '-e', '-q', 'compile', 'exec:java', '-Dmain.class=com.example.BadInput'],
};

/** The errors of the library for bad inputs, alike in all languages. */
const LIBRARY_ERRORS: Record<string, string> = {
  'namespace': "'namespace' must be one of its own, which the deployment creates and deletes, got 'kube-system'; use a name such as 'airflow'",
  'quantity': "'scheduler.memory' must be a Kubernetes quantity such as '512Mi' or '2Gi', got '2GB'",
  'branch': "'gitSync.branch' must be a name in the repository, without spaces, got ''",
  'percent': "'workers.autoscaling.targetMemoryPercent' must be a whole number of at least 1, got 0",
  'host': "'ingress.host' must be a host name in lower case, without a scheme, a path and *, got '*.example.com'",
  'secret': "'environment.DB_PASS' must not contain a secret in plain text; use 'environmentSecrets' with this name",
  'secret in a value': "'helmValues.scheduler.env.API_KEY.value' must not contain a secret in plain text; use 'environmentSecrets', or name a Kubernetes Secret of your own",
  'extra': "'connections.a.extra' must be a JSON object such as '{\"region_name\": \"eu-central-1\"}', got 'timeout=5'",
  'duration': "'readyTimeout' must be from 1 second to 14 minutes in whole seconds, because the function that waits stops after 15 minutes, got 1.5 seconds",
  'image': "'image' must be a repository without a scheme and a tag, which is an argument of its own, got 'apache/airflow:3.3.2'",
  'without effect': "'workers.replicas' needs an executor with Celery workers, got AirflowExecutor.KUBERNETES; remove it, or use AirflowExecutor.CELERY_KUBERNETES",
  'file system': "'persistence.removalPolicy' has no effect together with 'persistence.fileSystem', which already exists; set it where you create the file system",
  'slots': "'pools.a.slots' must be a whole number of at least -1, got 0.5",
  'empty role': "'users.ada.role' must be an AirflowRole with a name, got AirflowRole.of('')",
};

/** The errors for types that a language does not check before the program runs. */
const TYPE_ERRORS: Record<string, Record<string, string>> = {
  typescript: {},
  python: {
    'number as text': 'type of argument namespace must be',
    'text as role': 'type of argument role must be',
    'None in a list': 'type of argument users',
    'None in a map': 'Unable to deserialize value as airflow-on-eks.AirflowOnEksProps',
    'another object as cluster': "'cluster' must be a cluster of aws-eks or aws-eks-v2",
  },
  java: { 'null in a list': 'Unable to deserialize value as airflow-on-eks.AirflowOnEksProps' },
};

const templates: Record<string, Record<string, Record<string, Json>>> = {};

describe.each(Object.keys(LANGUAGES))('%s', (language) => {
  const folderOf = (app: string) => join(WORK, language, app);

  beforeAll(() => {
    for (const [app, source] of Object.entries(APPS)) {
      cpSync(join(ROOT, source, language), folderOf(app), {
        recursive: true, filter: (path) => !/(node_modules|cdk\.out|\.venv|target|package-lock\.json)$/.test(path),
      });
      LANGUAGES[language].install(folderOf(app));
    }
  });

  test.each(Object.keys(APPS))('%s creates the same templates as in TypeScript', (app) => {
    const { status, output } = synth(folderOf(app));
    expect([status, status === 0 ? '' : output]).toEqual([0, '']);
    const found = templatesOf(join(folderOf(app), 'cdk.out'));
    (templates[language] ??= {})[app] = found;
    const reference = templates.typescript[app];
    expect(Object.keys(found)).toEqual(Object.keys(reference));
    for (const [file, template] of Object.entries(found)) {
      expect(template).toEqual(reference[file]);
    }
    const resources = Object.values(found).flatMap(({ Resources }) => Object.keys(Resources));
    expect(Object.values(found).flatMap(releasesOf).filter(({ chart }) => chart === 'airflow')).not.toHaveLength(0);
    process.stdout.write(`${app} in ${language}: ${resources.length} resources in ${Object.keys(found).join(', ')}\n`);
  });

  test("'removedHelmValues' removes defaults of the chart", () => {
    const values = valuesOf(templates[language].features['EksV1.template.json']);
    expect(values.scheduler.livenessProbe).toBeNull();
    expect(values.web.readinessProbe).toBeNull();
    expect(values.scheduler.podAnnotations).toMatchObject({ 'example.com/a': '1', 'example.com/b': '2' });
  });

  if (language !== 'typescript') {
    test("jsii drops a null in 'helmValues'", () => {
      expect(readFileSync(find(folderOf('features'), /(app\.py|FeaturesApp\.java)$/), 'utf8')).toMatch(/"livenessProbe"(: None|, null)/);
      const { scheduler } = valuesOf(templates[language].features['EksV2.template.json']);
      expect(scheduler.podAnnotations).toMatchObject({ 'example.com/a': '1' });
      expect(scheduler).not.toHaveProperty('livenessProbe');
    });
  }

  describe('bad input', () => {
    let errors: Record<string, string>;
    beforeAll(() => {
      const [command, ...args] = BAD_INPUTS[language];
      const { output } = run(command, args, folderOf('features'));
      errors = Object.fromEntries(stripVTControlCharacters(output).split('\n') // Maven colors its output, also in batch mode
        .filter((line) => line.includes(' | ')).map((line) => line.split(' | ')));
    });

    test.each(Object.entries({ ...LIBRARY_ERRORS, ...TYPE_ERRORS[language] }))('shows what is wrong: %s', (name, message) => {
      expect(errors[name]).toContain(message);
    });
  });

  test.each(Object.keys(BAD_INPUT))('invalid input (%s) shows the error of the library', (bad) => {
    const { status, output } = synth(folderOf('features'), '--context', `bad=${bad}`);
    expect(status).not.toBe(0);
    expect(output).toContain(BAD_INPUT[bad]);
  });
});

describe('the npm package', () => {
  const folder = join(WORK, 'typescript/quickstart/node_modules/airflow-on-eks');
  const files = () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(folder, file)).isFile());

  test('contains the library without tests and examples', () => {
    expect(files()).toContain('lib/index.js');
    expect(files().filter((file) => !/^(lib\/index\.js|lib\/.*\.d\.ts|lib\/assets\/[\w-]+\.(pem|py|sh|yaml)|\.jsii(\.gz)?|\.jsii\.tabl\.json\.gz|rosetta\/.*|package\.json|README\.md|LICENSE)$/.test(file))).toEqual([]);
  });

  test('is at most 1 MB in size', () => {
    const bytes = files().reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    process.stdout.write(`the npm package has ${bytes} bytes unpacked\n`);
    expect(bytes).toBeLessThanOrEqual(1_000_000);
  });

  test('depends only on the CDK', () => {
    const { dependencies, peerDependencies, bundledDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    expect({ dependencies, bundledDependencies }).toEqual({});
    expect(Object.keys(peerDependencies).sort()).toEqual(['aws-cdk-lib', 'constructs']);
  });
});

function run(command: string, args: string[], folder: string): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, PATH: [join(folder, '.venv/bin'), process.env.PATH].join(delimiter), CDK_DISABLE_CLI_TELEMETRY: 'true' },
  });
  return { status, output: `${stdout}${stderr}${error ?? ''}` };
}

function must(command: string, args: string[], folder: string): void {
  const { status, output } = run(command, args, folder);
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed in ${folder}:\n${output}`);
  }
}

function synth(folder: string, ...options: string[]): ReturnType<typeof run> {
  return run(join(ROOT, 'node_modules/.bin/cdk'), [
    'synth', '--quiet', '--no-notices', '--no-version-reporting', '--no-path-metadata', '--no-asset-metadata', ...options,
  ], folder);
}

/** The templates by file name, without the hashes of assets and the versions in the kubectl layer, which differ between languages. */
function templatesOf(assembly: string): Record<string, Json> {
  const names = readdirSync(assembly).filter((name) => name.endsWith('.template.json')).sort();
  return Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(join(assembly, name), 'utf8')
    .replace(/[0-9a-f]{64}/g, '<hash>')
    .replace(/kubectl [0-9.]+; \/opt\/helm\/helm [0-9.]+/g, '<kubectl and helm>'))]));
}

function find(folder: string, name: RegExp): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => name.test(file));
  if (files.length !== 1) {
    throw new Error(`there must be one ${name} in ${folder}, got ${files.length}; build the packages with: npx projen package-all`);
  }
  return join(folder, files[0]);
}

function packaged(target: string, name: RegExp): string {
  return find(join(ROOT, 'dist', target), name);
}

function edit(file: string, ...replacements: [RegExp, string][]): void {
  const text = replacements.reduce((before, [pattern, replacement]) => {
    if (!pattern.test(before)) {
      throw new Error(`${file} must contain ${pattern}`);
    }
    return before.replace(pattern, replacement);
  }, readFileSync(file, 'utf8'));
  writeFileSync(file, text);
}

function installJar(folder: string, jar: string): void {
  must('mvn', ['-q', 'install:install-file', `-Dfile=${jar}`, `-DpomFile=${jar.replace(/\.jar$/, '.pom')}`], folder);
}
