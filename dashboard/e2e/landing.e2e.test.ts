import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { startStage, type Stage } from './harness.ts';
import { organisation } from './organisation.ts';

let stage: Stage;
let page: Page;

beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

beforeEach(async () => {
  stage.fake.org = organisation(Date.now());
  stage.fake.received.length = 0;
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
  it('names the unknown key with its live session, who, where, model, spend and when', async () => {
    await page.goto('/');
    const text = (await banner().innerText()).replace(/\s+/g, ' ');
    for (const part of ['sk-ant-...C001', 'active session', 'Unknown user', '10.0.1.44', 'Claude Code 1.2.0']) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/claude-sonnet-4-6 · \$0\.61.* · 2 min ago/);
    expect(await page.title()).toBe('(1) API keys · Lanewatch');
  });

  it('tells the spend of the session that it names from what the lane cost', async () => {
    const own = stage.fake.org.rows.filter((row) => row.hint === 'sk-ant-...C001');
    own.at(-1)!.session = 'another';
    own.at(-1)!.cost_usd = '7.000000000';
    await page.goto('/');
    expect((await banner().innerText()).replace(/\s+/g, ' ')).toMatch(/\$0\.5\d\d* in this session/);
    for (const row of own) row.session = '';
    await page.reload();
    expect((await banner().innerText()).replace(/\s+/g, ' ')).toMatch(/\$7\.5\d in the last 7 days/);
    const spend = await page.getByRole('link', { name: 'Live unknown spend' }).innerText();
    expect(spend.replace(/\s+/g, ' ')).toMatch(/\$7\.5\d without a session, active in the last 30 min/);
  });

  it('counts every risky key, names the first, and leads to the rest', async () => {
    const [unknown] = stage.fake.org.rows.filter((row) => row.hint === 'sk-ant-...C001');
    const more = Array.from({ length: 24 }, (_, index) => {
      const fingerprint = String(index).padStart(64, '0');
      return { ...unknown!, id: `more ${index}`, kafka_offset: 900_000 + index, fingerprint, lane: fingerprint };
    });
    stage.fake.org.rows = [...more, ...stage.fake.org.rows];
    await page.goto('/?standing=known');
    expect(await banner().getByRole('heading').innerText()).toContain('25 unknown API keys, 2 revoked or expired');
    await banner().getByRole('link', { name: '24 more keys in the table' }).click();
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(32);
    const standings = await page
      .locator('td[data-label="Standing"] bdi')
      .evaluateAll((all) => all.map((one) => one.textContent));
    expect(standings.slice(0, 27)).not.toContain('known');
  });

  it('opens the rows of own producers, and no page for a collector that the registry does not have', async () => {
    for (const row of stage.fake.org.rows.slice(0, 3)) row.collector = '';
    for (const row of stage.fake.org.rows.slice(3, 7)) row.collector = 'cred_lost';
    await page.goto('/');
    const collectors = page.getByRole('region', { name: 'Collectors' }).first();
    const lost = collectors.locator('tr', { hasText: 'cred_lost' });
    expect(await lost.locator('th a').count()).toBe(0);
    expect(await lost.getByRole('link').innerText()).toBe('4');
    await collectors.locator('tr', { hasText: 'Own producers' }).getByRole('link').click();
    await page.getByText('3 events').waitFor();
  });

  it('shows the three lanes of the product’s first page with their sessions, cost and standing', async () => {
    await page.goto('/');
    const shown = async (hint: string) => (await lane(hint).innerText()).replace(/\s+/g, ' ');
    expect(await shown('A3F2')).toMatch(/known.*qpoint-dev.* 33 .*\$47\.20/);
    expect(await shown('7B91')).toMatch(/known.*qpoint-ci.* 11 .*\$0\.82/);
    expect(await shown('C001')).toMatch(/unknown.*not registered.* 1 .*\$0\.61/);
  });

  it('leads from a lane to exactly the rows that its numbers were made from', async () => {
    await page.goto('/');
    const cost = (await lane('A3F2').getByText('$47.20').innerText()).trim();
    await lane('A3F2').locator('a[href^="/ledger"]').click();
    await page.getByRole('heading', { name: 'Ledger' }).waitFor();
    const totals = await page.locator('section', { hasText: 'Rows' }).locator('header').innerText();
    expect(totals).toContain('198 events');
    expect(totals).toContain(cost);
    expect(totals).toContain('33 sessions');
  });

  it.each([
    ['Shared lanes', 2],
    ['Weakly governed', 1],
    ['Unknown-key sessions', 1],
    ['Live unknown spend', 1],
    ['Keys observed', 8],
  ])('filters the table by the count %s, which is marked as the current one', async (name, rows) => {
    // Events that name no key have a row in the table and are no key.
    const [row] = stage.fake.org.rows;
    const none = { lane: 'unattributed', fingerprint: '', hint: '', standing: 'unattributed', credential_id: '' };
    stage.fake.org.rows = [...stage.fake.org.rows, { ...row!, ...none, id: 'none', kafka_offset: 900_000 }];
    await page.goto('/');
    const count = page.getByRole('list', { name: 'Counts' }).getByRole('link', { name });
    await count.click();
    await eventually(() => count.getAttribute('aria-current')).toBe('true');
    await eventually(() => page.locator('tbody tr th[scope=row] a').count()).toBeGreaterThan(0);
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(rows);
  });

  it('searches, sorts and changes the window by the address alone', async () => {
    await page.goto('/');
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
    await page.goto('/');
    expect(await lane('pX7...Kw2A').innerText()).toContain('weakly governed: no expiry, no environment');
    expect(await lane('7B91').innerText()).toContain('shared too broadly');
    expect(await page.getByRole('link', { name: 'Shared lanes' }).innerText()).toContain('1 too broadly');
    await page.getByLabel('Posture', { exact: true }).selectOption('shared too broadly');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByRole('link', { name: 'Remove filter posture shared too broadly' }).waitFor();
    expect(await page.getByRole('region', { name: 'Lanes' }).locator('tbody tr th').allInnerTexts()).toEqual([
      'sk-ant-...7B91',
    ]);
  });

  it('leads from a lane to its open findings, and from an org to its lanes', async () => {
    await page.goto('/');
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
    await page.goto(`/${query}`);
    expect(await page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(rows);
    await page.getByRole('link', { name: `Remove filter ${chip}` }).click();
    await eventually(() => page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(8);
  });

  it('sorts where the table has no header, too', async () => {
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto('/?q=qpoint');
    await page.getByLabel('Sort by').selectOption('cost');
    await page.getByLabel('Order').selectOption('asc');
    await page.getByRole('button', { name: 'Filter' }).click();
    await eventually(() => page.url()).toContain('sort=cost&order=asc');
    await eventually(() => page.locator('tbody tr').first().innerText()).toContain('gsk_wR1');
    expect(page.url()).toContain('q=qpoint');
  });

  it('tells silent collectors apart from calm', async () => {
    await page.goto('/');
    expect(await banner().innerText()).toContain('1 collector silent, 1 collector never reported');
    const panel = page.getByRole('region', { name: 'Collectors' }).first();
    expect((await panel.innerText()).replace(/\s+/g, ' ')).toMatch(/Laptops reporting.*CI runners silent/);
    expect(await panel.locator('header').innerText()).toContain('1 collector silent, 1 collector never reported');
  });

  it('says that all is accounted for only where somebody could have reported', async () => {
    const panel = page.getByRole('region', { name: 'Collectors' }).first();
    for (const row of stage.fake.org.rows) row.collector = 'cred-collector-laptops';
    for (const one of stage.fake.org.credentials) if (/-(ci|proxy)$/.test(one.id)) one.status = 'revoked';
    await page.goto('/');
    expect(await panel.locator('header').innerText()).toContain('All report, and every event');
    for (const one of stage.fake.org.credentials) if (one.may_ship_events) one.status = 'revoked';
    await page.reload();
    expect(await panel.locator('header').innerText()).toContain('no collector is left that could report');
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
    expect(asked()).toContain('/v1/changes true');
    await eventually(() => page.evaluate(() => document.cookie)).not.toContain('lanewatch_unattended');
    stage.fake.received.length = 0;
    await page.getByRole('link', { name: 'Shared lanes' }).click();
    await eventually(asked).toContain('/v1/lanes false');
  });

  it('leaves what somebody is typing when it changes, and shows the search of the address', async () => {
    await page.goto('/?q=support');
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
    await page.getByRole('link', { name: 'Unknown-key sessions' }).click();
    await eventually(() => standing.inputValue()).toBe('unknown');
  });

  it.each([
    ['/', 'Standing', 'revoked'],
    ['/findings', 'Severity', 'low'],
  ])('keeps what was chosen and typed on %s before its JavaScript came', async (path, label, choice) => {
    const scripts = Promise.withResolvers<undefined>();
    await page.route('**/*.js', (route) => scripts.promise.then(() => route.continue()));
    await page.goto(path, { waitUntil: 'commit' });
    const select = page.getByLabel(label, { exact: true });
    await select.selectOption(choice);
    if (path === '/') await page.getByRole('searchbox').fill('half a wo');
    scripts.resolve(undefined);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await select.inputValue()).toBe(choice);
    if (path === '/') expect(await page.getByRole('searchbox').inputValue()).toBe('half a wo');
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
    await page.goto('/');
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

  it('says that nothing was spent instead of drawing nothing', async () => {
    for (const row of stage.fake.org.rows) row.cost_usd = '0.000000000';
    await page.goto('/');
    await page.getByText('Nothing was spent in this window.').waitFor();
    await page.getByText('Show as a table').click();
    expect(await page.getByRole('region', { name: 'Spend as a table' }).locator('tbody tr').count()).toBe(7);
    expect(await page.locator('.plot').count()).toBe(0);
  });

  it('gives the numbers behind the chart as a table', async () => {
    await page.goto('/');
    await page.getByText('Show as a table').click();
    const table = page.getByRole('region', { name: 'Spend as a table' });
    expect(await table.locator('tbody tr').count()).toBe(7);
    await eventually(() => page.locator('.plot canvas').count()).toBe(1);
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
    await page.getByRole('searchbox').fill('support');
    await page.getByRole('button', { name: 'Filter' }).click();
    expect(await page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(1);
    await page.goto('/');
    await page.getByRole('link', { name: 'Shared lanes' }).click();
    expect(await page.getByRole('region', { name: 'Lanes' }).locator('tbody tr').count()).toBe(2);
  });

  it('asks again by itself while nothing was received', async () => {
    stage.fake.org.rows = [];
    await page.goto('/');
    expect(await page.locator('meta[http-equiv="refresh"]').count()).toBe(1);
  });
});
