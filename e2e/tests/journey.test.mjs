// The main job, by hand: set up the connector, connect an account, create a correct ad set, disconnect.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startWorld } from '../lib/adjoin.mjs';
import { closeBrowser, look, openBrowser, openPage } from '../lib/browser.mjs';
import { allow, asNewcomer, confirm, dialog, permission, pick, toFacebook } from '../lib/consent.mjs';
import {
  becomeOperator, connectLink, createAccount, installAndLink, setServiceDomain, setUpConnector,
} from '../lib/console.mjs';

before(openBrowser);
after(closeBrowser);

const account = 'Blue Door Bakery';
const partner = 'Northwind CRM';

/** An operator whose account has the connector installed, and the connect link. */
async function ready(t, world, options) {
  const operator = await openPage(t, options);
  await becomeOperator(operator, world);
  await setServiceDomain(operator, world);
  await setUpConnector(operator, world.graph);
  await operator.getByText('Set up', { exact: true }).first().waitFor();
  await createAccount(operator, account);
  return { operator, link: await installAndLink(operator) };
}

const forms = {
  desktop: {},
  dark: { colorScheme: 'dark' },
  'no-script': { javaScriptEnabled: false },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

for (const [name, options] of Object.entries(forms)) {
  test(`the whole job, ${name}`, async (t) => {
    const world = await startWorld(t);
    const { operator, link } = await ready(t, world, options);
    await look(operator, `${name}-connect-link`);
    const connection = operator.url().replace(/\/link$/, '');

    // Another person, in a browser of their own, leaves out one permission and picks single assets.
    const customer = await openPage(t, options);
    await customer.goto(link);
    await customer.getByRole('heading', { name: new RegExp(account) }).waitFor();
    await customer.getByText(partner).first().waitFor();
    await look(customer, `${name}-connect-start`);
    await toFacebook(customer, link);
    await asNewcomer(customer);
    await look(customer, `${name}-dialog`);
    await permission(customer, 'ads_management').uncheck();
    await pick(customer, 'Ad accounts');
    await pick(customer, 'Pages');
    await allow(customer);
    await customer.getByRole('heading', { name: /One more press/ }).waitFor();
    assert.ok(!/code=|state=/.test(customer.url()), 'the code stays in the address bar');
    await look(customer, `${name}-connect-confirm`);

    // Nothing is connected before the press.
    await operator.goto(connection);
    await operator.getByRole('button', { name: 'Create connect link' }).waitFor();

    await confirm(customer, account);
    await customer.getByRole('heading', { name: `${account} is connected, with gaps` }).waitFor();
    await look(customer, `${name}-connect-gaps`);
    await operator.goto(connection);
    await look(operator, `${name}-connection-gaps`);

    // One button asks again for just that.
    await customer.getByRole('button', { name: 'Let Facebook ask again for just that' }).click();
    await dialog(customer);
    assert.equal(await permission(customer, 'ads_management').isChecked(), true);
    assert.equal(await customer.getByRole('group', { name: / may$/ }).getByRole('checkbox').count(), 1);
    await look(customer, `${name}-dialog-again`);
    await allow(customer);
    await confirm(customer, account);
    await customer.getByRole('heading', { name: `${account} is connected`, exact: true }).waitFor();
    await look(customer, `${name}-connect-done`);

    await operator.goto(connection);
    await operator.getByRole('button', { name: 'Test' }).click();
    await operator.getByRole('heading', { name: 'The test passed' }).waitFor();
    await look(operator, `${name}-connection-tested`);

    await createCampaignAndAdSet(operator, world, name);

    await operator.goto(connection);
    await look(operator, `${name}-connection-used`);
    await operator.getByRole('link', { name: 'Disconnect' }).click();
    await look(operator, `${name}-disconnect`);
    await operator.getByRole('button', { name: 'Disconnect' }).click();
    await operator.getByRole('button', { name: 'Create connect link' }).waitFor();
    await look(operator, `${name}-disconnected`);
  });
}

async function createCampaignAndAdSet(page, world, name) {
  await page.getByRole('link', { name: 'New campaign' }).click();
  await page.getByLabel('Name').fill('Spring leads');
  await page.getByLabel('Objective').selectOption('OUTCOME_LEADS');
  await look(page, `${name}-campaign-form`);
  await page.getByRole('button', { name: 'Create, paused' }).click();
  await page.getByRole('heading', { level: 1, name: 'Spring leads' }).waitFor();
  await look(page, `${name}-campaign`);

  await page.getByRole('link', { name: 'New ad set in this campaign' }).click();
  await page.getByLabel('Name').fill('United States, all ages');
  await page.getByLabel('Destination').selectOption('ON_AD');
  // The goals follow from the destination: at once with a script, without one after a check.
  if (!page.hasScript) await page.getByRole('button', { name: 'Check', exact: true }).click();
  await page.getByLabel('Optimization goal').selectOption('LEAD_GENERATION');
  await page.getByLabel('Billing event').selectOption('IMPRESSIONS');
  await page.getByLabel('Daily budget').fill('2000');
  await page.getByLabel('Bid strategy').selectOption('LOWEST_COST_WITHOUT_CAP');
  await page.getByLabel('Countries').fill('US');

  // Without its Page the ad set is refused here, before Meta is asked, and nothing typed is lost.
  await page.getByRole('button', { name: 'Create, paused' }).click();
  await page.getByText(/page_id/).first().waitFor();
  await look(page, `${name}-ad-set-refused`);
  assert.equal(await page.getByLabel('Daily budget').inputValue(), '2000');
  await page.getByRole('group', { name: 'Promoted object' }).getByLabel(/page/i).fill(world.graph.page_id);
  await page.getByRole('button', { name: 'Create, paused' }).click();
  await page.getByRole('heading', { level: 1, name: 'United States, all ages' }).waitFor();
  await page.getByText('PAUSED').first().waitFor();
  await look(page, `${name}-ad-set`);
}

test('a customer who cancels is told what it means and can begin again', async (t) => {
  const world = await startWorld(t);
  const { link } = await ready(t, world);
  const customer = await openPage(t);
  await toFacebook(customer, link);
  await customer.getByRole('button', { name: 'Cancel' }).click();
  await customer.getByRole('heading', { level: 1 }).waitFor();
  await look(customer, 'desktop-connect-cancelled');
  assert.equal(new URL(customer.url()).origin, world.origin);
});

test('a wrong secret is refused by Meta before anything is stored', async (t) => {
  const world = await startWorld(t);
  const operator = await openPage(t);
  await becomeOperator(operator, world);
  await setServiceDomain(operator, world);
  await setUpConnector(operator, world.graph, { secret: '0123456789abcdef0123456789abcdef' });
  await operator.getByRole('alert').waitFor();
  await look(operator, 'desktop-setup-refused');
  await operator.goto(`${world.origin}/connectors`);
  await operator.getByText('Not set up').waitFor();
});

test('a link that was used cannot be used by another browser', async (t) => {
  const world = await startWorld(t);
  const { operator, link } = await ready(t, world);
  const customer = await openPage(t);
  await toFacebook(customer, link);
  await allow(customer);
  await confirm(customer, account);
  await customer.getByRole('heading', { name: /is connected/ }).waitFor();
  const stranger = await openPage(t);
  await stranger.goto(link);
  await stranger.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(await stranger.getByRole('button', { name: 'Continue to Facebook' }).count(), 0);
  await look(stranger, 'desktop-connect-used');
  await operator.reload();
  assert.notEqual(await connectLink(operator, 'Reconnect'), link);
});
