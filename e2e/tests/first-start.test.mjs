// From an empty database to an operator who has named the service and made an account.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startService } from '../lib/adjoin.mjs';
import { closeBrowser, look, openBrowser, openPage, tabTo } from '../lib/browser.mjs';
import { becomeOperator, createAccount, menu, operator, setServiceDomain, signIn } from '../lib/console.mjs';

before(openBrowser);
after(closeBrowser);

for (const [name, options] of Object.entries({
  desktop: { viewport: { width: 1280, height: 800 } },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
})) {
  describe(`first start, ${name}`, () => {
    test('link, operator, settings, account', async (t) => {
      const service = await startService(t);
      const page = await openPage(t, options);
      await page.goto(service.operatorLink);
      assert.equal(new URL(page.url()).hash, '', 'the one-time code stays in the address bar');
      await look(page, `${name}-welcome`);
      await becomeOperator(page, service);
      await look(page, `${name}-overview-empty`);

      await menu(page, 'Settings');
      await look(page, `${name}-settings`);
      await setServiceDomain(page, service);
      await page.getByText(`http://${service.host}/connector/callback`, { exact: true }).waitFor();

      await menu(page, 'Accounts');
      await look(page, `${name}-accounts-empty`);
      await createAccount(page, 'Blue Door Bakery');
      await look(page, `${name}-account`);
      await menu(page, 'Accounts');
      await page.getByRole('link', { name: 'Blue Door Bakery' }).waitFor();
      await look(page, `${name}-accounts`);
    });
  });
}

test('the one-time link works once, and only signed-in operators see the console', async (t) => {
  const service = await startService(t);
  const page = await openPage(t);
  await becomeOperator(page, service);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.goto(`${service.origin}/accounts`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await look(page, 'desktop-sign-in');

  await signIn(page, service, 'not the password');
  await page.getByLabel('Password').and(page.locator('[aria-invalid=true]')).waitFor();
  await look(page, 'desktop-sign-in-refused');
  await signIn(page, service);
  await page.getByText(operator.email).waitFor();

  const stranger = await openPage(t);
  await stranger.goto(service.operatorLink);
  await stranger.getByLabel('Your name').fill('Mallory');
  await stranger.getByLabel('E-mail address').fill('mallory@example.com');
  await stranger.getByLabel('Password').fill('another long password');
  await stranger.getByRole('button', { name: 'Create the operator' }).click();
  await stranger.getByText('used already').waitFor();
  await look(stranger, 'desktop-welcome-refused');
});

test('wrong settings are refused beside their field, and nothing typed is lost', async (t) => {
  const service = await startService(t);
  const page = await openPage(t);
  await becomeOperator(page, service);
  await menu(page, 'Settings');
  await page.getByLabel('Partner name').fill('Northwind CRM');
  await page.getByLabel('Service Domain').fill('example.com/path');
  await page.getByLabel('Return URLs').fill('javascript:alert(1)');
  await page.getByRole('button', { name: 'Save settings' }).click();
  await page.getByText('2 fields need another look.').waitFor();
  await look(page, 'desktop-settings-refused');
  assert.equal(await page.getByLabel('Partner name').inputValue(), 'Northwind CRM');
  assert.equal(await page.getByLabel('Service Domain').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByLabel('Return URLs').inputValue(), 'javascript:alert(1)');
});

test('without JavaScript the code is pasted, and everything else works', async (t) => {
  const service = await startService(t);
  const page = await openPage(t, { javaScriptEnabled: false });
  await becomeOperator(page, service);
  await setServiceDomain(page, service);
  await createAccount(page, 'Blue Door Bakery');
  for (const button of await page.getByRole('button', { name: 'Copy' }).all()) {
    assert.fail(`${await button.textContent()} is shown, but needs a script`);
  }
});

test('with the keyboard alone', async (t) => {
  const service = await startService(t);
  const page = await openPage(t);
  await page.goto(service.operatorLink);
  for (const [label, text] of [
    ['Your name', operator.name],
    ['E-mail address', operator.email],
    ['Password', operator.password],
  ]) {
    await tabTo(page, page.getByLabel(label));
    await page.keyboard.type(text);
  }
  await page.keyboard.press('Enter');
  await page.getByText('Your operator account is ready.').waitFor();

  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to the content' });
  assert.ok(await skip.evaluate((node) => node === document.activeElement), 'the first stop leads past the menu');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');

  await page.goto(`${service.origin}/accounts`);
  await tabTo(page, page.getByRole('link', { name: 'New account' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'New account' }).waitFor();
  await tabTo(page, page.getByLabel('Name', { exact: true }));
  await page.keyboard.type('Blue Door Bakery');
  await tabTo(page, page.getByRole('button', { name: 'Create account' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Blue Door Bakery' }).waitFor();
});
