// The program under test: the real binary, started as a user would, ended with the test.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const binary = process.env.ADJOIN_BIN;
if (!binary) {
  throw new Error('ADJOIN_BIN is not set: give the path of the adjoin binary, or run scripts/test');
}

const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('ADJOIN_')),
);

/** Runs a subcommand to its end. */
function run(args) {
  const done = spawnSync(binary, args, { env: environment, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`adjoin ${args.join(' ')} ended with ${done.status}: ${done.stderr}`);
}

/** Starts a subcommand that stays up; `ready` is the JSON of its first line on stdout. */
async function start(args) {
  const child = spawn(binary, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const first = new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const died = ended.then((how) => {
    throw new Error(`adjoin ${args[0]} ended with ${how}:\n${log.join('\n')}`);
  });
  const line = await Promise.race([first, died]);
  died.catch(() => {});
  return {
    ready: JSON.parse(line),
    log,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The sandbox on a free port. `graph` is what its first line says. */
export async function startSandbox(t, ...args) {
  const sandbox = await start(['sandbox', '--listen', '127.0.0.1:0', ...args]);
  t.after(() => sandbox.stop());
  return { graph: sandbox.ready, log: sandbox.log };
}

/** A service on a free port and an empty database; without a sandbox its Graph is nowhere. */
export async function startService(t, sandbox) {
  const folder = mkdtempSync(join(tmpdir(), 'adjoin-e2e-'));
  const key = join(folder, 'master.key');
  run(['key', 'generate', key]);
  const nowhere = 'http://127.0.0.1:9';
  const service = await start([
    'serve', '--listen', '127.0.0.1:0',
    '--database-url', `sqlite://${join(folder, 'adjoin.db')}`,
    '--master-key-file', key,
    '--graph-url', sandbox ? new URL(sandbox.graph.graph_url).origin : nowhere,
    '--dialog-url', sandbox ? new URL(sandbox.graph.dialog_url).origin : nowhere,
  ]);
  t.after(async () => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const url = new URL(service.ready.console_url);
  return { origin: url.origin, host: url.host, operatorLink: service.ready.operator_link, log: service.log };
}
