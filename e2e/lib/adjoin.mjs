// The program under test: the real binary, started as a user would, ended with the test.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const binary = process.env.ADJOIN_BIN;
if (!binary) {
  throw new Error('ADJOIN_BIN is not set: give the path of the adjoin binary, or run scripts/test');
}

/** Port 9 (discard) is closed wherever tests run. */
const nowhere = 'http://127.0.0.1:9';

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

/**
 * A service on an empty database, and a sandbox that knows its redirect URI. Each has to know the other's address
 * before it starts, so the service's port is chosen first.
 */
export async function startWorld(t, ...sandboxArguments) {
  const port = await freePort();
  const redirect = `http://127.0.0.1:${port}/connector/callback`;
  const sandbox = await start(['sandbox', '--listen', '127.0.0.1:0', '--redirect-uri', redirect, ...sandboxArguments]);
  t.after(() => sandbox.stop());
  const service = await startService(t, {
    port, graph: sandbox.ready.graph_url, dialog: sandbox.ready.dialog_url,
    // What receives events in a test is on this machine.
    more: ['--delivery-allow', '127.0.0.0/8'],
  });
  return { ...service, graph: sandbox.ready };
}

/** A service on an empty database; unless told otherwise its port is free and its Graph is nowhere. */
export async function startService(t, { port = 0, graph = nowhere, dialog = nowhere, more = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'adjoin-e2e-'));
  const key = join(folder, 'master.key');
  run(['key', 'generate', key]);
  const service = await start([
    'serve', '--listen', `127.0.0.1:${port}`, '--master-key-file', key,
    '--database-url', `sqlite://${join(folder, 'adjoin.db')}`,
    '--graph-url', graph, '--dialog-url', dialog, ...more,
  ]);
  t.after(async () => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const url = new URL(service.ready.console_url);
  return { origin: url.origin, host: url.host, operatorLink: service.ready.operator_link, log: service.log };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
