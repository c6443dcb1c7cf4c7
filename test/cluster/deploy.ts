/**
 * Deploys a stack of a cloud assembly to a throwaway cluster without AWS: see README.md beside this file.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'fs';
import { dirname, resolve } from 'path';
import { parseArgs } from 'util';
import { Assembly } from './assembly';
import { AwsProvider } from './aws-provider';
import { incomplete, inventory, leftBehind, notRun, summary } from './checks';
import { KubectlProvider } from './kubectl-provider';
import { NodesOfCluster, SimulatedNodes } from './node-groups';
import { Provider } from './provider';
import { Report } from './report';
import { rewrite } from './rewrite';
import { Secrets } from './secrets';
import { Stack, State } from './stack';
import { layerOf, Tools } from './tools';
import { Volumes } from './volumes';

const USAGE = 'deploy.ts create|update ASSEMBLY | delete [options]: see README.md';

const { values: options, positionals: [command, folder] } = parseArgs({
  allowPositionals: true,
  options: {
    'charts': { type: 'string' },
    'dag': { type: 'string' },
    'existing-nodes': { type: 'string', default: '0' },
    'fail': { type: 'string' },
    'first': { type: 'string' },
    'gap': { type: 'string', default: '0' },
    'last': { type: 'string' },
    'layer': { type: 'string' },
    'no-rollback': { type: 'boolean' },
    'node-groups': { type: 'string' },
    'secrets': { type: 'string', default: 'cdk.out/cluster/secrets.json' },
    'seed': { type: 'string' },
    'sequential': { type: 'boolean' },
    'shared': { type: 'string' },
    'stack': { type: 'string' },
    'state': { type: 'string', default: 'cdk.out/cluster/state.json' },
    'stays': { type: 'string', default: '^(CustomResourceDefinition|CSIDriver)/|^Namespace/external-secrets$' },
    'timeout': { type: 'string', default: '900' },
    'unchanged': { type: 'boolean' },
    'values': { type: 'string' },
    'within': { type: 'string' },
    'wait': { type: 'string', default: '300' },
    'without': { type: 'string' },
  },
});

/** What is known of a stack between two commands. */
interface SavedState extends State {
  assembly: string;
  /** The objects of the cluster before the first deployment. */
  before?: string[];
}

const list = (value: string | undefined) => value?.split(',') ?? [];
const json = (file: string | undefined) => file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'));

async function main(): Promise<number> {
  const kubeconfig = process.env.KUBECONFIG;
  if (!kubeconfig || !/^(create|update|delete)$/.test(command ?? '') || (command !== 'delete' && !folder)) {
    throw new Error(kubeconfig ? USAGE : 'set KUBECONFIG to the file of a cluster that nobody needs');
  }
  const statePath = resolve(options.state);
  mkdirSync(dirname(statePath), { recursive: true });
  const state: SavedState = existsSync(statePath) ? json(statePath) : { assembly: '', resources: {} };
  state.assembly = folder ? resolve(folder) : state.assembly;
  if (!state.assembly) {
    throw new Error(`nothing was deployed by ${statePath}`);
  }
  const save = () => writeFileSync(statePath, JSON.stringify(state, undefined, 1), { mode: 0o600 });

  const assembly = new Assembly(state.assembly, options.stack);
  const report = new Report();
  const note = (text: string) => report.note(`  ${text}`);
  const layer = options.layer ? layerOf(options.layer) : assembly.kubectlLayer();
  const handler = assembly.kubectlHandler();
  if (!layer || !handler) {
    throw new Error('the assembly has no kubectl layer and handler: give its cluster both, and name the layer with --layer v35');
  }
  const tools = new Tools(layer, kubeconfig);
  const nodeGroups = options['node-groups'] ? new SimulatedNodes(tools, resolve(options['node-groups'])) : new NodesOfCluster(tools, note);
  const secrets = new Secrets(resolve(options.secrets));
  const volumes = options.shared ? new Volumes(tools, options.shared) : undefined;
  const aws = new AwsProvider(assembly, secrets, volumes, nodeGroups);
  const kubectl = new KubectlProvider({
    tools,
    handler,
    logs: `${statePath}.logs`,
    region: assembly.region,
    gap: Number(options.gap),
    timeout: Number(options.timeout),
    charts: options.charts && resolve(options.charts),
    without: list(options.without),
    standIns: (properties) => rewrite(properties, { secrets, volumes, values: json(options.values) }),
  }, note);
  const providerOf = (type: string): Provider => KubectlProvider.provides(type) ? kubectl : aws;
  const stack = new Stack(state, providerOf, report, {
    order: {
      seed: options.seed === undefined ? undefined : Number(options.seed),
      first: list(options.first),
      last: list(options.last),
      sequential: options.sequential,
    },
    fail: options.fail,
    noRollback: options['no-rollback'],
  }, save);

  if (state.before === undefined) {
    await nodeGroups.prepare(Number(options['existing-nodes']));
    state.before = await inventory(tools);
    save();
  }
  const complete = async () => report.check('all workloads are complete', async () => incomplete(tools, Number(options.wait)));
  const dagRuns = async () => options.dag && report.check(`the DAG '${options.dag}' runs`, async () => notRun(tools, options.dag!, Number(options.wait)));
  const nothingLeft = async () => report.check('nothing is left behind', async () => {
    const { stays, hangs } = await leftBehind(tools, state.before!);
    const expected = new RegExp(options.stays);
    note(`stays as expected: ${summary(stays.filter((name) => expected.test(name)))}`);
    return [...hangs.map((name) => `${name} hangs`), ...stays.filter((name) => !expected.test(name))];
  });
  const within = async () => options.within && report.check(`ends within ${options.within} s`, async () =>
    report.seconds() <= Number(options.within) ? [] : [`took ${report.seconds().toFixed(1)} s`]);
  switch (command) {
    case 'create': {
      const created = await stack.create(assembly);
      await within();
      await (created ? complete() : nothingLeft());
      await (created && dagRuns());
      break;
    }
    case 'update': {
      const changes = await stack.update(assembly);
      await within();
      report.note(`${changes ?? 'no lasting'} changes`);
      if (options.unchanged) {
        await report.check('nothing has changed', async () => changes === 0 ? [] : ['the template or the stand-ins changed something']);
      }
      await complete();
      break;
    }
    default: {
      await stack.delete();
      await within();
      await nothingLeft();
    }
  }
  if (options.fail) {
    await report.check('what was told to fail has failed', async () => stack.failure ? [`nothing was done for '${stack.failure}'`] : []);
  }
  return report.end();
}

main().then((code) => process.exit(code), (error) => {
  console.error(error.message);
  process.exit(1);
});
