import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { axeFindings, OF_THEMES } from './axe.ts';
import { eventually } from './eventually.ts';
import type { Stage } from './harness.ts';
import { onStage } from './on-stage.ts';

let stage: Stage;
let page: Page;

async function visit(options: Parameters<Stage['visitor']>[0] = {}): Promise<void> {
  page = await (await stage.visitor(options)).newPage();
}
onStage(async (its) => {
  stage = its;
  await visit();
  return () => page.context().close();
});

const keyNamed = (name: string) => stage.fake.org.credentials.find((one) => one.name === name);
/** Until the page's own JavaScript runs: the palette's button is of its making. */
const running = () => page.getByRole('button', { name: /key, page or action/ }).waitFor();
const main = async () => (await page.locator('main').innerText()).replace(/\s+/g, ' ');

/** Tabs until the element of this name has the focus. */
async function tabTo(name: string): Promise<void> {
  for (let step = 0; step < 80; step += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      return (
        element?.labels?.[0]?.textContent?.trim() || element?.getAttribute('aria-label') || element?.textContent?.trim()
      );
    });
    if (at === name) return;
  }
  expect.fail(`No way to ${name} by the keyboard`);
}

/** Fills in what creating a key needs, in production. */
async function fillIn(name: string): Promise<void> {
  await page.goto('/credentials/create');
  await running();
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Environment').selectOption('production');
  await page.getByRole('button', { name: 'runs:write' }).click();
}

describe('creating a key', () => {
  it('goes by the keyboard alone, from the form to the secret that was acknowledged and is nowhere afterwards', async () => {
    await page.goto('/credentials/create');
    await running();
    await tabTo('Name');
    await page.keyboard.type('Agents pipeline executor');
    await tabTo('Environment');
    await page.keyboard.type('sandbox');
    await tabTo('runs:write');
    await page.keyboard.press('Enter');
    await tabTo('Owner');
    await page.keyboard.type('pipeline');
    await tabTo('Create the key');
    await page.keyboard.press('Enter');
    const secret = await page.getByTestId('secret').innerText();
    await tabTo('I have stored the secret where only its user can read it.');
    await page.keyboard.press('Space');
    await tabTo('Continue');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Agents pipeline executor' }).waitFor();
    expect(page.url()).not.toContain('lw_');
    expect(await page.content()).not.toContain(secret);
    expect(keyNamed('Agents pipeline executor')).toMatchObject({
      kind: 'managed',
      environment: 'sandbox',
      owner: 'pipeline',
      scopes: [{ action: 'write', resource: 'runs' }],
    });
  });

  it('refuses a production key without an end beside its field, and keeps what was filled in', async () => {
    await fillIn('Endless');
    await page.getByLabel('never').check();
    await page.getByRole('button', { name: 'Create the key' }).click();
    await page.locator('#expiry-error').waitFor();
    expect(await page.locator('#expiry-error').innerText()).toContain('is required for production keys');
    expect(await page.getByLabel('Name').inputValue()).toBe('Endless');
    expect(await page.getByLabel('Resource of scope 1').inputValue()).toBe('runs');
    await page.getByLabel('in 30 days').check();
    await page.getByRole('button', { name: 'Create the key' }).click();
    await page.getByTestId('secret').waitFor();
    const inDays = (Date.parse(keyNamed('Endless')!.expires_at!) - Date.now()) / 86_400_000;
    expect(Math.round(inDays)).toBe(30);
  });

  it('says while scopes and networks are typed what they allow, refuse and leave open', async () => {
    await fillIn('Tried');
    await page.getByLabel('on', { exact: true }).fill('runs/r_81');
    await page.getByText('this refuses').waitFor();
    await page.getByLabel('Resource of scope 1').fill('runs/*');
    await page.getByText('this allows').waitFor();
    await page.getByLabel('Resource of scope 1').fill('runs/*x/y');
    await page.getByText('may have * for a whole segment').waitFor();
    await page.getByLabel('IPv4 networks').fill('0.0.0.0/0');
    await page.getByText('0.0.0.0/0 is every IPv4 address there is.').waitFor();
    await page.getByLabel('IPv6 networks').fill('::/0\n10.0.0.0/8');
    await page.getByText('::/0 is every IPv6 address there is.').waitFor();
    await page.getByText('10.0.0.0/8 is IPv4.').waitFor();
  });

  it('looks ahead at the account, the plan and what to think of, and blocks nothing', async () => {
    await fillIn('Looked ahead');
    await page.getByLabel('Owner', { exact: true }).fill('pipeline');
    const panel = page.getByRole('region', { name: 'Before you create it' });
    await panel.getByText('It works from any address.').waitFor();
    await panel.getByText('pipeline').waitFor();
    expect((await panel.innerText()).replace(/\s+/g, ' ')).toContain('of $50.00 a month');
    await page.getByRole('button', { name: 'Create the key' }).click();
    await page.getByTestId('secret').waitFor();
  });

  it('makes one key of a form that is sent twice', async () => {
    await fillIn('Pressed twice');
    await page.evaluate(() => {
      const form = document.querySelector<HTMLFormElement>('form.sheet')!;
      form.requestSubmit();
      form.requestSubmit();
    });
    await page.getByTestId('secret').waitFor();
    expect(stage.fake.org.credentials.filter(({ name }) => name === 'Pressed twice')).toHaveLength(1);
  });
});

