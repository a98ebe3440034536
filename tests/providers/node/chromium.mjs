// Debian's Chromium, for the journeys: node chromium.mjs PROGRAM, one JSON command a line in, one JSON answer a line out.
//
//   {do: "open", tab, scripts, still?}     a person's browser with nothing in it; scripts: false is without JavaScript,
//                                          still: true has JavaScript, but the pages' own scripts are empty
//   {do: "go", tab, url, see}              opens an address and waits until the text `see` is on the page
//   {do: "see", tab, see}                  waits for the text
//   {do: "click", tab, on, see}            `on`: the name of a button or link, or {css}
//   {do: "type", tab, on, text}            `on`: a CSS selector, here and in {do: "find", tab, on}, which only waits
//   {do: "attach", tab, on, file: {name, text}}   gives a field a file
//   {do: "choose", tab, on, value}         an option of a list
//   {do: "inspect", tab, name}             in light and dark, narrow and wide: what is too wide, what axe finds; pictures
//   {do: "cookie", tab, url, name, value}  gives the browser a cookie of that address
//   {do: "keys", tab, keys, see}           presses keys one after the other: "Control+k", "ArrowDown"
//   {do: "focus", tab, on}                 leads the keyboard to an element
//   {do: "drag", tab, on, to}              drags an element onto another
//   {do: "device", tab}                    a device with passkeys, whose owner always agrees
//   {do: "close", tab}
//
// An answer is {url, status, title, text, complaints}; inspect adds {found}; {error} says what went wrong. Complaints are
// what the browser's console holds and what it could not load, each with the page that it happened on.
// JOURNEY_SCREENSHOTS names a folder for the pictures; a page is shown down to TALLEST.
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

const MOMENT = 15_000; // milliseconds
const LONGEST = 45_000;
const NARROW = 360;
const WIDE = 1280;
const TALLEST = 2400;
const pictures = process.env.JOURNEY_SCREENSHOTS;
const tabs = new Map();

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  ],
});

async function open({ tab: name, scripts, still = false }) {
  const context = await browser.newContext({
    javaScriptEnabled: scripts,
    ignoreHTTPSErrors: true,
    viewport: { width: NARROW, height: 740 },
    reducedMotion: 'reduce',
    locale: 'en-GB',
  });
  if (still) await context.route('**/static/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  const page = await context.newPage();
  page.setDefaultTimeout(MOMENT);
  const tab = { context, page, scripts, status: null, complaints: [] };
  const complain = (what, at) => tab.complaints.push({ page: page.url(), at, what });
  page.on('console', (message) => {
    const { url } = message.location();
    const ownStatus = message.text().startsWith('Failed to load resource') && url === tab.document;
    if (['error', 'warning'].includes(message.type()) && !ownStatus) complain(message.text(), url);
  });
  page.on('pageerror', (error) => complain(String(error), page.url()));
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED') complain(why, request.url()); // the page was left
  });
  page.on('response', (response) => {
    if (!response.request().isNavigationRequest()) return;
    tab.document = response.url();
    tab.status = response.status();
  });
  tabs.set(name, tab);
}

async function seen(tab, text) {
  if (text) await tab.page.getByText(text).first().waitFor();
  await tab.page.waitForLoadState();
}

const acts = {
  async go(tab, { url, see }) {
    await tab.page.goto(url, { waitUntil: 'commit' });
    await seen(tab, see);
  },

  async see(tab, { see }) {
    await seen(tab, see);
  },

  async click(tab, { on, see }) {
    await place(tab, on).click();
    await seen(tab, see);
  },

  async find(tab, { on }) {
    await tab.page.locator(on).waitFor();
  },

  async type(tab, { on, text }) {
    await tab.page.locator(on).fill(text);
  },

  async attach(tab, { on, file: { name, text } }) {
    await tab.page.locator(on).setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  },

  async choose(tab, { on, value }) {
    await tab.page.locator(on).selectOption(value);
  },

  async cookie(tab, { url, name, value }) {
    await tab.context.addCookies([{ url, name, value }]);
  },

  async device(tab) {
    const session = await tab.context.newCDPSession(tab.page);
    await session.send('WebAuthn.enable');
    const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
    await session.send('WebAuthn.addVirtualAuthenticator', { options });
  },

  async keys(tab, { keys, see }) {
    for (const key of keys) await tab.page.keyboard.press(key);
    await seen(tab, see);
  },

  async focus(tab, { on }) {
    await tab.page.locator(on).focus();
  },

  async drag(tab, { on, to }) {
    await tab.page.locator(on).dragTo(tab.page.locator(to));
  },

  async inspect(tab, { name }) {
    const found = [];
    for (const width of [NARROW, WIDE]) {
      const height = width === NARROW ? 740 : 800;
      await tab.page.setViewportSize({ width, height });
      for (const scheme of ['light', 'dark']) {
        await tab.page.emulateMedia({ colorScheme: scheme });
        found.push(...(await ugly(tab)).map((what) => `${name}, ${width} px, ${scheme}: ${what}`));
        if (pictures) await picture(tab, name, width, height, scheme);
      }
    }
    await tab.page.setViewportSize({ width: NARROW, height: 740 });
    return { found };
  },
};

// The window is as tall as the page: what sticks to its edges is where a person would see it.
async function picture({ page, scripts }, name, width, height, scheme) {
  mkdirSync(pictures, { recursive: true });
  const whole = await page.evaluate(() => document.scrollingElement.scrollHeight);
  await page.setViewportSize({ width, height: Math.min(TALLEST, Math.max(height, whole)) });
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${pictures}/${name}-${width}-${scheme}${scripts ? '' : '-no-scripts'}.png` });
  await page.setViewportSize({ width, height });
}

function place(tab, on) {
  if (on.css) return tab.page.locator(on.css).first();
  const named = { name: on, exact: true };
  return tab.page.getByRole('button', named).or(tab.page.getByRole('link', named)).first();
}

async function ugly(tab) {
  const { wide, room } = await tab.page.evaluate(() => ({ wide: document.scrollingElement.scrollWidth, room: innerWidth }));
  const found = wide > room ? [`${wide} px wide, there is room for ${room}`] : [];
  return tab.scripts ? [...found, ...await inaccessible(tab)] : found; // axe waits for timers, which are scripts
}

async function inaccessible({ page }) {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { rules: { 'target-size': { enabled: true } } }));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
}

async function done(command) {
  if (command.do === 'open') await open(command);
  const tab = tabs.get(command.tab);
  if (command.do === 'close') {
    tabs.delete(command.tab);
    await tab.context.close();
    return {};
  }
  const more = command.do === 'open' ? {} : await acts[command.do](tab, command);
  return { ...await shown(tab), ...more };
}

async function shown({ page, status, complaints }) {
  return { url: page.url(), status, title: await page.title(), text: await page.locator('body').innerText(), complaints };
}

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const late = new Promise((_, fail) => { setTimeout(() => fail(new Error('it took too long')), LONGEST).unref(); });
  const answer = await Promise.race([done(command), late]).catch(async (error) => {
    const tab = tabs.get(command.tab);
    const now = tab ? { url: tab.page.url(), complaints: tab.complaints } : {};
    return { error: String(error), ...now };
  });
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
