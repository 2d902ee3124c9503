// What accounts pay for: somebody sends a form, and the partner's backend has it. Seen from the console.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { startWorld } from '../lib/adjoin.mjs';
import { closeBrowser, lookAtAll, openBrowser, openPage, reloadUntil, tabTo } from '../lib/browser.mjs';
import { allow, confirm, toFacebook } from '../lib/consent.mjs';
import {
  becomeOperator, createAccount, installAndLink, menu, setServiceDomain, setUpConnector,
} from '../lib/console.mjs';
import { isSigned, startReceiver } from '../lib/receiver.mjs';

before(openBrowser);
after(closeBrowser);

const account = 'Blue Door Bakery';

/** An account that is connected for leads; the operator stands on its page. `prepare` may change the sandbox first. */
async function connected(t, options, prepare = () => {}) {
  const world = await startWorld(t);
  await prepare(world.graph);
  const operator = await openPage(t, options);
  await becomeOperator(operator, world);
  await setServiceDomain(operator, world);
  await setUpConnector(operator, world.graph, { useCases: ['Ads', 'Leads'] });
  await operator.getByText('Set up', { exact: true }).first().waitFor();
  await createAccount(operator, account);
  const link = await installAndLink(operator);
  const customer = await openPage(t, options);
  await toFacebook(customer, link);
  await allow(customer);
  await confirm(customer, account);
  await customer.getByRole('heading', { name: new RegExp(`${account} is connected`) }).waitFor();
  await menu(operator, 'Accounts');
  await operator.getByRole('link', { name: account }).click();
  await operator.getByRole('heading', { level: 1, name: account }).waitFor();
  return { world, operator, here: operator.url().split('?')[0] };
}

/** A person fills in the form on the Page and sends it. */
async function sendForm(t, world, options) {
  const visitor = await openPage(t, options);
  const { origin } = new URL(world.graph.graph_url);
  await visitor.goto(`${origin}/_sandbox/forms/${world.graph.form_id}`);
  const form = visitor.locator('form').filter({ has: visitor.getByLabel('Through') });
  for (const field of await form.locator('input[required]').all()) {
    const type = await field.getAttribute('type');
    if (type === 'radio' || type === 'checkbox') await field.check();
    else await field.fill({ email: 'jane.doe@example.com', tel: '+15550101234' }[type] ?? 'Jane Doe');
  }
  await form.getByRole('button').click();
  await visitor.getByRole('heading', { name: 'For the sandbox' }).waitFor();
  return (await visitor.locator('dd code').first().textContent()).trim();
}

/** Makes an endpoint in the console; the operator stands on its page. Answers its secret. */
async function makeEndpoint(operator, url) {
  await menu(operator, 'Endpoints');
  await operator.getByRole('link', { name: 'Make the first endpoint' }).click();
  await operator.getByLabel('URL').fill(url);
  await operator.getByLabel('Description').fill('CRM, production');
  await operator.getByRole('button', { name: 'Make the endpoint' }).click();
  const card = operator.getByRole('status').filter({ hasText: 'signing secret' });
  return (await card.locator('code').first().textContent()).trim();
}

