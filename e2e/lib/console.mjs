// What an operator does in the console, found by roles and labels as people find things.

export const operator = { name: 'Ada Okafor', email: 'ada@example.com', password: 'correct horse battery staple' };

/** Follows the first start's link and creates the operator. */
export async function becomeOperator(page, service) {
  await page.goto(service.operatorLink);
  const code = page.getByLabel('One-time code');
  // Without JavaScript the code is not taken from the link; a person pastes the link.
  if ((await code.inputValue()) === '') await code.fill(service.operatorLink);
  await page.getByLabel('Your name').fill(operator.name);
  await page.getByLabel('E-mail address').fill(operator.email);
  await page.getByLabel('Password').fill(operator.password);
  await page.getByRole('button', { name: 'Create the operator' }).click();
  await page.getByText('Your operator account is ready.').waitFor();
}

export async function signIn(page, service, password = operator.password) {
  await page.goto(`${service.origin}/sign-in`);
  await page.getByLabel('E-mail address').fill(operator.email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Settings > General: the partner's name, the Service Domain, and connect links, which are off by default. */
export async function setServiceDomain(page, service) {
  await menu(page, 'Settings');
  await page.getByLabel('Partner name').fill('Northwind CRM');
  await page.getByLabel('Service Domain').fill(service.host);
  await page.getByRole('checkbox', { name: 'Allow connect links' }).check();
  await page.getByRole('button', { name: 'Save settings' }).click();
  await page.getByText('The settings are saved.').waitFor();
}

export async function createAccount(page, name) {
  await menu(page, 'Accounts');
  await page.getByRole('link', { name: 'New account' }).click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

export async function menu(page, entry) {
  await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name: entry }).click();
}

/** Connectors > Connector Library > Facebook Marketing API > Setup, with plain Facebook Login. */
export async function setUpConnector(page, graph, { secret = graph.app_secret, useCases = ['Ads'] } = {}) {
  await menu(page, 'Connectors');
  await page.getByRole('link', { name: 'Set up' }).click();
  await page.getByLabel('Client ID').fill(graph.app_id);
  await page.getByLabel('Client Secret').fill(secret);
  for (const name of useCases) await page.getByRole('checkbox', { name, exact: true }).check();
  await page.getByRole('radio', { name: 'Facebook Login', exact: true }).check();
  await page.getByRole('button', { name: 'Check at Meta and save' }).click();
}

/** On an account's page: installs the connector and answers the connect link. */
export async function installAndLink(page) {
  await page.getByRole('button', { name: 'Install the connector' }).click();
  const open = page.getByRole('link', { name: 'Open the connection' });
  const create = page.getByRole('button', { name: 'Create connect link' });
  await open.or(create).first().waitFor();
  if (await open.isVisible()) await open.click();
  return connectLink(page, 'Create connect link');
}

/** On a connection's page: presses for a connect link and answers it. */
export async function connectLink(page, button) {
  await page.getByRole('button', { name: button }).click();
  const card = page.getByRole('status').filter({ hasText: 'The connect link is ready' });
  return (await card.locator('code').first().textContent()).trim();
}
