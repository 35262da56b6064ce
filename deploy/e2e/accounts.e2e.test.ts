import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
// The same arithmetic as query-api's own tests: what a person's authenticator shows.
import { totpCode } from '../../query-api/src/testing/totp.ts';
import { makeTempDir, removeDir } from '../testing/helpers.ts';
import { FREE_PORTS, START_DEADLINE_MS, startInstallation, type Running } from './installation.ts';

const PASSWORD = 'correct horse battery';
const EMAIL = 'grace@example.com';

let folder = '';
let system: Running;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let secret = '';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  folder = await makeTempDir();
  const port = await freePort();
  // By a name: browsers take passkeys on no address of digits.
  const env = { ...FREE_PORTS, DASHBOARD_PORT: String(port), DASHBOARD_URL: `http://localhost:${port}` };
  system = await startInstallation(join(folder, 'home'), env);
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  context = await browser.newContext({ baseURL: `http://localhost:${port}` });
  page = await context.newPage();
}, START_DEADLINE_MS + 30_000);

afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await removeDir(folder);
}, 90_000);

const code = () => totpCode(`otpauth://totp/x?secret=${secret}`);
const button = (name: string, on = page) => on.getByRole('button', { name, exact: true });

async function signOut(): Promise<void> {
  await page.goto('/');
  await page.getByText('Account', { exact: true }).first().click();
  await button('Sign out').click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

async function typePassword(): Promise<void> {
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await button('Sign in').click();
}

it('asks the first admin once who they are, after a button and not by the link alone', async () => {
  const printed = /^ {2}(http\S+\/sign-in\?link=\S+)\s*$/m.exec(system.output())?.[1] ?? '';
  expect(system.output().trimEnd().endsWith(printed)).toBe(true);
  await page.goto(printed);
  expect((await context.cookies()).map(({ name }) => name)).not.toContain('lanewatch_session');
  await button('Sign in with this link').click();
  await page.getByRole('heading', { name: 'Welcome to Lanewatch' }).waitFor();
  expect(await page.getByRole('link', { name: 'Later' }).count()).toBe(1);
  await page.getByLabel('Your name').fill('Grace');
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await button('Save and go on').click();
  await page.waitForURL('/');
  // The file's link is another: a person's use of theirs leaves scripts what they were promised.
  const script = await fetch(system.ready.sign_in_url, { redirect: 'manual' });
  expect(script.headers.getSetCookie().join()).toContain('lanewatch_session=');
});

it('takes an authenticator, and asks for its code at the next sign-in', async () => {
  await page.goto('/account');
  await page.locator('#totp-password').fill(PASSWORD);
  await button('Set up an authenticator').click();
  secret = await page.getByTestId('totp-secret').innerText();
  expect(await page.getByLabel('Recovery codes', { exact: true }).innerText()).toMatch(/^(\w{5}-\w{5}\n?){10}$/);
  await page.getByLabel('Code it shows').fill(code());
  await button('Turn on').click();
  await page.getByText('From now on a code is asked for').waitFor();

  await signOut();
  await typePassword();
  await page.getByLabel('Code of your authenticator').fill('000000');
  await button('Go on').click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Code of your authenticator').fill(code());
  await button('Go on').click();
  await page.waitForURL('/');
});

it('issues an API token that a script uses without a cookie', async () => {
  await page.goto('/account');
  await page.getByLabel('New token').fill('nightly report');
  await page.locator('#token-access').selectOption('admin');
  await button('Issue').click();
  const token = await page.getByTestId('token-secret').innerText();
  const me = await fetch(`${system.ready.query_api_url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(await me.json()).toMatchObject({ email: EMAIL, role: 'admin', via: 'token' });
  await page.reload();
  expect(await page.content()).not.toContain(token);
});

it('lets an invited viewer in who sees no button that is not theirs', async () => {
  await page.goto('/people');
  await page.getByLabel('E-mail').fill('vera@example.com');
  await page.getByLabel('as', { exact: true }).selectOption('viewer');
  await button('Make a link').click();
  const link = await page.getByLabel('Link for vera@example.com', { exact: true }).innerText();
  const visitor = await browser.newContext();
  try {
    const hers = await visitor.newPage();
    await hers.goto(link);
    await hers.getByLabel('Your name').fill('Vera');
    await hers.getByLabel('Password').fill(PASSWORD);
    await button('Save and sign in', hers).click();
    const origin = new URL(link).origin;
    await hers.waitForURL(`${origin}/`);
    await hers.goto(`${origin}/credentials`);
    await hers.getByRole('heading', { name: 'Registry' }).waitFor();
    expect(await hers.getByRole('link', { name: /Register|Issue/ }).count()).toBe(0);
    await page.goto('/credentials');
    expect(await page.getByRole('link', { name: /Register|Issue/ }).count()).toBeGreaterThan(0);
    for (const path of ['/people', '/credentials/new']) {
      expect((await hers.goto(origin + path))?.status()).toBe(403);
    }
  } finally {
    await visitor.close();
  }
});

it('signs in by a passkey', async () => {
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
      ...{ isUserVerified: true, automaticPresenceSimulation: true },
    },
  });
  await page.goto('/account');
  await page.locator('#passkey-name').fill('This laptop');
  await button('Add a passkey').click();
  await page.getByText('This laptop, added').waitFor();
  await signOut();
  await button('Sign in with a passkey').click();
  await page.waitForURL('/');
  await page.goto('/account');
  await page.getByText(EMAIL).first().waitFor();
});
