import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import type { Stage } from './harness.ts';
import { onStage } from './on-stage.ts';

let stage: Stage;
let page: Page;

onStage(async (its) => {
  stage = its;
  page = await (await stage.visitor()).newPage();
  return () => page.context().close();
});

const lane = (hint: string) => page.locator('tbody tr', { hasText: hint });

/** Lets the page believe that its tab was hidden or is seen again. */
const show = (state: 'hidden' | 'visible') =>
  page.evaluate((visibility) => {
    Object.defineProperty(document, 'visibilityState', { value: visibility, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

describe('the raw inventory', () => {
  it('opens the rows of own producers, and no page for a collector that the registry does not have', async () => {
    for (const row of stage.fake.org.rows.slice(0, 3)) row.collector = '';
    for (const row of stage.fake.org.rows.slice(3, 7)) row.collector = 'cred_lost';
    await page.goto('/keys');
    const collectors = page.getByRole('region', { name: 'Collectors' }).first();
    const lost = collectors.locator('tr', { hasText: 'cred_lost' });
    expect(await lost.locator('th a').count()).toBe(0);
    expect(await lost.getByRole('link').innerText()).toBe('4');
    await collectors.locator('tr', { hasText: 'Own producers' }).getByRole('link').click();
    await page.getByText('3 events').waitFor();
  });

  it('shows the three lanes of the product’s first page with their sessions, cost and standing', async () => {
    await page.goto('/keys');
    const shown = async (hint: string) => (await lane(hint).innerText()).replace(/\s+/g, ' ');
    expect(await shown('A3F2')).toMatch(/known.*qpoint-dev.* 33 .*\$47\.20/);
    expect(await shown('7B91')).toMatch(/known.*qpoint-ci.* 11 .*\$0\.82/);
    expect(await shown('C001')).toMatch(/unknown.*not registered.* 1 .*\$0\.61/);
  });

  it('leads from a lane to exactly the rows that its numbers were made from', async () => {
    await page.goto('/keys');
    const cost = (await lane('A3F2').getByText('$47.20').innerText()).trim();
    await lane('A3F2').locator('a[href^="/ledger"]').click();
    await page.getByRole('heading', { name: 'Ledger' }).waitFor();
    const totals = await page.locator('section', { hasText: 'Rows' }).locator('header').innerText();
    expect(totals).toContain('198 events');
    expect(totals).toContain(cost);
    expect(totals).toContain('33 sessions');
  });

  it('searches, sorts and changes the window by the address alone', async () => {
    await page.goto('/keys');
    await page.getByRole('searchbox').fill('support');
    await page.keyboard.press('Enter');
    await eventually(() => page.url()).toContain('q=support');
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(1);
    await page.getByRole('link', { name: 'Remove filter search' }).click();
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBeGreaterThan(1);
    await page.getByRole('link', { name: 'Cost', exact: true }).click();
    await eventually(() => page.locator('thead th[aria-sort="descending"]').innerText()).toContain('Cost');
    expect(await page.locator('tbody tr').first().innerText()).toContain('A3F2');
    await page.getByRole('navigation', { name: 'Time window' }).getByText('24h').click();
    await eventually(() => page.url()).toContain('window=24h');
    expect(new URL(page.url()).searchParams.get('sort')).toBe('cost');
  });

  it('says in the row why a lane is weakly governed or shared too broadly, and filters by either', async () => {
    await page.goto('/keys');
    expect(await lane('pX7...Kw2A').innerText()).toContain('weakly governed: no expiry, no environment');
    expect(await lane('7B91').innerText()).toContain('shared too broadly');
    await page.getByLabel('Posture', { exact: true }).selectOption('shared too broadly');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByRole('link', { name: 'Remove filter posture shared too broadly' }).waitFor();
    expect(await page.getByRole('region', { name: 'Lanes' }).locator('tbody tr th').allInnerTexts()).toEqual([
      'sk-ant-...7B91',
    ]);
  });

  it('leads from a lane to its open findings, and from an org to its lanes', async () => {
    await page.goto('/keys');
    await lane('A3F2').getByRole('link', { name: 'qpoint-dev' }).click();
    await page.getByRole('link', { name: 'Remove filter org qpoint-dev' }).waitFor();
    expect(await page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(3);
    await lane('A3F2').getByRole('link', { name: '1 open' }).click();
    await page.getByRole('heading', { name: 'Findings' }).waitFor();
    expect(await page.locator('main li .title').allInnerTexts()).toEqual(['Shared lane']);
  });

  it.each([
    ['?shared=false', 'used by one person at most', 6],
    ['?live=false', 'live not in the last 30 min', 4],
  ])('says of %s that it leaves lanes out', async (query, chip, rows) => {
    await page.goto(`/keys${query}`);
    expect(await page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(rows);
    await page.getByRole('link', { name: `Remove filter ${chip}` }).click();
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(8);
  });

  it('sorts where the table has no header, too', async () => {
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto('/keys?q=qpoint');
    await page.getByLabel('Sort by').selectOption('cost');
    await page.getByLabel('Order').selectOption('asc');
    await page.getByRole('button', { name: 'Filter' }).click();
    await eventually(() => page.url()).toContain('sort=cost&order=asc');
    await eventually(() => page.locator('tbody tr').first().innerText()).toContain('gsk_wR1');
    expect(page.url()).toContain('q=qpoint');
  });

  it('tells silent collectors apart from calm', async () => {
    await page.goto('/keys');
    const panel = page.getByRole('region', { name: 'Collectors' }).first();
    expect((await panel.innerText()).replace(/\s+/g, ' ')).toMatch(/Laptops reporting.*CI runners silent/);
    expect(await panel.locator('header').innerText()).toContain('1 collector silent, 1 collector never reported');
  });

  it('says that all is accounted for only where somebody could have reported', async () => {
    const panel = page.getByRole('region', { name: 'Collectors' }).first();
    for (const row of stage.fake.org.rows) row.collector = 'cred-collector-laptops';
    for (const one of stage.fake.org.credentials) if (/-(ci|proxy)$/.test(one.id)) one.status = 'revoked';
    await page.goto('/keys');
    expect(await panel.locator('header').innerText()).toContain('All report, and every event');
    for (const one of stage.fake.org.credentials) if (one.may_ship_events) one.status = 'revoked';
    await page.reload();
    expect(await panel.locator('header').innerText()).toContain('no collector is left that could report');
  });

  it('leaves what somebody is typing when it changes, and shows the search of the address', async () => {
    await page.goto('/keys?q=support');
    await page.getByText('Live', { exact: true }).waitFor();
    const field = page.getByRole('searchbox');
    expect(await field.inputValue()).toBe('support');
    await field.fill('half a wo');
    const standing = page.getByLabel('Standing', { exact: true });
    await standing.selectOption('revoked');
    const [row] = stage.fake.org.rows;
    stage.fake.org.rows = [
      { ...row!, lane: 'hint_new', fingerprint: '', hint: 'support...0001' },
      ...stage.fake.org.rows,
    ];
    stage.fake.org.rows[0]!.stored_at = new Date(Date.now() + 1_000).toISOString();
    stage.fake.announce();
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(2);
    expect(await field.inputValue()).toBe('half a wo');
    expect(await standing.inputValue()).toBe('revoked');
    await page.getByRole('link', { name: 'Remove filter search support' }).click();
    await eventually(() => field.inputValue()).toBe('');
  });

  it.each([
    ['/keys', 'Standing', 'revoked'],
    ['/findings', 'Severity', 'low'],
  ])('keeps what was chosen and typed on %s before its JavaScript came', async (path, label, choice) => {
    const scripts = Promise.withResolvers<undefined>();
    await page.route('**/*.js', (route) => scripts.promise.then(() => route.continue()));
    await page.goto(path, { waitUntil: 'commit' });
    const select = page.getByLabel(label, { exact: true });
    await select.selectOption(choice);
    if (path === '/keys') await page.getByRole('searchbox').fill('half a wo');
    scripts.resolve(undefined);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await select.inputValue()).toBe(choice);
    if (path === '/keys') expect(await page.getByRole('searchbox').inputValue()).toBe('half a wo');
  });

  it('catches up with what it was told of just before its tab was hidden', async () => {
    await page.addInitScript(() => {
      EventSource.prototype.addEventListener = new Proxy(EventSource.prototype.addEventListener, {
        apply(listen, source: EventSource, given) {
          listen.call(source, given[0], () => document.documentElement.setAttribute('data-told', 'yes'));
          return Reflect.apply(listen, source, given);
        },
      });
    });
    await page.goto('/keys');
    await page.getByText('Live', { exact: true }).waitFor();
    // Time stands still, so that the pause before the next refresh does not end while the tab is seen.
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 1_000);
    const [row] = stage.fake.org.rows;
    const fingerprint = '9'.repeat(64);
    stage.fake.org.rows = [
      { ...row!, id: 'new', kafka_offset: 900_000, fingerprint, lane: fingerprint },
      ...stage.fake.org.rows,
    ];
    stage.fake.org.rows[0]!.stored_at = new Date(Date.now() + 1_000).toISOString();
    await page.evaluate(() => document.documentElement.removeAttribute('data-told'));
    stage.fake.announce();
    await page.locator('html[data-told]').waitFor();
    await show('hidden');
    await eventually(() => stage.fake.listeners()).toBe(0);
    await page.clock.resume();
    await show('visible');
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(9);
  });

  it('says that nothing was spent instead of drawing nothing', async () => {
    for (const row of stage.fake.org.rows) row.cost_usd = '0.000000000';
    await page.goto('/keys');
    await page.getByText('Nothing was spent in this window.').waitFor();
    await page.getByText('Show as a table').click();
    expect(await page.getByRole('region', { name: 'Spend as a table' }).locator('tbody tr').count()).toBe(7);
    expect(await page.locator('.plot').count()).toBe(0);
  });

  it('gives the numbers behind the chart as a table', async () => {
    await page.goto('/keys');
    await page.getByText('Show as a table').click();
    const table = page.getByRole('region', { name: 'Spend as a table' });
    expect(await table.locator('tbody tr').count()).toBe(7);
    await eventually(() => page.locator('.plot canvas').count()).toBe(1);
  });
});

describe('without JavaScript', () => {
  beforeEach(async () => {
    page = await (await stage.visitor({ javaScriptEnabled: false })).newPage();
    return () => page.context().close();
  });

  it('shows the inventory and filters it', async () => {
    await page.goto('/keys');
    await page.getByRole('searchbox').fill('support');
    await page.getByRole('button', { name: 'Filter' }).click();
    expect(await page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(1);
  });
});
