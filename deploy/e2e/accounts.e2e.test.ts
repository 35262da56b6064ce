import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// The same arithmetic as query-api's own tests: what a person's authenticator shows.
import { totpCode } from '../../query-api/src/testing/totp.ts';
import { startProvider } from '../../query-api/src/testing/oidc-provider.ts';
import { makeTempDir, removeDir, until } from '../testing/helpers.ts';
import { press, type } from '../testing/keyboard.ts';
import { freePort } from '../kafka/start-kafka.ts';
import { FREE_PORTS, START_DEADLINE_MS, startInstallation, type Running } from './installation.ts';

const FIRST_PASSWORD = 'correct horse battery';
const EMAIL = 'grace@example.com';
const VERA = 'vera@example.com';

let folder = '';
let address = '';
let provider: Awaited<ReturnType<typeof startProvider>>;
let system: Running;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let secret = '';
let password = FIRST_PASSWORD;
let token = '';

beforeAll(async () => {
  folder = await makeTempDir();
  const port = await freePort();
  // By a name: browsers take passkeys on no address of digits.
  address = `http://localhost:${port}`;
  provider = await startProvider(`${address}/sign-in/oidc`, {
    vera: { email: VERA, email_verified: true, name: 'Vera' },
  });
  const oidcSecret = join(folder, 'oidc-secret');
  await writeFile(oidcSecret, 'client secret', { mode: 0o600 });
  const env = {
    ...{ ...FREE_PORTS, DASHBOARD_PORT: String(port), DASHBOARD_URL: address },
    ...{ OIDC_ISSUER: provider.issuer, OIDC_CLIENT_ID: 'lanewatch', OIDC_CLIENT_SECRET_FILE: oidcSecret },
  };
  system = await startInstallation(join(folder, 'home'), env);
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  context = await browser.newContext({ baseURL: address });
  page = await context.newPage();
}, START_DEADLINE_MS + 30_000);

afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await provider?.close();
  await removeDir(folder);
}, 90_000);

const code = () => totpCode(`otpauth://totp/x?secret=${secret}`);
const button = (name: string, on: Page | Locator = page) => on.getByRole('button', { name, exact: true });

async function signOut(): Promise<void> {
  await page.goto('/');
  await page.getByText('Account', { exact: true }).first().click();
  await button('Sign out').click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

const openByScript = () => fetch(system.ready.sign_in_url, { redirect: 'manual' });

async function typePassword(): Promise<void> {
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.getByLabel('Password').fill(password);
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
  await page.getByLabel('Password').fill(password);
  await button('Save and go on').click();
  await page.waitForURL('/onboarding');
  // The file's link is another: a person's use of theirs leaves scripts what they were promised.
  const script = await openByScript();
  expect(script.headers.getSetCookie().join()).toContain('lanewatch_session=');
});

