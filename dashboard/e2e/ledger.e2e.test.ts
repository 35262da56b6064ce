import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import type { Stage } from './harness.ts';
import { onStage } from './on-stage.ts';

let stage: Stage;
let page: Page;

onStage(async (its) => {
  stage = its;
  page = await (await stage.visitor({ timezoneId: 'Asia/Tokyo' })).newPage();
  return () => page.context().close();
});

const rows = () => page.getByRole('region', { name: 'Ledger rows' }).locator('tbody > tr[data-row]');
/** The rows' panel has two headers' worth of text: sums, and what acts on them. */
const totals = async () =>
  (await page.getByRole('region', { name: 'Rows' }).locator('header').innerText()).replace(/\s+/g, ' ');

describe('the ledger', () => {
  it('shows every filter of the address as a chip that removes just itself', async () => {
    await page.goto('/ledger?user=mira.santos&user=jonas.weber&standing=known');
    const chips = page.getByRole('list', { name: 'Filters in force' });
    expect(await chips.locator('li').count()).toBe(3);
    const both = await totals();
    await page.getByRole('link', { name: 'Remove filter user jonas.weber' }).click();
    await eventually(() => chips.locator('li').count()).toBe(2);
    expect(page.url()).toContain('user=mira.santos');
    expect(page.url()).not.toContain('jonas');
    expect(await totals()).not.toBe(both);
  });

  it('takes a filter as it is typed, and says when no row fits', async () => {
    await page.goto('/ledger');
    await page.getByRole('searchbox').fill('model:gpt-5.4');
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await eventually(totals).toContain('54 events');
    await page.getByRole('searchbox').fill(`model:gpt-5.4 user:"nobody' OR 1=1 --"`);
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByText('No row fits these filters.').waitFor();
  });

  it('points at the place of a filter that it does not understand, and keeps what was typed', async () => {
    await page.goto('/ledger?q=agent:codex+usr:ada');
    const alert = page.getByRole('alert');
    expect((await alert.innerText()).replace(/\s+/g, ' ')).toContain(
      'usr is no field of the ledger; did you mean user?',
    );
    expect(await alert.locator('mark').innerText()).toBe('usr');
    expect(await page.getByRole('searchbox').inputValue()).toBe('agent:codex usr:ada');
    expect(await rows().count()).toBe(0);
  });

  it('keeps to a value, or leaves it out, by a press where it stands', async () => {
    await page.goto('/ledger');
    await page.getByRole('button', { name: 'Follow' }).waitFor();
    const cell = rows().first().locator('td[data-label="Person"]');
    const person = await cell.innerText();
    await cell.hover({ position: { x: 6, y: 6 } });
    await page.getByRole('link', { name: 'Not this', exact: true }).click();
    await eventually(() => page.getByRole('searchbox').inputValue()).toBe(`-user:${person}`);
    await rows().first().getByRole('link').first().click();
    await page.getByRole('link', { name: 'Only this model' }).click();
    await eventually(() => page.getByRole('searchbox').inputValue()).toContain(' model:');
  });

  it('zooms to what is dragged over in its drawing', async () => {
    await page.goto('/ledger');
    await page.getByRole('button', { name: 'Follow' }).waitFor();
    const drawing = page.getByRole('group', { name: /Rows over time/ });
    const { x, y, width } = (await drawing.boundingBox())!;
    await page.mouse.move(x + width * 0.25, y + 20);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.75, y + 20, { steps: 4 });
    await page.mouse.up();
    await eventually(() => page.url()).toMatch(/from=.+&to=/);
    const { searchParams } = new URL(page.url());
    const [from, to] = ['from', 'to'].map((name) => searchParams.get(name) ?? '');
    const within = stage.fake.org.rows.filter((row) => row.seen_at >= from! && row.seen_at < to!).length;
    expect(within).toBeLessThan(stage.fake.org.rows.length);
    await eventually(totals).toContain(`${within} events`);
  });

  it('has the columns that were chosen, and keeps them', async () => {
    await page.goto('/ledger');
    await page.getByText('Columns', { exact: true }).click();
    await page.getByLabel('Repository').uncheck();
    await page.getByLabel('Branch').check();
    await page.getByRole('button', { name: 'Show these' }).click();
    const heads = page.getByRole('columnheader');
    await eventually(() => heads.allInnerTexts()).toContain('Branch');
    await page.reload();
    expect(await heads.allInnerTexts()).toContain('Branch');
    expect(await heads.allInnerTexts()).not.toContain('Repository');
  });

  it('follows what is stored, newest first, when asked to', async () => {
    await page.goto('/ledger');
    await page.getByRole('button', { name: 'Follow' }).click();
    await eventually(() => stage.fake.listeners()).toBeGreaterThan(0);
    const [newest] = stage.fake.org.rows;
    const seen_at = new Date(Date.now() + 1000).toISOString();
    stage.fake.org.rows.unshift({
      ...newest!,
      id: 'new',
      kafka_offset: 990_001,
      user: 'just.now',
      seen_at,
      stored_at: seen_at,
    });
    stage.fake.announce(seen_at);
    await eventually(() => rows().first().innerText()).toContain('just.now');
    expect(await page.getByRole('status').filter({ hasText: '1 new' }).count()).toBe(1);
  });

  it('reaches every row once, page by page, newest first', async () => {
    await page.goto('/ledger?limit=300');
    const seen: string[] = [];
    for (let pageNumber = 0; pageNumber < 10; pageNumber += 1) {
      seen.push(
        ...(await rows()
          .locator('th time')
          .evaluateAll((all) => all.map((one) => one.getAttribute('datetime') ?? ''))),
      );
      const next = page.getByRole('link', { name: 'Next page' });
      if ((await next.count()) === 0) break;
      const before = page.url();
      await next.click();
      await eventually(() => page.url()).not.toBe(before);
      await page.getByRole('link', { name: 'First page' }).waitFor();
    }
    expect(seen).toHaveLength(stage.fake.org.rows.length);
    expect(seen).toEqual([...seen].sort().reverse());
  });

  it('opens a row to all of its columns, exact and linked', async () => {
    await page.goto('/ledger?hint=sk-ant-...C001');
    await page.getByRole('button', { name: 'Follow' }).waitFor();
    await rows().first().getByRole('link').first().click();
    const opened = page.locator('tr.opened dl');
    const detail = await opened.innerText();
    for (const column of Object.keys(stage.fake.org.rows[0]!)) expect(detail).toContain(column);
    expect(detail).toMatch(/\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3} UTC/);
    expect(await opened.locator('a[href^="/findings/R01"]').count()).toBe(1);
  });

  it('has a page for each row, which needs no JavaScript', async () => {
    const plain = await stage.visitor({ javaScriptEnabled: false });
    const reader = await plain.newPage();
    await reader.goto('/ledger?hint=sk-ant-...C001');
    await reader.locator('tr[data-row] th a').first().click();
    const detail = await reader.locator('dl.facts').innerText();
    for (const column of Object.keys(stage.fake.org.rows[0]!)) expect(detail).toContain(column);
    expect((await reader.goto('/ledger/rows/1-2-3?lane=x&seen_at=2026-11-21T00:00:00Z'))?.status()).toBe(404);
    await plain.close();
  });

  it('shows times in the reader’s own zone when asked, and remembers it', async () => {
    await page.goto('/ledger');
    await page.getByText('Display').click();
    await page.getByRole('button', { name: 'Local (Asia/Tokyo)' }).click();
    await page.getByText('times in Asia/Tokyo').waitFor();
    await page.reload();
    await page.getByText('times in Asia/Tokyo').waitFor();
    const first = rows().first().locator('th time');
    expect(await first.getAttribute('title')).toContain('GMT+9');
  });

  it.each([
    ['/ledger?from=yesterday', 'from is no time'],
    ['/ledger?usr=ada', 'usr is no filter of the ledger'],
    ['/ledger?status_code=4xx', 'status_code is a whole number such as 429'],
  ])('shows no rows for %s, and says why', async (path, reason) => {
    await page.goto(path);
    const alert = page.getByRole('alert');
    expect((await alert.innerText()).replace(/\s+/g, ' ')).toContain(reason);
    expect(await rows().count()).toBe(0);
    expect(await totals()).not.toContain('event');
    await alert.getByRole('link', { name: 'Remove it' }).click();
    await eventually(() => rows().count()).toBe(50);
  });

  it('takes bounds as dates and times of the reader’s zone, and a day in an address for its midnight UTC', async () => {
    const day = stage.fake.org.rows.at(-1)!.seen_at.slice(0, 10);
    const before = stage.fake.org.rows.filter((row) => row.seen_at < `${day}T06:30:00Z`).length;
    await page.goto('/ledger');
    await page.getByLabel('From, in UTC').fill(`${day}T06:30`);
    await page.getByRole('button', { name: 'Set bounds' }).click();
    await eventually(totals).toContain(`${stage.fake.org.rows.length - before} events`);
    await page.getByRole('link', { name: `Remove filter from ${day}T06:30:00.000Z` }).waitFor();
    await page.goto(`/ledger?from=${day}`);
    expect(await page.getByLabel('From, in UTC').inputValue()).toBe(`${day}T00:00`);
  });

  it.each(['/ledger', `/findings/R01-${'0'.repeat(24)}`])(
    'keeps working on %s when one event was stored twice and a filter is given twice',
    async (path) => {
      const faults: Error[] = [];
      page.on('pageerror', (error) => faults.push(error));
      const original = stage.fake.org.rows;
      const [newest] = original.filter((row) => row.hint === 'sk-ant-...C001');
      stage.fake.org.rows = [{ ...newest!, kafka_offset: 999_999 }, ...original];
      await page.goto(`${path}?user=&hint=sk-ant-...C001&hint=sk-ant-...C001`);
      await page.locator('button[value="Asia/Tokyo"]').waitFor({ state: 'attached' });
      await page.getByText('7 ').first().waitFor();
      stage.fake.org.rows = original;
      expect(faults).toEqual([]);
    },
  );

  it('refuses a cursor that it did not give out with a page, not a crash', async () => {
    const response = await page.goto('/ledger?cursor=forged');
    expect(response?.status()).toBe(400);
    expect(await page.locator('main').innerText()).toContain('The cursor is none that this list gave out.');
  });
});

