import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
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

const queue = () => page.getByRole('region', { name: 'Needs a decision' });
const chosen = () => queue().locator('a[aria-current="true"] .hint').innerText();
const title = () => page.locator('#case-title').innerText();
/** The lane that the acts of the page are about. */
const shownLane = () => page.locator('input[name="lane"]').first().inputValue();
const sent = (path: string) =>
  stage.fake.received
    .filter(({ method, url }) => method === 'POST' && url.includes(path))
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const ready = () => page.getByText('Live', { exact: true }).waitFor();
const text = async (name: string) =>
  (await page.getByRole('region', { name }).first().innerText()).replace(/\s+/g, ' ');

describe('deciding about a case', () => {
  it('opens with the worst one: who, where, agent, model, session, spend, and what is missing', async () => {
    await page.goto('/');
    expect(await title()).toBe('sk-ant-...C001');
    const map = (await page.getByRole('group', { name: 'Map of the key' }).innerText()).replace(/\s+/g, ' ');
    for (const part of [
      'unknown user',
      '10.0.1.44',
      'Claude Code',
      'claude-sonnet-4-6',
      'live session',
      'missing entry',
    ])
      expect(map).toContain(part);
    expect(await text('sk-ant-...C001')).toMatch(/0 people 1 endpoint 1 agent 1 session .* \$0\.61 spent/);
  });

  it('is decided by keys alone: on, acknowledge, undo, next', async () => {
    await page.goto('/');
    await ready();
    const first = await title();
    await page.keyboard.press('j');
    await eventually(title).not.toBe(first);
    await page.keyboard.press('k');
    await eventually(title).toBe(first);
    const count = await queue().locator('ol li').count();
    await page.keyboard.press('e');
    await page.getByText('Acknowledged 1 finding.').waitFor();
    expect(await title()).toBe(first);
    await eventually(() => queue().locator('ol li').count()).toBe(count - 1);
    await page.keyboard.press('z');
    await page.getByText('Undone.').waitFor();
    await eventually(() => queue().locator('ol li').count()).toBe(count);
    await page.keyboard.press('e');
    await page.getByText('Acknowledged 1 finding.').waitFor();
    await page.keyboard.press('j');
    await eventually(chosen).not.toBe(first);
    expect(await title()).toBe(await chosen());
  });

  it('takes two presses a key for ten keys in a row: one decides, one moves on, and the page is never left', async () => {
    const { rows, findings } = stage.fake.org;
    const row = rows.find(({ hint }) => hint === 'sk-ant-...C001')!;
    for (let index = 0; index < 10; index++) {
      const lane = String(index).repeat(64);
      rows.push({ ...row, id: `more ${index}`, kafka_offset: 900_000 + index, fingerprint: lane, lane });
      findings.push({ ...findings[0]!, id: `R01-${String(index).repeat(24)}`, lane, fingerprint: lane });
    }
    await page.goto('/');
    await ready();
    let presses = 0;
    const press = (key: string) => {
      presses++;
      return page.keyboard.press(key);
    };
    const startedMs = Date.now();
    const decided = new Set<string>();
    while (decided.size < 10) {
      const lane = await shownLane();
      decided.add(lane);
      await press('e');
      await page.getByText(/Acknowledged \d+ finding/).waitFor();
      // What others do meanwhile takes nothing away of what is shown.
      stage.fake.announce(new Date().toISOString());
      await press('j');
      await eventually(shownLane).not.toBe(lane);
    }
    expect(presses).toBe(20);
    expect(Date.now() - startedMs).toBeLessThan(120_000);
    expect(sent('/v1/findings/triage')).toEqual([...decided].map((lane) => ({ act: 'acknowledge', lanes: [lane] })));
    expect(new URL(page.url()).pathname).toBe('/');
  });

  it('says what came of an act, and leads on from its case, where the page is brought up to date before the answer is there', async () => {
    await page.goto('/');
    await ready();
    const lane = await shownLane();
    const count = await queue().locator('ol li').count();
    await page.route(/\?\/acknowledge/, async (route) => {
      const response = await route.fetch();
      stage.fake.announce(new Date(Date.now() + 1_000).toISOString());
      await eventually(() => queue().locator('ol li').count()).toBe(count - 1);
      await route.fulfill({ response });
    });
    await page.keyboard.press('e');
    await page.getByText('Acknowledged 1 finding.').waitFor();
    expect(await shownLane()).toBe(lane);
    await page.getByRole('link', { name: 'Next case J' }).waitFor();
    stage.fake.announce(new Date(Date.now() + 2_000).toISOString());
    await page.keyboard.press('z');
    await page.getByText('Undone.').waitFor();
    expect(await shownLane()).toBe(lane);
  });

  it('stays with the case that is read when a graver one comes in', async () => {
    await page.goto('/');
    await ready();
    const lane = await shownLane();
    const { rows, findings } = stage.fake.org;
    const [row, graver] = [rows.find((one) => one.lane === lane)!, 'f'.repeat(64)];
    rows.unshift({ ...row, id: 'graver', kafka_offset: 900_000, fingerprint: graver, lane: graver, cost_usd: '900' });
    findings.unshift({ ...findings[0]!, id: `R01-${'f'.repeat(24)}`, lane: graver, fingerprint: graver, risk: 100 });
    stage.fake.announce(new Date(Date.now() + 1_000).toISOString());
    await eventually(() => queue().locator('ol li').first().locator('a').first().getAttribute('href')).toContain(
      graver,
    );
    expect(await shownLane()).toBe(lane);
    expect(await queue().locator('ol a[aria-current="true"]').getAttribute('href')).toContain(lane);
  });

  it('is put off with a reason, and assigned, without leaving it', async () => {
    await page.goto('/');
    await ready();
    const lane = await shownLane();
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Take it' }).click();
    await page.getByText('Assigned 1 finding.').waitFor();
    await page.keyboard.press('s');
    await page.keyboard.type('waits for the vendor');
    await page.getByRole('button', { name: '7 days' }).click();
    await page.getByText('Put off 1 finding.').waitFor();
    const [assigned, snoozed] = sent('/v1/findings/triage');
    expect(assigned).toMatchObject({ act: 'assign', lanes: [lane], assignee: 'me' });
    expect(snoozed).toMatchObject({ act: 'snooze', lanes: [lane], reason: 'waits for the vendor' });
    expect(Date.parse(String(snoozed!['until'])) - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
    await page.keyboard.press('z');
    await page.getByText('Undone.').waitFor();
    expect(stage.fake.org.findings.find((one) => one.lane === lane)).toMatchObject({ status: 'open', snooze: null });
  });

  it('is told as put off among those that are, and taken up again with one key', async () => {
    const [finding] = stage.fake.org.findings;
    const snooze = { at: new Date().toISOString(), by: 'ada@example.com', reason: 'waits for the vendor' };
    Object.assign(finding!, {
      status: 'snoozed',
      snooze: { ...snooze, until: new Date(Date.now() + 9e8).toISOString() },
    });
    await page.goto('/?state=snoozed');
    await ready();
    expect(await text('Posture')).toMatch(/Put off until .* waits for the vendor/);
    await page.keyboard.press('o');
    await page.getByText('Re-opened 1 finding.').waitFor();
    expect(sent('/v1/findings/triage')).toEqual([{ act: 'reopen', ids: [finding!.id] }]);
    await eventually(() => queue().locator('ol li').count()).toBe(0);
  });

  it('registers its key in place, with an owner and an organisation, in three presses', async () => {
    await page.goto('/');
    await ready();
    await page.keyboard.press('r');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Ada’s laptop');
    await dialog.getByLabel('Owner').fill('ada');
    await dialog.getByLabel('Organization').fill('qpoint-dev');
    await dialog.getByRole('button', { name: 'Register' }).click();
    await page.getByText(/Registered\. \d+ finding/).waitFor();
    expect(sent('/v1/credentials').at(-1)).toMatchObject({ owner: 'ada', org: 'qpoint-dev', hint: 'sk-ant-...C001' });
  });

  it('revokes an unknown key only with its hint typed and a reason, and says who used it', async () => {
    await page.goto('/');
    await ready();
    await page.keyboard.press('x');
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText('1 caller').waitFor();
    await dialog.getByLabel('Reason').fill('nobody here owns it');
    const button = dialog.getByRole('button', { name: 'Revoke for ever' });
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByLabel('Type its hint').fill('sk-ant-...C001');
    await button.click();
    await page.getByText('Revoked for ever.').waitFor();
    expect(sent('/refuse')).toMatchObject([{ reason: 'nobody here owns it', hint: 'sk-ant-...C001' }]);
  });

  it('goes from the queue to lane, session, rows and revoke by keyboard alone', async () => {
    await page.goto('/');
    await ready();
    await page.locator('#case-title a').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/lanes\//);
    await page.getByRole('link', { name: /Review session/ }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/sessions\//);
    await page.goBack();
    await page.getByRole('link', { name: /rows? of the session/ }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/ledger\?/);
    await page.goBack();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await ready();
    await page.keyboard.press('x');
    const dialog = page.getByRole('alertdialog');
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await eventually(() => dialog.count()).toBe(0);
    expect(sent('/revoke')).toEqual([]);
  });

  it('has no act for whoever may not do it', async () => {
    stage.fake.role = 'viewer';
    await page.goto('/');
    expect(await page.getByRole('group', { name: 'Acts' }).innerText()).not.toMatch(/Register|Acknowledge|Revoke/);
    stage.fake.role = 'admin';
  });
});

describe('without JavaScript', () => {
  it('acknowledges a case, says so, and leads to the next one', async () => {
    page = await (await stage.visitor({ javaScriptEnabled: false })).newPage();
    await page.goto('/');
    const first = await title();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('Acknowledged 1 finding.').waitFor();
    expect(await title()).toBe(first);
    await page.getByRole('link', { name: 'Next case J' }).click();
    expect(await title()).not.toBe(first);
    await page.context().close();
  });
});
