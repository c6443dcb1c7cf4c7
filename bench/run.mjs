// What the library costs, beside the same resources written by hand. See README.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: { runs, sizes } } = parseArgs({ options: { runs: { type: 'string', default: '15' }, sizes: { type: 'string', default: '1,50,200' } } });
const here = fileURLToPath(new URL('.', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Runs node to its end, and says what the process used. */
function node(args, env = {}) {
  const usage = join(scratch, 'usage.json');
  const { status, stderr } = spawnSync(process.execPath, ['--require', join(here, 'usage.cjs'), ...args],
    { encoding: 'utf8', env: { ...process.env, CDK_VALIDATION: 'false', ...env, BENCH_USAGE: usage } });
  if (status !== 0) {
    throw new Error(`node ${args.join(' ')} ended with ${status}\n${stderr}`);
  }
  return JSON.parse(readFileSync(usage, 'utf8'));
}

const synthesize = (app, env) => node([join(here, app, 'app.js')], { ...env, CDK_OUTDIR: join(scratch, app) });

/** Runs all of them in turn, again and again, so that what else the machine does hits all alike. */
function interleave(commands, rounds) {
  const samples = commands.map(() => []);
  commands.forEach((run) => run()); // fills the caches of the machine
  for (let round = 0; round < rounds; round++) {
    commands.forEach((run, index) => samples[index].push(run()));
  }
  const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  return samples.map((list) => ({ cpu: median(list.map(({ cpu }) => cpu)), memory: median(list.map(({ memory }) => memory)) }));
}

let failures = 0;
function report(what, figure, budget, unit = '') {
  const over = budget !== undefined && figure > budget;
  console.log(`  ${what.padEnd(62)} ${figure.toFixed(unit ? 0 : 2).padStart(6)}${unit}${budget === undefined ? '' : `  (budget ${budget}${unit}${over ? ', OVER' : ''})`}`);
  return over;
}

/** Resource types, charts and kinds of Kubernetes objects of all templates, each with its number, and the size of the templates. */
function contents(app) {
  const counts = {};
  let bytes = 0;
  const count = (name) => { counts[name] = (counts[name] ?? 0) + 1; };
  for (const file of readdirSync(join(scratch, app)).filter((name) => name.endsWith('.template.json'))) {
    const text = readFileSync(join(scratch, app, file), 'utf8');
    bytes += text.length;
    for (const { Type, Properties = {} } of Object.values(JSON.parse(text).Resources)) {
      count(Type);
      if (Properties.Chart) {
        count(`${Type} ${Properties.Chart}`);
      }
      // A manifest is JSON with references in the middle of its strings.
      const manifest = [Properties.Manifest?.['Fn::Join']?.[1] ?? Properties.Manifest ?? '[]'].flat();
      for (const { kind } of JSON.parse(manifest.filter((part) => typeof part === 'string').join(''))) {
        count(`${Type} ${kind}`);
      }
    }
  }
  return { counts, bytes };
}

console.log('The same resources');
for (const kubectl of ['own', 'existing']) {
  synthesize('floor', { KUBECTL: kubectl });
  synthesize('library', { KUBECTL: kubectl });
  const [floor, library] = ['floor', 'library'].map(contents);
  const different = Object.keys({ ...floor.counts, ...library.counts }).filter((name) => floor.counts[name] !== library.counts[name]);
  for (const name of different) {
    console.log(`  ${name}: ${floor.counts[name] ?? 0} by hand, ${library.counts[name] ?? 0} by the library`);
  }
  failures += different.length;
  failures += report(`bytes of the templates, ${kubectl} kubectl provider`, library.bytes / floor.bytes, 1.15) ? 1 : 0;
  for (const app of ['floor', 'library']) {
    rmSync(join(scratch, app), { recursive: true });
  }
}

console.log(`Synthesis, over the floor with its own kubectl provider; medians of ${runs} runs`);
const [floor, own, existing, floorExisting] = interleave([
  () => synthesize('floor', {}),
  () => synthesize('library', {}),
  () => synthesize('library', { KUBECTL: 'existing' }),
  () => synthesize('floor', { KUBECTL: 'existing' }),
], runs);
report('CPU', own.cpu / floor.cpu, 1.10);
report('memory', own.memory / floor.memory, 1.05);
report('CPU, kubectl provider of the cluster', existing.cpu / floor.cpu, 0.75);
report('memory, kubectl provider of the cluster', existing.memory / floor.memory);
report('CPU, kubectl provider of the cluster, over the floor with it', existing.cpu / floorExisting.cpu);
// New space grows in steps of its own size, and one is taken or not by a few KiB. With its size fixed, memory is what is held.
const fixed = (app) => () => node(['--min-semi-space-size=16', '--max-semi-space-size=16', join(here, app, 'app.js')], { CDK_OUTDIR: join(scratch, app) });
const [floorFixed, ownFixed] = interleave([fixed('floor'), fixed('library')], 3);
report('memory, with the size of V8\'s new space fixed', ownFixed.memory / floorFixed.memory);

console.log('Loading the library');
const load = (modules) => ['-e', modules.map((name) => `require(${JSON.stringify(name)});`).join('')];
const { files } = node(load([join(here, '..')]));
const cdkModules = files.filter((file) => /node_modules.(constructs.lib|aws-cdk-lib(.aws-[^/\\]+)?).index\.js$/.test(file));
const [empty, cdk, library] = interleave([() => node(load([])), () => node(load(cdkModules)), () => node(load([join(here, '..')]))], runs * 2);
failures += report('files loaded', files.length, 40, ' files') ? 1 : 0;
report('CPU, over an empty process', (library.cpu - empty.cpu) / 1000, 35, ' ms');
report('CPU, over the CDK modules that it uses', library.cpu / cdk.cpu, 1.10);

const [few, some, many] = sizes.split(',').map(Number);
console.log(`Growth from ${some} to ${many} deployments, over the one from ${few} to ${some}`);
for (const app of ['floor', 'library']) {
  const [a, b, c] = interleave([few, some, many].map((n) => () => synthesize(app, { N: n })), 3);
  for (const what of ['cpu', 'memory']) {
    const growth = ((c[what] - b[what]) / (many - some)) / ((b[what] - a[what]) / (some - few));
    report(`${what === 'cpu' ? 'CPU' : what}, ${app}`, growth, app === 'library' ? 1.10 : undefined);
  }
}

if (failures > 0) {
  console.error('Not the same resources, or too many files: the figures above do not count.');
  process.exit(1);
}
