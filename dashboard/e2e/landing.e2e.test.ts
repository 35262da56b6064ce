import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import type { Stage } from './harness.ts';
import { onStage } from './on-stage.ts';
import { organisation } from './organisation.ts';

let stage: Stage;
let page: Page;

onStage(async (its) => {
  stage = its;
  page = await (await stage.visitor()).newPage();
  return () => page.context().close();
});

const lane = (hint: string) => page.locator('tbody tr', { hasText: hint });
const banner = () => page.getByRole('region', { name: 'Risk' });

/** Lets the page believe that its tab was hidden or is seen again. */
const show = (state: 'hidden' | 'visible') =>
  page.evaluate((visibility) => {
    Object.defineProperty(document, 'visibilityState', { value: visibility, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

describe('the landing page', () => {
  it('counts what wants a decision in the tab as in the queue, and its banner names every risky key', async () => {
    const [unknown] = stage.fake.org.rows.filter((row) => row.hint === 'sk-ant-...C001');
    const more = Array.from({ length: 24 }, (_, index) => {
      const fingerprint = String(index).padStart(64, '0');
      return { ...unknown!, id: `more ${index}`, kafka_offset: 900_000 + index, fingerprint, lane: fingerprint };
    });
    stage.fake.org.rows = [...more, ...stage.fake.org.rows];
    await page.goto('/');
    expect(await banner().getByRole('heading').innerText()).toContain('25 unknown API keys, 2 revoked or expired');
    const entries = await page.getByRole('region', { name: 'Needs a decision' }).locator('li').count();
    expect(await page.title()).toBe(`(${entries}) API keys · Lanewatch`);
    await page.getByRole('link', { name: 'All of them' }).click();
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(32);
    const standings = await page
      .locator('td[data-label="Standing"] bdi')
      .evaluateAll((all) => all.map((one) => one.textContent));
    expect(standings.slice(0, 27)).not.toContain('known');
  });

  it.each([
    ['Shared lanes', 2],
    ['Weakly governed', 1],
    ['Unknown now', 1],
    ['Unknown-key sessions', 1],
    ['Live unknown spend', 1],
    ['Keys observed', 8],
  ])('filters queue and inventory by the count %s, which is marked as the current one', async (name, rows) => {
    // Events that name no key have a row in the table and are no key.
    const [row] = stage.fake.org.rows;
    const none = { lane: 'unattributed', fingerprint: '', hint: '', standing: 'unattributed', credential_id: '' };
    stage.fake.org.rows = [...stage.fake.org.rows, { ...row!, ...none, id: 'none', kafka_offset: 900_000 }];
    await page.goto('/');
    const count = page.getByRole('list', { name: 'Counts' }).getByRole('link', { name });
    await count.click();
    await eventually(() => count.getAttribute('aria-current')).toBe('true');
    await eventually(() => page.locator('tbody tr th[scope=row] a').count()).toBeGreaterThan(0);
    await eventually(() => page.getByRole('region', { name: 'Raw inventory' }).locator('tbody tr').count()).toBe(rows);
  });

  it('shows five entries and the chosen one before the case on a phone, and the rest when asked', async () => {
    const { rows, findings } = stage.fake.org;
    const row = rows.find((one) => one.hint === 'sk-ant-...C001')!;
    for (let index = 0; index < 9; index++) {
      const lane = String(index).repeat(64);
      rows.push({ ...row, id: `more ${index}`, kafka_offset: 900_000 + index, fingerprint: lane, lane });
      findings.push({ ...findings[0]!, id: `R01-${String(index).repeat(24)}`, lane, fingerprint: lane });
    }
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto('/');
    const queue = page.getByRole('region', { name: 'Needs a decision' });
    const all = await queue.locator('ol li').count();
    const seen = () => queue.locator('ol li').filter({ visible: true }).count();
    expect(all).toBeGreaterThan(9);
    expect(await seen()).toBe(5);
    await page.goto(String(await queue.locator('ol li a').nth(8).getAttribute('href')));
    expect(await seen()).toBe(6);
    await queue.getByLabel(`${all - 5} more`).check();
    expect(await seen()).toBe(all);
  });

  it('says that nothing was received when a window is empty, never that all is well', async () => {
    stage.fake.org.rows = stage.fake.org.rows.slice(-1);
    await page.goto('/?window=1h');
    expect(await banner().innerText()).toContain('Nothing received in the last hour');
  });

  it('is calm about a key that was used only before it was revoked', async () => {
    stage.fake.org.rows = stage.fake.org.rows.filter((row) => row.standing === 'known');
    const used = new Set(stage.fake.org.rows.map(({ fingerprint }) => fingerprint));
    const key = stage.fake.org.credentials.find(({ fingerprint }) => used.has(fingerprint));
    Object.assign(key!, { status: 'revoked', revoked_at: new Date().toISOString() });
    await page.goto('/');
    expect(await banner().innerText()).toContain('1 of them was revoked or ran out after the last event');
    expect(await banner().innerText()).toContain('Every key in use is registered');
  });

  it('is calm when every key in use is registered', async () => {
    stage.fake.org.rows = stage.fake.org.rows.filter((row) => row.standing === 'known');
    await page.goto('/');
    expect(await banner().innerText()).toContain('Every key in use is registered');
  });

  it.each([
    [5, 'Every key that events name is registered', '5 events name no key: nothing can be said about theirs'],
    [Infinity, 'No event names its key', 'name no key in the last 7 days, so nothing can be said about keys in use'],
  ])('claims nothing about %d events that name no key, and leads to them', async (count, title, said) => {
    const none = { lane: 'unattributed', fingerprint: '', hint: '', standing: 'unattributed', credential_id: '' };
    stage.fake.org.rows = stage.fake.org.rows
      .filter((row) => row.standing === 'known')
      .map((row, index) => (index < count ? { ...row, ...none } : row));
    await page.goto('/');
    expect(await banner().getByRole('heading').innerText()).toContain(title);
    expect((await banner().innerText()).replace(/\s+/g, ' ')).toContain(said);
    await banner().getByRole('link', { name: 'no key' }).click();
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(1);
    expect(await page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').innerText()).toContain('no key named');
  });

  it('changes by itself when an event arrives', async () => {
    stage.fake.org.rows = stage.fake.org.rows.filter((row) => row.standing === 'known');
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    // What is announced is a change of this very element.
    const status = await banner().getByRole('status').elementHandle();
    stage.fake.org = organisation(Date.now());
    stage.fake.org.rows[0]!.stored_at = new Date().toISOString();
    stage.fake.announce();
    await banner().getByText('1 unknown API key').waitFor();
    expect(await lane('C001').count()).toBe(1);
    expect(await status!.textContent()).toContain('1 unknown API key');
  });

  it('moves no row under the pointer: what is new waits until it has left the table', async () => {
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    await lane('C001').hover();
    stage.fake.org.rows = stage.fake.org.rows.filter((row) => row.standing === 'known');
    stage.fake.announce(new Date().toISOString());
    await page.getByText('Held', { exact: true }).waitFor();
    expect(await lane('C001').count()).toBe(1);
    await page.mouse.move(0, 0);
    await banner().getByText('Every key in use is registered').waitFor();
  });

  it('stays as it is while it is paused, and follows again when it is told to', async () => {
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: /Live.*Pause/ }).click();
    await eventually(() => stage.fake.listeners()).toBe(0);
    stage.fake.org.rows = stage.fake.org.rows.filter((row) => row.standing === 'known');
    await show('hidden');
    await show('visible');
    await page.getByRole('button', { name: /Paused.*Follow again/ }).waitFor();
    expect(stage.fake.listeners()).toBe(0);
    expect(await banner().getByRole('heading').innerText()).toContain('1 unknown API key');
    await page.getByRole('button', { name: /Paused.*Follow again/ }).click();
    await banner().getByText('Every key in use is registered').waitFor();
  });

  it('does not say that it is live while the ledger does not answer', async () => {
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    // The page catches up once with what the stream says at first: its last read is that of rows.
    await eventually(() => stage.fake.received.some((one) => one.unattended && one.url.startsWith('/v1/ledger'))).toBe(
      true,
    );
    await eventually(() => page.evaluate(() => document.cookie)).not.toContain('lanewatch_unattended');
    stage.fake.ledgerAway = true;
    stage.fake.announce();
    await page.getByText('Ledger does not answer').waitFor();
    expect(await banner().getByRole('heading').innerText()).toContain('1 unknown API key');
    stage.fake.ledgerAway = false;
    stage.fake.announce();
    await page.getByText('Live', { exact: true }).waitFor();
  });

  it('asks again until what it was told of is in the figures', async () => {
    stage.fake.org.rows = stage.fake.org.rows.filter((row) => row.standing === 'known');
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    const storedAt = new Date(Date.now() + 1_000).toISOString();
    const asked = () => stage.fake.received.filter(({ url }) => url.startsWith('/v1/overview')).length;
    stage.fake.announce(storedAt);
    await eventually(asked).toBeGreaterThan(3);
    stage.fake.org = organisation(Date.now());
    stage.fake.org.rows[0]!.stored_at = storedAt;
    await banner().getByText('1 unknown API key').waitFor();
  });

  it('asks by itself without using the session, and uses it when somebody looks further', async () => {
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    const asked = () => stage.fake.received.map(({ url, unattended }) => `${url.split('?')[0]} ${unattended}`);
    // The stream says at once how things stand, and the page catches up with that.
    await eventually(asked).toContain('/v1/overview true');
    expect(asked()).toContain('/v1/stream true');
    await eventually(() => page.evaluate(() => document.cookie)).not.toContain('lanewatch_unattended');
    stage.fake.received.length = 0;
    await page.getByRole('link', { name: 'Shared lanes' }).click();
    await eventually(asked).toContain('/v1/lanes false');
  });

  it('rests while its tab is hidden, and ends its stream with the page', async () => {
    await page.goto('/');
    await eventually(() => stage.fake.listeners()).toBe(1);
    await show('hidden');
    await eventually(() => stage.fake.listeners()).toBe(0);
    await show('visible');
    await eventually(() => stage.fake.listeners()).toBe(1);
    await page.getByRole('link', { name: 'Registry' }).click();
    await eventually(() => stage.fake.listeners()).toBe(0);
  });
});

describe('before the first event', () => {
  it('says what to paste where, and turns into the page when the event arrives', async () => {
    const { rows } = stage.fake.org;
    stage.fake.org.rows = [];
    await page.goto('/');
    await page.getByText('Waiting for the first event…').waitFor();
    const body = await page.locator('main').innerText();
    expect(body).toContain('export CLAUDE_CODE_ENABLE_TELEMETRY=1');
    expect(body).toContain('http://127.0.0.1:4618/v1/events');
    expect(body).not.toContain('Every key in use is registered');
    await page.getByText('Live', { exact: true }).waitFor();
    stage.fake.org.rows = rows;
    stage.fake.announce();
    await banner().getByText('1 unknown API key').waitFor();
    expect(await page.getByText('Waiting for the first event…').count()).toBe(0);
  });
});

describe('without JavaScript', () => {
  beforeEach(async () => {
    page = await (await stage.visitor({ javaScriptEnabled: false })).newPage();
    return () => page.context().close();
  });

  it('shows the page and filters it', async () => {
    await page.goto('/');
    expect(await banner().innerText()).toContain('1 unknown API key');
    await page.getByRole('link', { name: 'Shared lanes' }).click();
    expect(await page.getByRole('region', { name: 'Raw inventory' }).locator('tbody tr').count()).toBe(2);
  });

  it('asks again by itself while nothing was received', async () => {
    stage.fake.org.rows = [];
    await page.goto('/');
    expect(await page.locator('meta[http-equiv="refresh"]').count()).toBe(1);
  });
});