describe('importing keys', () => {
  const fingerprint = createHash('sha256').update('an invented key').digest('hex');
  const CSV = `name,fingerprint,hint,org,owner\nNightly,${fingerprint},,acme,ada\nNobody's,,sk-ant-...Zq12,acme,\nBroken,nonsense,,acme,ada\n`;

  it('first tells line by line what would change, and registers on the second press', async () => {
    await page.goto('/credentials/import');
    await running();
    await page.getByLabel('File').setInputFiles({ name: 'keys.csv', mimeType: 'text/csv', buffer: Buffer.from(CSV) });
    await page.getByRole('button', { name: 'See what would change' }).click();
    await page.getByRole('heading', { name: 'What would change' }).waitFor();
    expect(await main()).toContain('3 lines: 2 new, 0 there already, 1 bad.');
    const bad = page.locator('tbody tr').first();
    expect((await bad.innerText()).replace(/\s+/g, ' ')).toContain('fingerprint is needed');
    expect(await page.getByText('weakly governed: no owner').count()).toBe(1);
    expect(keyNamed('Nightly')).toBeUndefined();
    await page.getByRole('button', { name: 'Register 2' }).click();
    await page.getByRole('heading', { name: 'What was done' }).waitFor();
    expect(keyNamed('Nightly')).toMatchObject({ fingerprint, owner: 'ada' });
    await page.getByRole('link', { name: 'Nightly' }).click();
    await page.getByRole('heading', { name: 'Nightly' }).waitFor();
  });

  it('sends no raw key that stands in a file', async () => {
    await page.goto('/credentials/import');
    await running();
    const key = `sk-ant-api03-${'R2Dq7Zx9'.repeat(11)}-igAA`;
    const buffer = Buffer.from(`name,fingerprint,org\nNightly,${key},acme\n`);
    await page.getByLabel('File').setInputFiles({ name: 'keys.csv', mimeType: 'text/csv', buffer });
    await page.getByRole('button', { name: 'See what would change' }).click();
    await eventually(() =>
      page.locator('#csv').evaluate((one: HTMLTextAreaElement) => one.validationMessage),
    ).toContain('raw key');
    expect(stage.fake.received.some(({ body }) => body.includes('R2Dq7Zx9'))).toBe(false);
  });
});

describe('changing a key', () => {
  it('first says which callers of the last 7 days would start failing, and saves what was told', async () => {
    const { id } = keyNamed('Developer key')!;
    await page.goto(`/credentials/${id}/edit`);
    await running();
    await page.getByLabel('IPv4 networks').fill('10.0.4.12');
    await page.getByRole('button', { name: 'See what it changes' }).click();
    await page.getByText('callers of the last 7 days would start failing').waitFor();
    expect(await main()).toContain('10.0.4.31 is in none of its networks.');
    expect(keyNamed('Developer key')!.allowed_cidrs).toEqual([]);
    // Changed meanwhile, it is told anew before it can be saved.
    await page.getByLabel('IPv4 networks').fill('10.0.4.0/24');
    await page.getByRole('button', { name: 'Save all the same' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'See what it changes' }).click();
    await page.getByText('days would start failing').waitFor();
    expect(await main()).toMatch(/None of the \d+ callers/);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved.').waitFor();
    expect(keyNamed('Developer key')!.allowed_cidrs).toEqual(['10.0.4.0/24']);
    expect(await page.getByRole('region', { name: 'Log' }).innerText()).toContain('edited');
  });

  it('tells the second of two people that the key was changed', async () => {
    const key = keyNamed('Developer key')!;
    await page.goto(`/credentials/${key.id}/edit`);
    await running();
    key.version += 1;
    await page.getByLabel('Name').fill('Mine');
    await page.getByRole('button', { name: 'See what it changes' }).click();
    await page.getByText('Somebody changed this key meanwhile.').waitFor();
    expect(key.name).toBe('Developer key');
  });
});

