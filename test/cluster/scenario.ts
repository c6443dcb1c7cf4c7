/**
 * What a deployment goes through in its life, by the commands of deploy.ts: a first deployment that fails, the retry, an update that
 * changes nothing, one that changes something, one that fails and is rolled back, and deletions in different orders. See README.md.
 */
import { spawn } from 'child_process';
import { once } from 'events';
import { join } from 'path';
import { parseArgs } from 'util';

const { values: options, positionals: [assembly], tokens } = parseArgs({
  allowPositionals: true,
  strict: false,
  tokens: true,
  options: {
    'fail': { type: 'string', default: 'ReadyScheduler' }, // what fails when pods do not start
    'seeds': { type: 'string', default: '1' },
    'updated-values': { type: 'string' },
    'values': { type: 'string' },
  },
});
/** All other options go to each command. */
const shared = tokens.flatMap((token) => token.kind === 'option' && !['fail', 'seeds', 'updated-values', 'values'].includes(token.name)
  ? [token.inlineValue ? `${token.rawName}=${token.value}` : token.rawName] : []);

const results: string[] = [];
let passed = 0;
let failed = 0;
/** Whether the cluster is in no state for what follows. */
let broken = false;

async function play(...words: string[]): Promise<void> {
  if (broken) {
    return;
  }
  const begin = Date.now();
  const title = words.filter((word) => word !== assembly).join(' ');
  console.log(`\n== ${title}`);
  const child = spawn(process.execPath, [...process.execArgv, join(__dirname, 'deploy.ts'), ...words, ...shared], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  await once(child, 'close');
  const [, good, bad] = /(\d+) passed, (\d+) failed\s*$/.exec(output) ?? ['', '0', '1'];
  passed += Number(good);
  failed += Number(bad);
  broken = Number(bad) > 0 && words[0] !== 'update';
  results.push(`${((Date.now() - begin) / 1000).toFixed(1).padStart(7)} s  ${title}: ${good} passed, ${bad} failed`);
}

async function main(): Promise<void> {
  const values = options.values ? [`--values=${options.values}`] : [];
  await play('create', assembly, `--fail=${options.fail}`, ...values);
  await play('create', assembly, ...values);
  await play('update', assembly, '--unchanged', ...values);
  if (options['updated-values']) {
    const updated = `--values=${options['updated-values']}`;
    await play('update', assembly, updated);
    await play('update', assembly, '--fail=Release', ...values); // values change nothing but the release
    await play('update', assembly, '--unchanged', updated);
  }
  for (const [index, seed] of String(options.seeds).split(',').entries()) {
    if (index > 0) {
      await play('create', assembly, ...values);
    }
    await play('delete', `--seed=${seed}`);
  }
  console.log(['', ...results, ...broken ? ['broken off: the cluster is in no state for what follows'] : [], `${passed} passed, ${failed} failed`].join('\n'));
}

main().then(() => process.exit(failed > 0 ? 1 : 0), (error) => {
  console.error(error);
  process.exit(1);
});
