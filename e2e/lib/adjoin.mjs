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

/** Runs a subcommand to its end and answers its stdout. */
export function run(args, options = {}) {
  const done = spawnSync(binary, args, { env: environment, encoding: 'utf8', ...options });
  if (done.status !== 0) throw new Error(`adjoin ${args.join(' ')} ended with ${done.status}: ${done.stderr}`);
  return done.stdout;
}

/** Starts a subcommand that stays up; `ready` is the JSON of its first line on stdout. */
async function start(args, cwd) {
  const child = spawn(binary, args, { env: environment, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const first = new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const line = await Promise.race([first, ended.then((how) => { throw new Error(`adjoin ${args[0]} ended with ${how}:\n${log.join('\n')}`); })]);
  return {
    ready: JSON.parse(line),
    log,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** A sandbox and a service that calls it, each on a free port, on an empty database. */
export async function startWorld(t, { sandbox: sandboxArgs = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'adjoin-e2e-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const sandbox = await start(['sandbox', '--listen', '127.0.0.1:0', ...sandboxArgs], folder);
  t.after(() => sandbox.stop());
  const key = join(folder, 'master.key');
  run(['key', 'generate', key]);
  const service = await start(
    [
      'serve', '--listen', '127.0.0.1:0',
      '--database-url', `sqlite://${join(folder, 'adjoin.db')}`,
      '--master-key-file', key,
      '--graph-url', new URL(sandbox.ready.graph_url).origin,
      '--dialog-url', new URL(sandbox.ready.dialog_url).origin,
    ],
    folder,
  );
  t.after(() => service.stop());
  return {
    folder,
    graph: sandbox.ready,
    sandboxLog: sandbox.log,
    log: service.log,
    origin: new URL(service.ready.console_url).origin,
    operatorLink: service.ready.operator_link,
  };
}
