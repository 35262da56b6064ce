import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeFindings } from './axe.ts';
import { eventually } from './eventually.ts';
import { ADA } from './fake-triage.ts';
import { startStage, type Stage } from './harness.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
}, 60_000);
afterAll(() => stage.close());

const rows = (page: Page) => page.getByRole('form', { name: 'Triage' }).getByRole('listitem');
const live = (page: Page) => page.getByText('Live', { exact: true }).waitFor();
const statusOf = (id: string) => stage.fake.org.findings.find((one) => one.id === id)?.status;

describe('triage', () => {
  it('is done by keyboard alone, is undone, and another browser sees it without moving', async () => {
    const [first, second] = await Promise.all([stage.visitor(), stage.visitor()]);
    const [page, other] = await Promise.all([first.newPage(), second.newPage()]);
    await Promise.all([page.goto('/findings'), other.goto('/findings')]);
    await Promise.all([live(page), live(other)]);
    const [top, next] = stage.fake.org.findings;
    const title = await page.title();
    expect(title).toBe(`(${stage.fake.org.findings.length}) Findings · Lanewatch`);

    await page.keyboard.press('j');
    await page.keyboard.press('e');
    await eventually(() => statusOf(top!.id)).toBe('acknowledged');
    await eventually(() => rows(other).first().innerText()).toContain('acknowledged');
    await page.keyboard.press('d');
    await eventually(() => rows(other).first().innerText()).toContain('resolved');
    expect(await rows(other).count()).toBe(stage.fake.org.findings.length);
    await page.getByText('1 finding resolved as fixed.').waitFor();
    await page.keyboard.press('z');
    await eventually(() => statusOf(top!.id)).toBe('acknowledged');

    await page.keyboard.press('s');
    await page.getByLabel('Why').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('rotation is on Monday');
    await page.keyboard.press('Enter');
    await eventually(() => statusOf(next!.id)).toBe('snoozed');
    await page.keyboard.press('k');
    await page.keyboard.press('m');
    await page.getByText('1 chosen').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('m');
    await page.getByText('2 chosen').waitFor();
    await page.keyboard.press('c');
    await page.getByRole('heading', { name: 'Comment on 2 findings' }).waitFor();
    await page.keyboard.type('asked Mira');
    expect(await page.getByLabel('Comment', { exact: true }).inputValue()).toBe('asked Mira');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('Comment added to 2 findings.').waitFor();
    await eventually(() => other.getByText('1 comment', { exact: true }).count()).toBe(2);
    await page.keyboard.press('m');
    await page.getByText('1 chosen').waitFor();
    await page.keyboard.press('a');
    await page.getByLabel('To whom').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await eventually(() => stage.fake.org.findings.find(({ assignee }) => assignee === ADA)?.assignee).toBe(ADA);
    await eventually(() => other.locator('main').innerText()).toContain(ADA);

    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keys of the queue' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What made it fire' }).waitFor();
    await Promise.all([first.close(), second.close()]);
  });

  it('tells of a new finding at once, in the title and in a bar, and moves nothing before that is pressed', async () => {
    const context = await stage.visitor();
    const page = await context.newPage();
    await page.goto('/findings');
    await live(page);
    const before = await rows(page).count();
    const waiting = Number(/\((\d+)\)/.exec(await page.title())![1]);
    const [like] = stage.fake.org.findings;
    stage.fake.comeFinding({ ...like!, id: `R01-${'f'.repeat(24)}`, status: 'open', version: 0, assignee: '' });
    await page.getByRole('button', { name: 'Show 1 new finding' }).waitFor();
    expect(await page.title()).toBe(`(${waiting + 1}) Findings · Lanewatch`);
    expect(await rows(page).count()).toBe(before);
    stage.fake.received.length = 0;
    await page.getByRole('button', { name: 'Show 1 new finding' }).click();
    await eventually(() => rows(page).first().getByRole('link').first().getAttribute('href')).toContain('ffffff');
    expect(await page.title()).toBe(`(${waiting + 1}) Findings · Lanewatch`);
    await context.close();
  });

  it('works as plain forms, with the way back', async () => {
    const context = await stage.visitor({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto('/findings');
    const id = await rows(page).first().getByRole('checkbox').getAttribute('value');
    await rows(page).first().getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    expect(await page.getByRole('status').filter({ hasText: 'acknowledged' }).innerText()).toBe(
      '1 finding acknowledged.',
    );
    expect(statusOf(id!)).toBe('acknowledged');
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(statusOf(id!)).toBe('open');
    await page.goto(`/findings/${id}`);
    await page.getByLabel('Comment', { exact: true }).fill('Asked Mira.');
    await page.getByRole('button', { name: 'Add comment' }).click();
    expect(await page.getByRole('region', { name: 'History' }).innerText()).toContain('Asked Mira.');
    await page.getByRole('button', { name: 'Resolve as fixed' }).click();
    expect(statusOf(id!)).toBe('resolved');
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(statusOf(id!)).toBe('open');
    await context.close();
  });

  it.each(['light', 'dark'] as const)(
    'has pages without fault in the %s theme, wide and on a phone',
    async (colorScheme) => {
      const context = await stage.visitor({ colorScheme });
      const page = await context.newPage();
      for (const path of ['/findings?status=all', `/findings/R01-${'0'.repeat(24)}`]) {
        await page.setViewportSize({ width: 1280, height: 900 });
        await page.goto(path);
        await live(page);
        expect(await axeFindings(page)).toEqual([]);
        await page.setViewportSize({ width: 360, height: 800 });
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
        expect(await axeFindings(page)).toEqual([]);
      }
      await context.close();
    },
  );
});