describe('rotating and regenerating', () => {
  it('rotates with an hour of grace, and shows who still uses the old secret', async () => {
    const { id, fingerprint } = keyNamed('CI runners')!;
    const row = stage.fake.org.rows[0]!;
    stage.fake.org.rows.unshift({
      ...row,
      id: 'old',
      fingerprint,
      user: 'ci-runner',
      ip: '10.0.9.3',
      kafka_offset: 900_001,
    });
    await page.goto(`/credentials/${id}/rotate`);
    await running();
    await page.getByLabel('1 hour').check();
    await page.getByRole('button', { name: 'Rotate' }).click();
    await page.getByTestId('secret').waitFor();
    expect(await main()).toContain('The old secret is good until');
    await page.getByLabel('I have stored the secret').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    const secrets = page.getByRole('region', { name: 'Secrets' });
    await secrets.getByText('in grace').waitFor();
    expect((await secrets.innerText()).replace(/\s+/g, ' ')).toContain('ci-runner at 10.0.9.3');
    const sent = stage.fake.received.find(({ url }) => url.endsWith('/rotate'));
    expect(JSON.parse(sent!.body)).toMatchObject({ grace_seconds: 3600 });
  });

  it('regenerates after saying that every older secret is dead', async () => {
    const { id, fingerprint } = keyNamed('CI runners')!;
    await page.goto(`/credentials/${id}`);
    await running();
    await page.getByRole('link', { name: 'Regenerate' }).click();
    await page.getByText('Every older secret is dead at once.').waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).click();
    await page.getByTestId('secret').waitFor();
    expect(keyNamed('CI runners')!.fingerprint).not.toBe(fingerprint);
  });

  it.each(['rotate', 'regenerate'])('says why a key that is over can’t be brought back by %s', async (act) => {
    const key = keyNamed('CI runners')!;
    Object.assign(key, { status: 'revoked', revoked_at: new Date().toISOString() });
    await page.goto(`/credentials/${key.id}/${act}`);
    expect(await main()).toContain('which is for ever');
    expect(await page.getByRole('button', { name: /^(Rotate|Regenerate)$/ }).count()).toBe(0);
  });
});

describe('revoking', () => {
  it('shows who would be hit, and takes the reason and the typed name', async () => {
    const { id } = keyNamed('Developer key')!;
    await page.goto(`/credentials/${id}`);
    await running();
    await page.getByRole('link', { name: 'Revoke…' }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText('callers of the last 7 days would start failing').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    const button = dialog.getByRole('button', { name: 'Revoke for ever' });
    await dialog.getByLabel('Reason').fill('Leaked');
    await dialog.getByLabel('Type its name').fill('developer key');
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByLabel('Type its name').fill('Developer key');
    await button.click();
    await page.getByRole('status').filter({ hasText: 'Revoked.' }).waitFor();
    expect(keyNamed('Developer key')).toMatchObject({ status: 'revoked', revoke_reason: 'Leaked' });
  });
});

describe('a viewer', () => {
  it('reads the registry and is offered nothing to change', async () => {
    stage.fake.role = 'viewer';
    for (const path of ['/credentials', '/credentials/cred-1']) {
      await page.goto(path);
      await running();
      expect(
        await page
          .locator('main')
          .getByRole('link', { name: /^(Create a key|Register a key|Import|Edit|Rotate|Regenerate|Revoke…)$/ })
          .count(),
        path,
      ).toBe(0);
    }
    const refused = await page.goto('/credentials/create');
    expect(refused?.status()).toBe(403);
    await page.getByRole('link', { name: 'To the first page' }).waitFor();
    expect(await page.locator('main form').count()).toBe(0);
  });
});

describe('without JavaScript', () => {
  it('reads the list by card, module and sort, and a key with its secrets and log', async () => {
    await page.context().close();
    await visit({ javaScriptEnabled: false });
    await page.goto('/credentials');
    await page
      .getByRole('list', { name: 'Keys by status' })
      .getByRole('link', { name: /Expired/ })
      .click();
    expect(new URL(page.url()).searchParams.get('status')).toBe('expired');
    await page.goto('/credentials');
    await page.getByRole('link', { name: /Monitoring & logs/ }).click();
    expect(await page.locator('tbody tr').count()).toBe(3);
    await page.getByRole('link', { name: 'CI runners' }).click();
    await page.getByRole('heading', { name: 'Secrets' }).waitFor();
    await page.getByRole('heading', { name: 'Log' }).waitFor();
  });
});

describe('axe-core', () => {
  // Registry, form and key themselves are held to it with every other page, in weight.e2e.test.ts.
  it('finds nothing on the registry’s pages of one act in either theme', async () => {
    for (const path of [
      '/credentials/new?method=fingerprint',
      '/credentials/import',
      '/credentials/cred-1/rotate',
      '/credentials/cred-collector-ci/regenerate',
      '/credentials/cred-1/revoke',
    ]) {
      await page.emulateMedia({ colorScheme: 'light' });
      await page.goto(path);
      await running();
      expect(await axeFindings(page), path).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await axeFindings(page, OF_THEMES), path).toEqual([]);
    }
  });
});
