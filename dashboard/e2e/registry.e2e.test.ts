import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import type { Stage } from './harness.ts';
import { onStage } from './on-stage.ts';

/** An invented key in a provider's form; nothing may carry it. */
const RAW_KEY = `sk-ant-api03-${'R2Dq7Zx9'.repeat(11)}-igAA`;
const SHORT_KEY = `AIza${'Sy0-_Zz'.repeat(5)}`;
const FINGERPRINT = createHash('sha256').update(RAW_KEY).digest('hex');

let stage: Stage;
let page: Page;
/** Everything that left the browser: address, headers and body of each request. */
let sent: string[];

async function visit(javaScriptEnabled: boolean): Promise<void> {
  const permissions = ['clipboard-read', 'clipboard-write'];
  const context = await stage.visitor({ javaScriptEnabled, permissions, timezoneId: 'Asia/Tokyo' });
  page = await context.newPage();
  sent = [];
  page.on('request', (request) =>
    sent.push([request.url(), JSON.stringify(request.headers()), request.postData() ?? ''].join('\n')),
  );
}

onStage(async (its) => {
  stage = its;
  await visit(true);
  return () => page.context().close();
});

/** Waits until the page's own JavaScript runs: only then does it know the browser's zone. */
const running = () => page.locator('button[value="Asia/Tokyo"]').waitFor({ state: 'attached' });

const credentialNamed = (name: string) => stage.fake.org.credentials.find((one) => one.name === name);

describe('registering a key by pasting it', () => {
  beforeEach(async () => {
    await page.goto('/credentials/new?method=paste');
    await page.getByLabel('The key').waitFor();
  });

  it('registers its fingerprint and hint, and no request carries the key', async () => {
    await page.evaluate((key) => navigator.clipboard.writeText(key), RAW_KEY);
    await page.getByLabel('The key').focus();
    await page.keyboard.press('Control+V');
    await page.getByText(FINGERPRINT).waitFor();
    expect(await page.getByLabel('The key').inputValue()).toBe('');
    expect(await page.content()).not.toContain(RAW_KEY);
    await page.getByLabel('Name').fill('Pasted key');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('Registered.').waitFor();

    expect(credentialNamed('Pasted key')).toMatchObject({
      fingerprint: FINGERPRINT,
      hint: 'sk-ant-api03-R2D...igAA',
      provider: 'anthropic',
    });
    const everything = [...sent, ...stage.fake.received.map((one) => one.url + one.body)].join('\n');
    expect(everything).toContain(FINGERPRINT);
    for (const form of [RAW_KEY, encodeURIComponent(RAW_KEY), RAW_KEY.slice(13, 40), btoa(RAW_KEY).slice(0, 40)]) {
      expect(everything).not.toContain(form);
    }
  });

  it('takes a typed key with Enter, without sending the form', async () => {
    await page.getByLabel('The key').fill(RAW_KEY);
    await page.keyboard.press('Enter');
    await page.getByText(FINGERPRINT).waitFor();
    expect(page.url()).toContain('/credentials/new');
    expect(sent.join('\n')).not.toContain(RAW_KEY);
  });

  it('does not hash a masked key as if it were one', async () => {
    await page.getByLabel('The key').fill('sk-ant-api03-R2D...igAA');
    await page.keyboard.press('Enter');
    await page.getByText('That is no whole key.').waitFor();
    await page.getByLabel('Name').fill('Nothing pasted');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('Paste the key first').waitFor();
    expect(credentialNamed('Nothing pasted')).toBeUndefined();
  });
});

