import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { axeFindings } from './axe.ts';
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

/** The field once it is an editor, which also says that the page has its JavaScript. */
async function editorOf(one: Page) {
  await one.getByRole('textbox', { name: 'SQL' }).focus();
  const editor = one.locator('.cm-content');
  await editor.waitFor();
  return editor;
}
const result = () => page.getByRole('region', { name: 'Result', exact: true });
const lastRun = () => stage.fake.desk.ran[0];

describe('the SQL desk', () => {
  it('answers a question by keyboard alone: chosen, its value given, run, kept, and back from what ran last', async () => {
    await page.goto('/sql');
    await page.getByRole('link', { name: 'Spend by person' }).focus();
    await page.keyboard.press('Enter');
    const field = page.getByLabel('repo String');
    await field.focus();
    expect(await page.locator('datalist option').first().getAttribute('value')).toBe('acme/web');
    await page.keyboard.type('acme/web');
    await page.getByRole('button', { name: 'Run Ctrl' }).focus();
    await page.keyboard.press('Enter');
    await result().getByRole('link', { name: 'mira.santos' }).waitFor();
    expect(lastRun()?.parameters).toEqual({ repo: 'acme/web' });
    // What was written is still there after the page read anew what ran last.
    await page.getByRole('region', { name: 'Ran last' }).getByRole('link').waitFor();
    expect(await field.inputValue()).toBe('acme/web');
    expect(await result().innerText()).toContain('read 4,200 rows, 99.0 KB');
    expect(await result().getByLabel('Chart').inputValue()).toBe('bar');
    await page.locator('summary', { hasText: 'Keep' }).click();
    await page.getByLabel('Title').fill('Ours');
    await page.keyboard.press('Enter');
    await page.getByText('“Ours” is kept.').waitFor();
    expect(stage.fake.desk.saved[0]).toMatchObject({ title: 'Ours', parameters: { repo: 'acme/web' } });
    await page.getByRole('region', { name: 'Ran last' }).getByRole('link').first().click();
    await eventually(() => page.getByLabel('repo String').inputValue()).toBe('acme/web');
  });

  it('completes a value inside quotes, and goes to the place that an error names', async () => {
    await page.goto('/sql?sql=SELECT%201');
    const editor = await editorOf(page);
    await page.keyboard.press('Control+A');
    await page.keyboard.type("SELECT 1\nWHERE model = 'gp");
    await page.locator('.cm-tooltip-autocomplete li', { hasText: 'gpt-5.4' }).click();
    expect(await editor.innerText()).toContain("model = 'gpt-5.4");
    await page.keyboard.press('Control+Enter');
    await page.getByRole('button', { name: 'Go to line 2' }).click();
    await eventually(() => page.evaluate(() => document.activeElement?.className ?? '')).toContain('editor');
  });

  it('says what takes long before it runs it, and runs it when asked again', async () => {
    stage.fake.desk.seconds = 12;
    await page.goto('/sql?sql=SELECT%201%20FROM%20usage');
    await editorOf(page);
    await page.getByRole('button', { name: 'Run Ctrl' }).click();
    await page.getByText('100M rows at most, about 12 s').waitFor();
    expect(stage.fake.desk.ran).toEqual([]);
    await page.getByRole('button', { name: 'Run anyway' }).click();
    await result().waitFor();
    expect(stage.fake.desk.ran).toHaveLength(1);
  });

  it('answers without JavaScript', async () => {
    const plain = await (await stage.visitor({ javaScriptEnabled: false })).newPage();
    await plain.goto('/sql?question=Spend+by+person');
    await plain.getByLabel('repo String').fill('acme/api');
    await plain.getByRole('button', { name: 'Run Ctrl' }).click();
    await plain.getByRole('link', { name: 'mira.santos' }).waitFor();
    expect(lastRun()?.parameters).toEqual({ repo: 'acme/api' });
    await plain.context().close();
  });
});

describe('spend', () => {
  it('leads from a person to their models, narrows by a drag, and the address alone shows the same', async () => {
    await page.goto('/spend?by=user');
    await page.getByRole('link', { name: 'mira.santos', exact: true }).click();
    await page.getByRole('heading', { name: 'By model' }).waitFor();
    const plot = (await page.locator('.u-over').first().boundingBox())!;
    await page.mouse.move(plot.x + plot.width * 0.75, plot.y + 20);
    await page.mouse.down();
    await page.mouse.move(plot.x + plot.width - 2, plot.y + 30, { steps: 3 });
    await page.mouse.up();
    await eventually(() => page.url()).toContain('from=');
    const shown = () => page.getByRole('region', { name: 'By model' }).innerText();
    const [address, rows] = [page.url(), await shown()];
    await page.goto('about:blank');
    await page.goto(address);
    expect(await shown()).toBe(rows);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
    expect(file.suggestedFilename()).toMatch(/^spend-by-model-\d{4}-\d\d-\d\d\.csv$/);
  });

  it('reads whole without JavaScript: figures by basis, steps that narrow, budgets, the forecast with its error', async () => {
    const plain = await (await stage.visitor({ javaScriptEnabled: false })).newPage();
    await plain.goto('/spend?by=standing');
    const text = (await plain.locator('main').innerText()).replace(/\s+/g, ' ');
    for (const part of [
      'Monthly budgets of its keys: $100.00',
      'About $20.50 more is expected',
      'Reported by senders',
      'Estimated from list prices',
      'Of it on unknown keys',
      '+10.0 %',
    ])
      expect(text).toContain(part);
    expect(text).toContain('80 % used');
    await plain.getByText('each step a link').click();
    await plain.locator('details a[href*="from="]').last().click();
    await plain.getByRole('link', { name: 'Back to the whole window' }).waitFor();
    await plain.context().close();
  });
});

describe('both pages', () => {
  it.each(['light', 'dark'] as const)('hold to what axe asks, in the %s theme', async (colorScheme) => {
    const themed = await (await stage.visitor({ colorScheme })).newPage();
    for (const path of ['/spend?by=user', '/sql?question=Spend+by+person']) {
      await themed.goto(path);
      if (path.startsWith('/sql')) {
        await editorOf(themed);
        await themed.keyboard.press('Control+Enter');
        await themed.getByRole('region', { name: 'Result', exact: true }).waitFor();
      }
      expect(await axeFindings(themed), path).toEqual([]);
    }
    await themed.context().close();
  });

  it('keep to the width of a telephone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const path of ['/spend?by=user', '/sql?question=Spend+by+person']) {
      await page.goto(path);
      for (const summary of await page.locator('main summary').all()) await summary.click();
      const beyond = () =>
        page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(await beyond(), path).toBe(0);
    }
  });
});