for (const [name, options] of Object.entries({ script: {}, 'no-script': { javaScriptEnabled: false } })) {
  test(`a lead from the form to the endpoint, ${name}`, async (t) => {
    const receiver = await startReceiver(t);
    const { world, operator, here } = await connected(t, options);
    const see = (page) => (operator.hasScript ? lookAtAll(operator, `leads-${page}`) : undefined);
    await see('account');

    // Before anything was sent, each page says what to do.
    await menu(operator, 'Leads');
    await see('empty');
    await menu(operator, 'Endpoints');
    await see('endpoints-empty');
    await operator.getByRole('link', { name: 'Make the first endpoint' }).click();
    await operator.getByLabel('URL').fill('http://10.0.0.1/internal');
    await operator.getByRole('button', { name: 'Make the endpoint' }).click();
    await operator.getByText('One field needs another look.').waitFor();
    await see('endpoint-refused');
    const secret = await makeEndpoint(operator, receiver.url);
    assert.match(secret, /^whsec_/);
    await see('endpoint-secret');

    // The way works before the first lead.
    await operator.getByRole('button', { name: 'Send a test event' }).click();
    await operator.getByRole('heading', { name: 'Attempts' }).waitFor();
    await reloadUntil(operator, operator.getByText('It was taken.'));
    await see('delivery');
    assert.ok(isSigned(receiver.got[0], secret), 'the test event is not signed with the secret that was shown');

    // Forms and Pages are found by themselves.
    await operator.goto(`${here}/forms`);
    await reloadUntil(operator, operator.getByRole('heading', { name: 'Completeness' }));
    await reloadUntil(operator, operator.locator(`a[href$="/forms/${world.graph.form_id}"]`));

    const metaId = await sendForm(t, world, options);
    await menu(operator, 'Leads');
    await reloadUntil(operator, operator.getByRole('row').filter({ hasText: metaId }).getByText('Delivered'));
    assert.ok(!(await operator.content()).includes('jane.doe@example.com'), 'the list shows who it was');
    await see('inbox');

    await operator.getByRole('row').filter({ hasText: metaId }).getByRole('link').click();
    await operator.getByText('jane.doe@example.com').waitFor();
    const way = operator.getByRole('list').filter({ hasText: 'The person sent the form' });
    for (const words of ['Meta named it by a webhook', 'It was read from Meta', 'lead.created', 'Delivered to CRM, production']) {
      await way.getByText(words).waitFor();
    }
    await see('lead');
    const lead = operator.url();
    const event = receiver.got.find((it) => it.body.includes('jane.doe@example.com'));
    assert.ok(event && isSigned(event, secret));
    assert.equal(JSON.parse(event.body).type, 'lead.created');

    // Sent again by one press, with the same id.
    await way.getByRole('link', { name: 'CRM, production' }).first().click();
    await operator.getByRole('button', { name: 'Send again' }).click();
    await operator.getByText('It is sent again, with the same id.').waitFor();
    await operator.goto(operator.url().split('?')[0]);
    await reloadUntil(operator, operator.getByText('It was taken.').nth(1));
    const again = receiver.got.filter((it) => it.headers['webhook-id'] === event.headers['webhook-id']);
    assert.equal(again.length, 2);

    // Nothing is missing, and Adjoin can tell.
    await operator.goto(`${here}/forms`);
    await operator.getByRole('button', { name: 'Sweep all now' }).click();
    await operator.getByText('All forms are being swept.').waitFor();
    const row = operator.getByRole('row').filter({ has: operator.locator(`a[href$="/forms/${world.graph.form_id}"]`) });
    await operator.goto(`${here}/forms`);
    await reloadUntil(operator, row.getByText('None missing'));
    await see('forms');
    await row.getByRole('link').click();

    // A canary arrives, as far as somebody wants test leads: nobody does.
    const form = operator.url();
    await operator.getByRole('button', { name: 'Send a canary' }).click();
    await operator.getByText('The canary is on its way.').waitFor();
    await operator.goto(form);
    await reloadUntil(operator, operator.getByText('Arrived', { exact: true }));
    await operator.getByText('No endpoint wants test leads').waitFor();
    await operator.getByRole('button', { name: 'Send one every day' }).click();
    await operator.getByText('A canary is sent every day.').waitFor();
    await operator.getByText('The next one is sent in').waitFor();
    await operator.getByLabel('Days').fill('400');
    await operator.getByRole('button', { name: 'Backfill' }).click();
    await operator.getByRole('alert').waitFor();
    await see('form');
    await operator.getByLabel('Days').fill('30');
    await operator.getByRole('button', { name: 'Backfill' }).click();
    await operator.getByText('The backfill is under way.').waitFor();

    // The backend is down: it is said, and all goes on when it is back.
    receiver.answer = 503;
    await menu(operator, 'Endpoints');
    await operator.getByRole('link', { name: 'CRM, production' }).click();
    const endpoint = operator.url();
    await operator.getByRole('button', { name: 'Send a test event' }).click();
    await reloadUntil(operator, operator.getByText('Tried again'));
    await see('delivery-failed');
    await operator.goto(endpoint);
    await see('endpoint-failing');
    receiver.answer = 200;
    await operator.getByRole('button', { name: 'Try waiting ones now' }).click();
    await operator.getByText(/waiting deliver(y is|ies are) tried now/).waitFor();
    await operator.goto(endpoint);
    await reloadUntil(operator, operator.getByText('Enabled', { exact: true }));

    await operator.getByRole('button', { name: 'Rotate the secret' }).click();
    await operator.getByRole('heading', { name: 'The new signing secret' }).waitFor();
    await operator.goto(endpoint);
    await operator.getByRole('button', { name: 'Disable' }).click();
    await operator.getByText('Somebody disabled it.').waitFor();
    await see('endpoint-disabled');
    await operator.getByRole('button', { name: 'Enable' }).click();
    await operator.getByText('The endpoint is enabled').waitFor();
    await operator.getByRole('link', { name: 'Change' }).click();
    await operator.getByLabel('lead.*', { exact: true }).check();
    await see('endpoint-change');
    await operator.getByRole('button', { name: 'Save' }).click();
    await operator.getByText('The endpoint is changed.').waitFor();
    await menu(operator, 'Endpoints');
    await see('endpoints');

    await operator.goto(`${world.origin}/connectors/facebook-marketing/webhooks`);
    await reloadUntil(operator, operator.getByText('Subscribed', { exact: true }));
    await see('webhooks');
    await operator.goto(`${world.origin}/quarantine`);
    await see('quarantine');
    await menu(operator, 'Overview');
    await see('overview');

    // Forgotten when the person wants it.
    await operator.goto(lead);
    await operator.getByRole('link', { name: 'Erase' }).click();
    await see('erase');
    await operator.getByRole('button', { name: 'Erase the lead' }).click();
    await operator.getByText('What the person sent is erased.').waitFor();
    assert.ok(!(await operator.content()).includes('jane.doe@example.com'));
    await see('lead-erased');
  });
}