describe('registering otherwise', () => {
  it('prefills from a lane, resolves its finding and makes the lane known', async () => {
    await page.goto('/');
    const register = page.getByRole('group', { name: 'Acts' }).getByRole('link', { name: 'Register' });
    await page.goto((await register.getAttribute('href'))!);
    await eventually(() => page.getByLabel('Fingerprint').inputValue()).toMatch(/^[0-9a-f]{64}$/);
    await page.getByLabel('Name').fill('Found and registered');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('1 finding resolved.').waitFor();
    await page.getByRole('link', { name: 'Its lane' }).click();
    await page.getByRole('heading', { name: 'sk-ant-...C001' }).waitFor();
    expect(await page.getByRole('region', { name: 'What is known' }).innerText()).toContain('Found and registered');
  });

  it('never sends a raw key that was put where the fingerprint belongs', async () => {
    await page.goto('/credentials/new?method=fingerprint');
    await page.getByLabel('Fingerprint').fill(RAW_KEY);
    await page.getByLabel('Name').fill('Mistake');
    await page.getByRole('button', { name: 'Register' }).click();
    expect(
      await page.getByLabel('Fingerprint').evaluate((input: HTMLInputElement) => input.validity.patternMismatch),
    ).toBe(true);
    expect(sent.join('\n')).not.toContain(RAW_KEY);
  });

  it.each([
    ['fingerprint', 'Hint'],
    ['hint', 'Hint'],
    ['fingerprint', 'Name'],
    ['hint', 'Organization'],
    ['collector', 'Owner'],
  ])('never sends a raw key from the form by %s, put into %s', async (method, label) => {
    await page.goto(
      method === 'collector' ? '/credentials/create?template=collector' : `/credentials/new?method=${method}`,
    );
    await running();
    if (method === 'fingerprint') await page.getByLabel('Fingerprint').fill(FINGERPRINT);
    await page.getByLabel('Name').fill('Mistake');
    if (method === 'hint') await page.getByLabel('Hint').fill('sk-ant-api03-R2D...igAA');
    if (method === 'hint') await page.getByLabel('Organization').fill('qpoint-dev');
    const field = page.getByRole(label === 'Owner' ? 'combobox' : 'textbox', { name: label, exact: label === 'Owner' });
    for (const key of [RAW_KEY, SHORT_KEY]) {
      await field.fill(key);
      await page.getByRole('button', { name: /^(Register|Create the key)$/ }).click();
      expect(await field.evaluate((input: HTMLInputElement) => input.matches(':focus:invalid'))).toBe(true);
    }
    expect(sent.join('\n')).not.toContain(RAW_KEY.slice(0, 30));
    expect(sent.join('\n')).not.toContain(SHORT_KEY);
    await field.fill(label === 'Hint' ? 'sk-ant-api03-R2D...igAA' : 'No key');
    await page.getByRole('button', { name: /^(Register|Create the key)$/ }).click();
    await page.getByText(/Registered\.|Store the secret now/).waitFor();
  });

  it.each(['/keys', '/credentials', '/ledger'])('never sends a raw key from the search field of %s', async (path) => {
    await page.goto(path);
    await running();
    await page.getByRole('searchbox').fill(RAW_KEY);
    await page.keyboard.press('Enter');
    await eventually(() =>
      page.getByRole('searchbox').evaluate((input: HTMLInputElement) => input.validationMessage),
    ).toContain('raw key');
    expect(page.url()).not.toContain('sk-ant');
    expect(sent.join('\n')).not.toContain('R2Dq7Zx9');
  });

  it('shows why query-api refused, and keeps what was typed', async () => {
    const known = credentialNamed('Developer key');
    await page.goto('/credentials/new?method=fingerprint');
    await page.getByLabel('Fingerprint').fill(known?.fingerprint ?? '');
    await page.getByLabel('Name').fill('Twice');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('This key is registered already.').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('Twice');
  });

  it('leads to the second factor where a change needs it, and keeps what was typed', async () => {
    stage.fake.commands = 'step_up_needed';
    await page.goto('/credentials/new?method=fingerprint');
    await page.getByLabel('Fingerprint').fill(FINGERPRINT);
    await page.getByLabel('Name').fill('Guarded');
    await page.getByRole('button', { name: 'Register' }).click();
    const way = page.getByRole('link', { name: 'Confirm by a code in another tab' });
    expect(await way.getAttribute('href')).toBe('/account/step-up');
    expect(await page.getByLabel('Name').inputValue()).toBe('Guarded');
  });

  it('registers by hint and org', async () => {
    await page.goto('/credentials/new?method=hint');
    await page.getByLabel('Hint').fill('sk-proj-abc...wxyz');
    await page.getByLabel('Organization').fill('qpoint-labs');
    await page.getByLabel('Name').fill('By hint');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('none: registered by hint and org').waitFor();
    expect(credentialNamed('By hint')).toMatchObject({ fingerprint: '', hint: 'sk-proj-abc...wxyz' });
    const said = (await page.locator('p[role=status]').innerText()).replace(/\s+/g, ' ');
    expect(said).toContain('name this hint and the organization qpoint-labs count as known');
  });

  it('promises nothing for a hint that another key has', async () => {
    await page.goto('/credentials/new?method=hint');
    await page.getByLabel('Hint').fill(credentialNamed('Developer key')!.hint);
    await page.getByLabel('Organization').fill('qpoint-dev');
    await page.getByLabel('Name').fill('Second');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('Another registered key has this hint').waitFor();
    expect(await page.locator('p[role=status]').innerText()).not.toContain('count as known');
  });

  it('does not offer to register what stays unknown: a hint without an organization', async () => {
    for (const row of stage.fake.org.rows) {
      if (row.hint === 'sk-ant-...C001') Object.assign(row, { lane: 'hint_c001', fingerprint: '', org: '' });
    }
    await page.goto('/');
    await page.getByRole('region', { name: 'Needs a decision' }).getByText('sk-ant-...C001').waitFor();
    expect(await page.getByRole('link', { name: /^Register/ }).count()).toBe(0);
    await page.goto('/lanes/hint_c001');
    await page.getByText('Keys can share a hint').waitFor();
    expect(await page.getByRole('link', { name: /^Register/ }).count()).toBe(0);
  });
});

