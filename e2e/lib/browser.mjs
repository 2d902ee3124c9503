// The browser: the system's own Chromium, a fresh profile for each test, screenshots and an accessibility check.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const artifacts = join(root, 'artifacts');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const candidates = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

function executable() {
  const found = candidates.find((path) => path && existsSync(path));
  if (!found) throw new Error('There is no Chromium. Debian: apt-get install chromium. Else set CHROMIUM to its path.');
  return found;
}

let shared;

/** One browser process for a test file. */
export async function openBrowser() {
  shared = await chromium.launch({
    executablePath: executable(),
    args: [
      // A sandbox inside a container needs rights that tests rarely have; the pages are our own.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export async function closeBrowser() {
  await shared.close();
}

/** A person's browser: an empty profile that fails the test on any error of a page. */
export async function openPage(t, options = {}) {
  const context = await shared.newContext({ locale: 'en-GB', ...options });
  context.setDefaultTimeout(10_000);
  t.after(() => context.close());
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // A refused form is answered with 4xx, and the browser notes that in its console; the tests look at the page.
    if (message.type() === 'error' && !/the server responded with a status of 4/.test(message.text())) faults.push(message.text());
  });
  page.faults = faults;
  page.hasScript = options.javaScriptEnabled !== false;
  return page;
}

/** Keeps a picture of the page, and fails on accessibility faults that keep people out. */
export async function look(page, name) {
  mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: true, animations: 'disabled' });
  // axe is a script too, and waits for ever where none runs; the same pages are checked with scripts on.
  const found = page.hasScript ? await violations(page) : [];
  if (found.length > 0) {
    writeFileSync(join(artifacts, `${name}.axe.json`), JSON.stringify(found, null, 2));
    const told = found.map((v) => `${v.impact} ${v.id}: ${v.help}\n    ${v.nodes.map((n) => n.target.join(' ')).join('\n    ')}`);
    throw new Error(`${name} (${page.url()}) keeps people out:\n  ${told.join('\n  ')}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) throw new Error(`${name} (${page.url()}) is ${wide} px wider than the window`);
  if (page.faults.length > 0) throw new Error(`${name} (${page.url()}): ${page.faults.join('; ')}`);
}

/** Tabs on until the focus is on what is meant, as a person without a mouse does. */
export async function tabTo(page, target) {
  for (let step = 0; step < 60; step += 1) {
    if (await target.evaluate((node) => node === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no way by keyboard to ${target} on ${page.url()}`);
}

/** Serious and critical ones. The debugger evaluates axe, so our Content Security Policy does not stand in its way. */
async function violations(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => globalThis.axe.run(document));
  return result.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
}

/** What a page is looked at as, one after the other. */
const looks = {
  desktop: { size: { width: 1280, height: 800 }, media: { colorScheme: 'light' } },
  dark: { size: { width: 1280, height: 800 }, media: { colorScheme: 'dark' } },
  phone: { size: { width: 390, height: 844 }, media: { colorScheme: 'light' } },
};

/** Looks at the same page on a desk, in the dark and on a phone. */
export async function lookAtAll(page, name) {
  for (const [kind, { size, media }] of Object.entries(looks)) {
    await page.setViewportSize(size);
    await page.emulateMedia(media);
    await look(page, `${kind}-${name}`);
  }
  await page.setViewportSize(looks.desktop.size);
  await page.emulateMedia(looks.desktop.media);
}

/** Loads the page again until something stands on it that happens by itself. */
export async function reloadUntil(page, target) {
  for (let turn = 0; turn < 240; turn += 1) {
    if (await target.first().isVisible()) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
    await page.reload();
  }
  throw new Error(`${target} does not appear on ${page.url()}`);
}