it('takes an authenticator by the keyboard alone, and asks for its code at the next sign-in', async () => {
  await page.goto('/account');
  await type(page, 'Password', password);
  await page.keyboard.press('Enter');
  secret = await page.getByTestId('totp-secret').innerText();
  expect(await page.getByLabel('Recovery codes', { exact: true }).innerText()).toMatch(/^(\w{5}-\w{5}\n?){10}$/);
  await type(page, 'Code it shows', code());
  await page.keyboard.press('Enter');
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
  token = await page.getByTestId('token-secret').innerText();
  const me = await fetch(`${system.ready.query_api_url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(await me.json()).toMatchObject({ email: EMAIL, role: 'admin', via: 'token' });
  await page.reload();
  expect(await page.content()).not.toContain(token);
});

describe('a production key, from its form to its end', () => {
  const NAME = 'Invoice runner, nightly';
  const held = { old: '', fresh: '', address: '' };

  /** What another service is told of a use from an address. */
  async function verify(key: string, ip: string): Promise<string> {
    const response = await fetch(`${system.ready.query_api_url}/v1/credentials/verify`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ key, action: 'write', resource: 'runs', ip, agent: 'invoice-job' }),
    });
    return ((await response.json()) as { code: string }).code;
  }
  /** Until the page's own JavaScript runs: the palette's button is of its making. */
  const running = () => page.getByRole('button', { name: /key, page or action/ }).waitFor();
  const main = async () => (await page.locator('main').innerText()).replace(/\s+/g, ' ');
  async function keep(): Promise<string> {
    const shown = await page.getByTestId('secret').innerText();
    await page.getByLabel('I have stored the secret').check();
    await button('Continue').click();
    await page.getByRole('heading', { name: NAME }).waitFor();
    expect(await page.content()).not.toContain(shown);
    return shown;
  }
  /** Loads a page again until it says so: the ledger has what happened a moment later. */
  const showsSoon = (path: string, words: RegExp) =>
    until(
      async () => {
        await page.goto(path);
        return words.test(await main());
      },
      70_000,
      `${words} on ${path}`,
    );

  it('belongs to a project and a service account, is refused without an end, and shows its secret once', async () => {
    for (const [path, name, make] of [
      ['projects', 'billing', 'Make the project'],
      ['service-accounts', 'invoice-runner', 'Make the service account'],
    ] as const) {
      await page.goto(`/settings/${path}`);
      await page.getByLabel('Name').fill(name);
      await page.getByLabel('Owner').fill(EMAIL);
      await button(make).click();
      await page.getByText(`${name} is saved`).waitFor();
    }
    await page.goto('/credentials/create');
    await running();
    await page.getByLabel('Name').fill(NAME);
    await page.getByLabel('Environment').selectOption('production');
    await button('runs:write').click();
    await page.getByLabel('never').check();
    await page.getByLabel('Owner', { exact: true }).fill('invoice-runner');
    await page.getByLabel('Project').fill('billing');
    await page.getByLabel('IPv4 networks').fill('10.0.0.0/8');
    expect(await page.getByLabel('The owner is').inputValue()).toBe('service_account');
    await button('Create the key').click();
    await page.locator('#expiry-error').waitFor();
    await page.getByLabel('in 30 days').check();
    await button('Create the key').click();
    held.old = await keep();
    held.address = new URL(page.url()).pathname;
    await page.goto('/settings/projects');
    expect(await main()).toMatch(/billing \S+ 1 1/);
  });

  it('verifies from its networks alone, and its page tells of the use', async () => {
    expect([await verify(held.old, '10.1.2.3'), await verify(held.old, '192.0.2.7')]).toEqual([
      'VALID',
      'FORBIDDEN_IP',
    ]);
    await showsSoon(held.address, /Last used (?!never)/);
  });

  it('says before an edit is saved that its caller would start failing', async () => {
    await page.getByRole('link', { name: 'Edit' }).click();
    await running();
    await page.getByLabel('Resource of scope 1').fill('runs/special/*');
    await button('See what it changes').click();
    await page.getByText('of the last 7 days would start failing').waitFor();
    await button('Save all the same').click();
    await page.getByText('Saved.').waitFor();
    expect(await verify(held.old, '10.1.2.3')).toBe('FORBIDDEN_SCOPE');
    await page.getByRole('link', { name: 'Edit' }).click();
    await page.getByLabel('Resource of scope 1').fill('runs');
    await button('See what it changes').click();
    await page.getByRole('button', { name: /^Save/ }).click();
    await page.getByText('Saved.').waitFor();
  });

  it('rotated with an hour of grace knows both secrets, and says who still uses the old one', async () => {
    await page.getByRole('link', { name: 'Rotate' }).click();
    await page.getByLabel('1 hour').check();
    await button('Rotate').click();
    held.fresh = await keep();
    expect([await verify(held.old, '10.1.2.3'), await verify(held.fresh, '10.1.2.3')]).toEqual(['VALID', 'VALID']);
    await showsSoon(held.address, /Still used: 1 call since it was replaced.*invoice-job/);
  });

  it('revoked is refused, and its next use is a critical finding', async () => {
    await page.getByRole('link', { name: 'Revoke…' }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByLabel('Reason').fill('Leaked in a build log');
    await dialog.getByLabel('Type its name').fill(NAME);
    await button('Revoke for ever', dialog).click();
    await page.getByRole('status').filter({ hasText: 'Revoked.' }).waitFor();
    expect([await verify(held.fresh, '10.1.2.3'), await verify(held.old, '10.1.2.3')]).toEqual(['REVOKED', 'REVOKED']);
    await showsSoon('/findings?severity=critical', /Revoked or expired key in use/);
  });
});

it('lets a viewer in who was invited by the keyboard, and who sees no button that is not theirs', async () => {
  await page.goto('/people');
  await type(page, 'E-mail', VERA);
  await type(page, 'as', 'viewer');
  await press(page, 'Make a link');
  const link = await page.getByLabel(`Link for ${VERA}`, { exact: true }).innerText();
  const visitor = await browser.newContext();
  try {
    const hers = await visitor.newPage();
    await hers.goto(link);
    await hers.getByLabel('Your name').fill('Vera');
    await hers.getByLabel('Password').fill(password);
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

it('gives a role, disables and enables by the keyboard alone', async () => {
  await page.goto('/people');
  await type(page, `Role of ${VERA}`, 'analyst');
  await press(page, 'Give');
  await page.getByText(`${VERA} is analyst now.`).waitFor();
  await press(page, `Disable ${VERA}`);
  await page.getByText(`${VERA} is disabled now.`).waitFor();
  await press(page, `Enable ${VERA}`);
  await page.getByText(`${VERA} is active now.`).waitFor();
});

it('signs an invited person in by the OpenID provider', async () => {
  const visitor = await browser.newContext({ baseURL: address });
  try {
    const hers = await visitor.newPage();
    await hers.goto('/sign-in');
    await hers.getByRole('link', { name: /^Sign in with/ }).click();
    await hers.locator('input[name="login"]').fill('vera');
    await hers.locator('input[name="password"]').fill('any');
    await hers.locator('button[type="submit"]').click();
    await hers.getByRole('button', { name: 'Continue' }).click();
    await hers.waitForURL('/');
    await hers.goto('/account');
    await hers.getByText(VERA).first().waitFor();
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

it('ends a session and changes the password by the keyboard alone, which ends every other session', async () => {
  const cookie = (await openByScript()).headers.getSetCookie()[0]!.split(';', 1)[0]!;
  const isOpen = async () => (await fetch(`${system.ready.query_api_url}/v1/me`, { headers: { cookie } })).ok;
  expect(await isOpen()).toBe(true);
  await page.goto('/account');
  await press(page, 'End');
  await page.getByText('The session has ended.').waitFor();
  await press(page, 'Change the password');
  await type(page, 'Present password', password);
  password = 'another horse battery';
  await type(page, 'New password', password);
  await page.keyboard.press('Enter');
  await page.getByText('The password is changed').waitFor();
  expect(await isOpen()).toBe(false);
  await page.getByText('this one').waitFor();
});