describe('findings', () => {
  it('lead from the list to the facts and the rows that prove them', async () => {
    await page.goto('/findings');
    await page.getByRole('link', { name: 'Unknown key' }).click();
    await page.getByRole('heading', { name: 'Rows that prove it' }).waitFor();
    const text = await page.locator('main').innerText();
    for (const part of [
      'The key is not in the allowlist',
      '10.0.1.44',
      'session active',
      '30 minutes',
      '6 rows, $0.61',
    ]) {
      expect(text).toContain(part);
    }
    await page.getByRole('link', { name: '6 rows, $0.61' }).click();
    await eventually(totals).toContain('6 events · $0.61');
  });

  it('are filtered by severity', async () => {
    await page.goto('/findings');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByLabel('Severity').selectOption('medium');
    await page.getByRole('button', { name: 'Filter' }).click();
    await eventually(() => page.getByRole('form', { name: 'Triage' }).getByRole('listitem').count()).toBe(1);
    expect(await page.locator('main').innerText()).toContain('Shared lane');
  });
});

describe('a lane', () => {
  it('shows posture, blast radius and the four groups, each number leading to its rows', async () => {
    await page.goto('/keys');
    await page.getByRole('link', { name: 'sk-ant-...A3F2' }).click();
    for (const name of ['Observed with', 'Usage context', 'Known comparables', 'Response path']) {
      await page.getByRole('heading', { name, level: 3, exact: true }).waitFor();
    }
    expect(await page.getByRole('region', { name: 'Posture' }).innerText()).toContain('4 people used it');
    const events = stage.fake.org.rows.filter((row) => row.user === 'mira.santos').length;
    const all = page.getByRole('region', { name: 'All it was observed with' });
    await all.locator('li', { hasText: 'mira.santos' }).getByRole('link', { name: 'event' }).click();
    await eventually(() => page.url()).toContain('user=mira.santos');
    await eventually(totals).toContain(`${events} events`);
  });

  it('shows the instants of its posture in the reader’s zone', async () => {
    const [row] = stage.fake.org.rows.filter(({ standing }) => standing === 'revoked');
    await page.goto(`/lanes/${row!.lane}`);
    const posture = await page.getByRole('region', { name: 'Posture' }).innerText();
    expect(posture).toMatch(/Revoked \d{4}-\d\d-\d\d \d\d:\d\d; used after\./);
    expect(posture).not.toMatch(/T\d\d:/);
  });

  it('says of an unknown key how to review it, and that its provider alone can end it', async () => {
    const [row] = stage.fake.org.rows.filter(({ hint }) => hint === 'sk-ant-...C001');
    await page.goto(`/lanes/${row!.lane}`);
    const posture = (await page.getByRole('region', { name: 'Posture' }).innerText()).replace(/\s+/g, ' ');
    expect(posture).toContain(
      'Register it if it belongs here. If it does not, revoke it, and have it ended at anthropic',
    );
    await page.getByRole('link', { name: 'rows of the session' }).click();
    await eventually(totals).toContain('6 events');
    await page.getByRole('link', { name: `Remove filter session ${row!.session}` }).waitFor();
  });

  it('leads from every endpoint to the rows that it counts, from hosts without an address too', async () => {
    const own = stage.fake.org.rows.filter((row) => row.hint === 'sk-ant-...A3F2');
    const without = own.filter(({ user }) => user === 'leo.martin');
    expect(without.length).toBeGreaterThan(0);
    for (const row of without) Object.assign(row, { ip: '', host: 'laptop' });
    Object.assign(
      own.find(({ user }) => user !== 'leo.martin')!,
      { host: 'laptop' },
    );
    await page.goto(`/lanes/${own[0]!.lane}`);
    const all = page.getByRole('region', { name: 'All it was observed with' });
    const endpoint = all.locator('li', { hasText: 'laptop' });
    expect(await endpoint.innerText()).toContain(`${without.length} events`);
    await endpoint.getByRole('link', { name: 'event' }).click();
    await eventually(totals).toContain(`${without.length} events`);
    await page.getByRole('link', { name: 'Remove filter without address' }).waitFor();
  });

  it('counts all of a group where only its newest are listed, and keeps its window in their links', async () => {
    const own = stage.fake.org.rows.filter((row) => row.hint === 'sk-ant-...A3F2');
    for (const [index, row] of own.entries()) Object.assign(row, { session: `session ${index % 60}` });
    await page.goto(`/lanes/${own[0]!.lane}`);
    await page.getByRole('heading', { name: 'Sessions 60, the 50 newest here' }).waitFor();
    const session = page.locator('li', { has: page.getByRole('link', { name: 'session 0', exact: true }) });
    expect(await session.getByRole('link', { name: 'event' }).last().getAttribute('href')).toMatch(/lane=.+from=.+to=/);
  });

  it('says when it was seen first at all, also where the window holds none of its events', async () => {
    const own = stage.fake.org.rows.filter((row) => row.hint === 'sk-ant-...7B91');
    const seen_at = new Date(Date.now() - 400 * 86_400_000).toISOString();
    stage.fake.org.rows.push({ ...own[0]!, id: 'old', kafka_offset: 900_000, seen_at });
    for (const [window, events] of [
      ['7d', own.length],
      ['1h', 0],
    ] as const) {
      for (const row of own) if (window === '1h') row.seen_at = new Date(Date.now() - 5 * 3_600_000).toISOString();
      await page.goto(`/lanes/${own[0]!.lane}?window=${window}`);
      expect(await page.getByRole('region', { name: 'What is known' }).innerText()).toContain('first 400 d ago');
      const blast = page.getByRole('list', { name: 'Blast radius' });
      await blast
        .getByRole('link', { name: `${events} call`, exact: false })
        .first()
        .waitFor();
    }
  });

  it('that does not exist is a page that says so', async () => {
    const response = await page.goto('/lanes/nothing');
    expect(response?.status()).toBe(404);
    expect(await page.title()).toBe('Not found · Lanewatch');
    await page.goto('/nothing');
    expect((await page.locator('main').innerText()).match(/not found/gi)).toHaveLength(1);
  });
});
