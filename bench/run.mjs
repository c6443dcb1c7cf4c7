// Measures how the library loads, how synthesis grows with the number of deployments, and, with `--against`, how both compare with
// another checkout. See README.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: { against, runs, sizes } } = parseArgs({
  options: { against: { type: 'string' }, runs: { type: 'string', default: '15' }, sizes: { type: 'string', default: '1,50,200' } },
});
const rounds = Number(runs);
const here = fileURLToPath(new URL('.', import.meta.url));
const own = join(here, '..');
const scratch = mkdtempSync(join(tmpdir(), 'bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Runs node until it exits, and returns the resources that it used. */
function node(args, env = {}) {
  const usage = join(scratch, 'usage.json');
  const { status, stderr } = spawnSync(process.execPath, ['--require', join(here, 'usage.cjs'), ...args],
    { encoding: 'utf8', env: { ...process.env, CDK_VALIDATION: 'false', ...env, BENCH_USAGE: usage } });
  if (status !== 0) {
    throw new Error(`node ${args.join(' ')} exited with ${status}\n${stderr}`);
  }
  return JSON.parse(readFileSync(usage, 'utf8'));
}

const load = (...modules) => node(['-e', modules.map((name) => `require(${JSON.stringify(name)});`).join('')]);
const synthesize = (checkout, env, ...flags) => node([...flags, join(here, 'app.js')], { ...env, BENCH_CHECKOUT: checkout, CDK_OUTDIR: join(scratch, 'out') });

/** Runs the commands in turn in each round, so that other load on the machine affects all of them alike. */
function interleave(commands, count) {
  commands.forEach((run) => run()); // warms the file cache
  return Array.from({ length: count }, () => commands.map((run) => run()));
}

function median(figures) {
  return figures.sort((a, b) => a - b)[Math.floor(figures.length / 2)];
}

/** Prints the median of the figures of all rounds, and the range of the middle half. */
function report(what, figures, digits, unit = '') {
  const middle = median(figures);
  const quarter = Math.floor(figures.length / 4);
  const [low, high] = [figures[quarter], figures[figures.length - 1 - quarter]].map((figure) => figure.toFixed(digits));
  console.log(`  ${what.padEnd(60)} ${middle.toFixed(digits).padStart(6)}${unit}${figures.length > 1 ? `  (${low} to ${high})` : ''}`);
}

/** The number of resources in all templates of a synthesis. */
function resources(checkout) {
  const folder = join(scratch, 'out');
  rmSync(folder, { recursive: true, force: true });
  synthesize(checkout);
  return readdirSync(folder).filter((name) => name.endsWith('.template.json'))
    .reduce((sum, name) => sum + Object.keys(JSON.parse(readFileSync(join(folder, name), 'utf8')).Resources).length, 0);
}

console.log('Loading the library');
const { files } = load(own);
const cdkModules = files.filter((file) => /node_modules.(constructs.lib|aws-cdk-lib(.aws-[^/\\]+)?).index\.js$/.test(file));
report('files', [files.length], 0);
const loads = interleave([() => load(), () => load(...cdkModules), () => load(own)], rounds);
report('CPU over an empty process, in ms', loads.map(([empty, , library]) => (library.cpu - empty.cpu) / 1000), 0);
report('CPU over a process that loads the same CDK modules, ratio', loads.map(([, cdk, library]) => library.cpu / cdk.cpu), 2);

const [few, some, many] = sizes.split(',').map(Number);
console.log(`Cost of a deployment from ${some} to ${many}, over the cost of one from ${few} to ${some}`);
const growing = interleave([few, some, many].map((n) => () => synthesize(own, { N: String(n) })), 3);
for (const what of ['cpu', 'memory']) {
  const [a, b, c] = [0, 1, 2].map((index) => median(growing.map((round) => round[index][what])));
  report(what === 'cpu' ? 'CPU' : what, [((c - b) / (many - some)) / ((b - a) / (some - few))], 2);
}

if (against !== undefined) {
  const other = resolve(against);
  const [ownCdk, otherCdk] = [own, other].map((checkout) => createRequire(join(checkout, 'package.json'))('aws-cdk-lib/package.json').version);
  if (ownCdk !== otherCdk) {
    throw new Error(`both checkouts must have the same version of aws-cdk-lib, got ${ownCdk} and ${otherCdk} in ${other}`);
  }
  console.log(`This checkout over ${other}`);
  report('resources', [resources(own) / resources(other)], 2);
  report('loading: files', [files.length / load(other).files.length], 2);
  const newSpace = ['--min-semi-space-size=16', '--max-semi-space-size=16'];
  for (const [what, run] of Object.entries({
    'loading': (checkout) => load(checkout),
    'synthesis': (checkout) => synthesize(checkout),
    'synthesis, existing kubectl provider': (checkout) => synthesize(checkout, { KUBECTL: 'existing' }),
    'synthesis, fixed new space of V8': (checkout) => synthesize(checkout, {}, ...newSpace),
  })) {
    const samples = interleave([() => run(own), () => run(other)], rounds);
    report(`${what}: CPU`, samples.map(([one, two]) => one.cpu / two.cpu), 2);
    report(`${what}: memory`, samples.map(([one, two]) => one.memory / two.memory), 2);
  }
}
