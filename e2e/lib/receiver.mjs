// The partner's backend: takes events by POST and remembers them.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

/** A receiver on a free port. `answer` is the status it answers with, and may be changed. */
export async function startReceiver(t) {
  const receiver = { answer: 200, got: [] };
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      receiver.got.push({ headers: request.headers, body: Buffer.concat(parts).toString('utf8') });
      response.writeHead(receiver.answer, { 'content-type': 'text/plain' });
      response.end(receiver.answer === 200 ? '' : 'the CRM is being mended');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  receiver.url = `http://127.0.0.1:${server.address().port}/hooks/adjoin`;
  return receiver;
}

/** Whether a delivery is signed with the secret, as Standard Webhooks says. */
export function isSigned({ headers, body }, secret) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const right = createHmac('sha256', key).update(content).digest();
  return headers['webhook-signature'].split(' ').some((one) => {
    const given = Buffer.from(one.replace(/^v1,/, ''), 'base64');
    return given.length === right.length && timingSafeEqual(given, right);
  });
}