describe('issuing a collector key', () => {
  it('shows the secret once, and holds up leaving until it is said to be stored', async () => {
    await page.goto('/credentials/new?method=collector');
    await page.getByLabel('Name').fill('Laptop of Mira');
    await page.getByRole('button', { name: 'Create the key' }).click();
    const secret = await page.getByTestId('secret').innerText();
    expect(secret).toMatch(/^lw_/);
    await page.getByRole('link', { name: 'Findings' }).click();
    await page.getByText('Confirm first that the secret is stored').waitFor();
    expect(page.url()).toContain('/credentials/create');
    await page.getByLabel('I have stored the secret').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Laptop of Mira' }).waitFor();
    expect(await page.content()).not.toContain(secret);
    expect(page.url()).not.toContain('lw_');
    expect(credentialNamed('Laptop of Mira')).toMatchObject({ kind: 'managed' });
  });
});

describe('revoking', () => {
  it('asks in a dialog that holds the focus, gives it back, and keeps the reason', async () => {
    const { id } = credentialNamed('Developer key')!;
    await page.goto(`/credentials/${id}`);
    const opener = page.getByRole('link', { name: 'Revoke…' });
    await page.getByRole('button', { name: 'Copy fingerprint' }).waitFor();
    await opener.click();
    const dialog = page.getByRole('alertdialog');
    await dialog.waitFor();
    for (let step = 0; step < 6; step += 1) {
      await page.keyboard.press('Tab');
      expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(stage.fake.received.some((one) => one.method === 'POST')).toBe(false);

    await opener.click();
    await dialog.getByLabel('Reason').fill('Left in a public log');
    await dialog.getByLabel('Type its name').fill('Developer key');
    await dialog.getByRole('button', { name: 'Revoke for ever' }).click();
    await page.getByText('Revoked. The key’s next event').waitFor();
    expect(credentialNamed('Developer key')).toMatchObject({
      status: 'revoked',
      revoke_reason: 'Left in a public log',
    });
    expect(await page.getByRole('link', { name: 'Revoke…' }).count()).toBe(0);
  });
});

describe('what revoking does', () => {
  it.each([
    ['Laptops', 'Ingest refuses everything', 'from now on', 'critical finding'],
    ['Developer key', 'must be disabled at its provider', 'Disable it at its provider', 'Ingest refuses'],
  ])('is said of %s as it is, in the dialog, on the page and afterwards', async (name, said, afterwards, unsaid) => {
    const { id } = credentialNamed(name)!;
    await page.goto(`/credentials/${id}/revoke`);
    const text = async () => (await page.locator('main').innerText()).replace(/\s+/g, ' ');
    expect(await text()).toContain(said);
    expect(await text()).not.toContain(unsaid);
    await page.goto(`/credentials/${id}`);
    await running();
    await page.getByRole('link', { name: 'Revoke…' }).click();
    const dialog = page.getByRole('alertdialog');
    expect((await dialog.innerText()).replace(/\s+/g, ' ')).toContain(said);
    await dialog.getByLabel('Reason').fill('Not needed any more');
    await dialog.getByLabel('Type its name').fill(name);
    await dialog.getByRole('button', { name: 'Revoke for ever' }).click();
    await page.getByRole('status').filter({ hasText: 'Revoked.' }).waitFor();
    expect(await text()).toContain(afterwards);
    expect(await text()).not.toContain(unsaid);
  });
});

describe('when query-api does not answer a change, or refuses it', () => {
  it('says that a key may have been registered, and keeps what was typed', async () => {
    stage.fake.commands = 'unanswered';
    await page.goto('/credentials/new?method=fingerprint');
    await page.getByLabel('Fingerprint').fill(FINGERPRINT);
    await page.getByLabel('Name').fill('Perhaps');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('It is not known whether this was saved.').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('Perhaps');
    expect(await page.getByLabel('Fingerprint').inputValue()).toBe(FINGERPRINT);
    await page.getByRole('alert').getByRole('link', { name: 'registry' }).click();
    await page.getByRole('link', { name: 'Perhaps' }).waitFor();
  });

  it.each([
    ['unanswered', 'It is not known whether the key was revoked.'],
    ['refused', 'Not revoked. Another change came first.'],
  ] as const)('says in the dialog that revoking was %s, and keeps the reason', async (commands, said) => {
    stage.fake.commands = commands;
    const { id } = credentialNamed('Developer key')!;
    await page.goto(`/credentials/${id}`);
    await running();
    await page.getByRole('link', { name: 'Revoke…' }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByLabel('Reason').fill('Left in a public log');
    await dialog.getByLabel('Type its name').fill('Developer key');
    await dialog.getByRole('button', { name: 'Revoke for ever' }).click();
    await dialog.getByText(said.split('.')[0]!).waitFor();
    expect((await dialog.getByRole('alert').innerText()).replace(/\s+/g, ' ')).toContain(said);
    expect(await dialog.getByLabel('Reason').inputValue()).toBe('Left in a public log');
    expect(new URL(page.url()).pathname).toBe(`/credentials/${id}`);
  });
});

describe('the page of a key', () => {
  it('believes no address that says what was done to it', async () => {
    const { id } = credentialNamed('Developer key')!;
    await page.goto(`/credentials/${id}?done=revoked`);
    expect(await page.getByText('Revoked.').count()).toBe(0);
    credentialNamed('Developer key')!.status = 'revoked';
    await page.goto(`/credentials/${id}?done=registered`);
    expect(await page.getByText('Registered.').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Its lane' }).count()).toBe(1);
  });

  it('offers no lane of a key that was never used', async () => {
    await page.goto('/credentials/new?method=fingerprint');
    await page.getByLabel('Fingerprint').fill(FINGERPRINT);
    await page.getByLabel('Name').fill('Unused');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('Registered.').waitFor();
    expect(await page.getByRole('link', { name: 'Its lane' }).count()).toBe(0);
  });

  it('says when something could not be copied', async () => {
    await page.addInitScript(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error('denied'));
    });
    await page.goto(`/credentials/${credentialNamed('Developer key')!.id}`);
    await page.getByRole('button', { name: 'Copy fingerprint' }).click();
    await page.getByRole('status').filter({ hasText: 'Could not copy fingerprint' }).waitFor();
  });
});

describe('the list', () => {
  it('starts with active keys, counts the others, and searches', async () => {
    await page.goto('/credentials');
    expect(await page.getByText('Evaluation batch').count()).toBe(0);
    await page
      .getByRole('list', { name: 'Keys by status' })
      .getByRole('link', { name: /Revoked/ })
      .click();
    await page.getByText('Evaluation batch').waitFor();
    await page.goto('/credentials?status=all');
    await page.getByRole('searchbox').fill('noor');
    await page.keyboard.press('Enter');
    await eventually(() => page.locator('tbody tr').count()).toBe(1);
  });
});

describe('long names', () => {
  it('leave status and last use in sight', async () => {
    const names = Object.fromEntries(['name', 'org', 'owner'].map((name) => [name, 'W'.repeat(200)]));
    stage.fake.org.credentials = stage.fake.org.credentials.map((one) => ({ ...one, ...names }));
    await page.goto('/credentials');
    const region = page.getByRole('region', { name: 'Keys', exact: true });
    expect(await region.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
  });
});

describe('while the ledger is away', () => {
  beforeEach(() => {
    stage.fake.ledgerAway = true;
    return () => (stage.fake.ledgerAway = false);
  });

  it('lists keys without their use, and tells that from never used', async () => {
    await page.goto('/credentials');
    await page.getByText('when keys were last used is not known now').waitFor();
    const cells = await page.locator('tbody tr td:last-child').allInnerTexts();
    expect(new Set(cells)).toEqual(new Set(['not known now']));
    stage.fake.ledgerAway = false;
    await page.reload();
    expect(await page.getByText('not known now').count()).toBe(0);
    expect(await page.locator('tbody tr td:last-child').allInnerTexts()).toContain('-');
  });

  it('registers a key, from a lane’s link as well, and revokes one', async () => {
    await page.goto(`/credentials/new?method=fingerprint&lane=${FINGERPRINT}`);
    await page.getByLabel('Fingerprint').fill(FINGERPRINT);
    await page.getByLabel('Name').fill('In an incident');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('Registered.').waitFor();
    await page.goto('/credentials');
    await page.getByRole('link', { name: 'In an incident' }).click();
    await page.getByRole('link', { name: 'Revoke…' }).click();
    await page.getByLabel('Reason').fill('Leaked');
    await page.getByLabel('Type its name').fill('In an incident');
    await page.getByRole('button', { name: 'Revoke for ever' }).click();
    await page.getByText('Revoked. The key’s next event').waitFor();
    expect(credentialNamed('In an incident')).toMatchObject({ status: 'revoked', revoke_reason: 'Leaked' });
  });
});

describe('without JavaScript', () => {
  beforeEach(async () => {
    await page.context().close();
    await visit(false);
  });

  it('explains why nothing can be pasted, and offers no field for it', async () => {
    await page.goto('/credentials/new?method=paste');
    expect(await page.locator('noscript').innerText()).toContain('Hashing a key on this page needs JavaScript');
    expect(await page.locator('#raw-key').count()).toBe(0);
  });

  it('sends no raw key as a hint, and shows none again', async () => {
    await page.goto('/credentials/new?method=fingerprint');
    await page.getByLabel('Fingerprint').fill(FINGERPRINT);
    await page.getByLabel('Hint').fill(SHORT_KEY);
    await page.getByLabel('Name').fill('Plain form');
    await page.getByRole('button', { name: 'Register' }).click();
    expect(await page.getByLabel('Hint').evaluate((input: HTMLInputElement) => input.matches(':invalid'))).toBe(true);
    expect(sent.join('\n')).not.toContain(SHORT_KEY);
    await page.getByLabel('Hint').fill('');
    await page.getByLabel('Owner', { exact: true }).fill(RAW_KEY);
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('Not saved.').waitFor();
    expect(await page.content()).not.toContain(RAW_KEY);
    expect(await page.getByLabel('Name').inputValue()).toBe('Plain form');
  });

  it('keeps the reason of a key that could not be revoked, unless it holds a raw key', async () => {
    stage.fake.commands = 'refused';
    await page.goto(`/credentials/${credentialNamed('Developer key')!.id}/revoke`);
    const reason = page.getByLabel('Reason');
    for (const [typed, kept] of [
      ['Left in a public log', 'Left in a public log'],
      [RAW_KEY, ''],
    ] as const) {
      await reason.fill(typed);
      await page.getByLabel('Type its name').fill('Developer key');
      await page.getByRole('button', { name: 'Revoke for ever' }).click();
      await page.getByText('Not revoked.').waitFor();
      expect(await reason.inputValue()).toBe(kept);
    }
    expect(await page.content()).not.toContain(RAW_KEY);
  });

  it('registers by fingerprint and revokes on a page of its own', async () => {
    await page.goto('/credentials/new?method=fingerprint');
    await page.getByLabel('Fingerprint').fill(FINGERPRINT);
    await page.getByLabel('Name').fill('Plain form');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('Registered.').waitFor();
    await page.getByRole('link', { name: 'Revoke…' }).click();
    await page.getByLabel('Reason').fill('Test over');
    await page.getByLabel('Type its name').fill('Plain form');
    await page.getByRole('button', { name: 'Revoke for ever' }).click();
    await page.getByText('Revoked. The key’s next event').waitFor();
    expect(credentialNamed('Plain form')).toMatchObject({ status: 'revoked', revoke_reason: 'Test over' });
  });
});
