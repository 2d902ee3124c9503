// A partner's endpoint in another language: the published `standardwebhooks` library verifies what Adjoin signs.
//
//     node standardwebhooks_receiver.mjs ADJOIN_BINARY
//
// Starts `adjoin demo`, which stays up and allows endpoints on this machine, and ends it with the test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Webhook } from 'standardwebhooks';

const [binary] = process.argv.slice(2);

function check(name, condition, detail) {
  console.log(`${condition ? 'ok    ' : 'FAIL  '}${name}${condition || detail === undefined ? '' : `: ${JSON.stringify(detail)}`}`);
  if (!condition) process.exit(1);
}

const demo = spawn(binary, ['demo', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
process.on('exit', () => demo.kill());

async function ready() {
  for await (const line of createInterface({ input: demo.stdout })) {
    const said = JSON.parse(line);
    if (said.api_key) return said;
  }
  throw new Error('the demo ended');
}
const { api_key: key, console_url: console_url } = await ready();

async function api(path, body) {
  const answer = await fetch(new URL(path, console_url), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body ?? {}),
  });
  const text = await answer.text();
  check(`POST ${path.replace(/_[0-9a-f]{32}/, '_…')} answers ${answer.status}`, answer.ok, text);
  return text ? JSON.parse(text) : undefined;
}

/** What was posted to us, one at a time. */
const arrivals = [];
let arrived = () => {};
const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  arrivals.push({ headers: request.headers, body: Buffer.concat(parts).toString('utf8') });
  response.end();
  arrived();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

async function next() {
  while (arrivals.length === 0) await new Promise((resolve) => (arrived = resolve));
  return arrivals.shift();
}

function verifies(secret, { body, headers }) {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch {
    return undefined;
  }
}

const url = `http://127.0.0.1:${server.address().port}/hook`;
const endpoint = await api('/v1/endpoints', { url, types: ['endpoint.test'] });
await api(`/v1/endpoints/${endpoint.id}/test`);
const first = await next();
const event = verifies(endpoint.secret, first);
check('the library verifies the delivery', event?.type === 'endpoint.test', first);
check('its id is the event\'s', first.headers['webhook-id'] === event.id, first.headers);
check('a changed body does not verify', !verifies(endpoint.secret, { ...first, body: `${first.body} ` }));

const rotated = await api(`/v1/endpoints/${endpoint.id}/rotate-secret`);
check('the new secret is another', rotated.secret !== endpoint.secret);
await api(`/v1/endpoints/${endpoint.id}/test`);
const second = await next();
check('during rotation the new secret verifies', verifies(rotated.secret, second), second);
check('and the old one does', verifies(endpoint.secret, second), second);
check('the first delivery was of the old one alone', !verifies(rotated.secret, first));

server.close();
server.closeAllConnections();
process.exit(0);
