// What the account's person does: the connect page, Facebook's dialog, the confirmation.

/** From the link to Facebook's dialog. */
export async function toFacebook(page, link) {
  await page.goto(link);
  await page.getByRole('button', { name: 'Continue to Facebook' }).click();
  await dialog(page);
}

export async function dialog(page) {
  await page.getByRole('heading', { name: /asks for access/ }).waitFor();
}

/** As somebody who has not consented before: the sandbox's first person has, and is not asked again. */
export async function asNewcomer(page) {
  if (await page.getByRole('button', { name: 'Continue as Jonas' }).isVisible()) return;
  await page.getByText(/^Not \w+\?$/).click();
  await page.getByRole('link', { name: 'Jonas Okafor' }).click();
  await dialog(page);
}

/** The dialog's box for a permission. */
export function permission(page, name) {
  return page.getByRole('checkbox', { name: new RegExp(`\\b${name}\\b`) });
}

/** Picks single assets of a kind: `Ad accounts`, `Pages`. */
export async function pick(page, kind, count = 1) {
  const group = page.getByRole('group', { name: kind });
  await group.getByLabel('Only those ticked').check();
  const boxes = await group.getByRole('checkbox').all();
  for (const [index, box] of boxes.entries()) await box.setChecked(index < count);
}

export async function allow(page) {
  await page.getByRole('button', { name: /^Continue as/ }).click();
}

/** The press on the page that names partner and account. */
export async function confirm(page, account) {
  await page.getByRole('heading', { name: /One more press/ }).waitFor();
  await page.getByRole('button', { name: `Yes, connect ${account}` }).click();
}