/** The app's webhooks of Pages go to another service, which was there first. Answers its address. */
async function subscribeAnother(t, graph) {
  const other = createServer((request, response) => {
    response.end(new URL(request.url, 'http://other').searchParams.get('hub.challenge'));
  });
  await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => other.close(resolve)));
  const callback = `http://127.0.0.1:${other.address().port}/the-crm-before`;
  const { origin } = new URL(graph.graph_url);
  const answer = await fetch(`${origin}/${graph.api_version}/${graph.app_id}/subscriptions`, {
    method: 'POST',
    body: new URLSearchParams({
      object: 'page', fields: 'leadgen', callback_url: callback, verify_token: 'other',
      access_token: `${graph.app_id}|${graph.app_secret}`,
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
  return callback;
}

/** Posts a webhook as Meta does. */
async function post(world, body) {
  const text = JSON.stringify(body);
  const signature = createHmac('sha256', world.graph.app_secret).update(text).digest('hex');
  const answer = await fetch(`${world.origin}/webhooks/facebook`, {
    method: 'POST', body: text, headers: { 'x-hub-signature-256': `sha256=${signature}` },
  });
  assert.equal(answer.status, 200);
}

test('webhooks that go elsewhere are taken over, and what nobody can use is kept', async (t) => {
  let callback;
  const { world, operator } = await connected(t, {}, async (graph) => {
    callback = await subscribeAnother(t, graph);
  });
  await operator.goto(`${world.origin}/connectors/facebook-marketing/webhooks`);
  await reloadUntil(operator, operator.getByText('Not subscribed', { exact: true }));
  await operator.getByText(callback).first().waitFor();
  await lookAtAll(operator, 'webhooks-elsewhere');
  await operator.getByRole('link', { name: 'Take over' }).click();
  await lookAtAll(operator, 'webhooks-take-over');
  await operator.getByRole('button', { name: 'Take them over' }).click();
  await reloadUntil(operator, operator.getByText('Subscribed', { exact: true }).nth(1));

  const change = (field, value) => ({ field, value });
  const entry = (id, ...changes) => ({ object: 'page', entry: [{ id, time: 1795514400, changes }] });
  await post(world, entry('990011223344556', change('leadgen', { leadgen_id: '1', page_id: '990011223344556' })));
  await post(world, entry(world.graph.page_id, change('feed', { item: 'post' }), change('leadgen', { odd: true })));
  await post(world, entry('0', change('leadgen', { leadgen_id: '444444444444', page_id: '444444444444' })));
  await operator.goto(`${world.origin}/quarantine`);
  await reloadUntil(operator, operator.getByRole('row').nth(4));
  await lookAtAll(operator, 'quarantine-filled');
});

test('a lead that could not be read says why, and its way tells it once it is read', async (t) => {
  const { world, operator } = await connected(t);
  const scenario = `${new URL(world.graph.graph_url).origin}/_sandbox/scenarios/leads_access_manager`;
  assert.ok((await fetch(scenario, { method: 'PUT', body: '{}' })).ok);
  const metaId = await sendForm(t, world);
  await menu(operator, 'Leads');
  const row = operator.getByRole('row').filter({ hasText: metaId });
  await reloadUntil(operator, row.getByText('Parked'));
  await row.getByRole('link').click();
  await operator.getByText('It cannot be read from Meta').waitFor();
  await lookAtAll(operator, 'lead-parked');
  assert.ok((await fetch(scenario, { method: 'DELETE' })).ok);
  await operator.getByRole('button', { name: 'Try now' }).click();
  await reloadUntil(operator, operator.getByText('It was read from Meta'));
  await operator.getByText('It could not be read').waitFor();
  await lookAtAll(operator, 'lead-read-late');
});

test('with the keyboard alone: from the inbox to the lead', async (t) => {
  const { world, operator } = await connected(t);
  const metaId = await sendForm(t, world);
  await operator.goto(`${world.origin}/leads`);
  await reloadUntil(operator, operator.getByRole('row').filter({ hasText: metaId }).getByText('Read, not delivered'));
  await tabTo(operator, operator.getByRole('combobox', { name: 'State' }));
  await operator.keyboard.press('r');
  await tabTo(operator, operator.getByRole('button', { name: 'Show' }));
  await operator.keyboard.press('Enter');
  await operator.waitForURL(/state=undelivered/);
  await tabTo(operator, operator.getByRole('row').filter({ hasText: metaId }).getByRole('link'));
  await operator.keyboard.press('Enter');
  await operator.getByRole('heading', { name: 'Its way' }).waitFor();
});
