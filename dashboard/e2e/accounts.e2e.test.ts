import type { BrowserContext, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { tabTo } from '../../deploy/testing/keyboard.ts';
import { axeFindings } from './axe.ts';
import type { Stage } from './harness.ts';
import { onStage } from './on-stage.ts';

let stage: Stage;
let visitor: BrowserContext;
let page: Page;

onStage(async (its) => {
  stage = its;
  visitor = await stage.visitor();
  page = await visitor.newPage();
  return () => visitor.close();
});

it('a team is made, renamed and archived by the keyboard alone', async () => {
  await page.goto('/settings/teams');
  await tabTo(page, 'Name');
  await page.keyboard.type('payments');
  await page.keyboard.press('Enter');
  await page.getByText('payments is saved').waitFor();
  await tabTo(page, 'Edit payments');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Change payments' }).waitFor();
  await tabTo(page, 'Name');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('billing');
  await page.keyboard.press('Enter');
  await page.getByText('billing is saved').waitFor();
  await tabTo(page, 'Edit billing');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Change billing' }).waitFor();
  await tabTo(page, 'Archive');
  await page.keyboard.press('Enter');
  await page.getByText('billing is archived').waitFor();
  await page.getByRole('link', { name: 'Show 1 that is archived' }).waitFor();
  expect(await page.getByRole('link', { name: 'Edit billing' }).count()).toBe(0);
});

it('a name that is taken is refused beside the form, and a viewer is offered nothing to change', async () => {
  for (const says of ['lab is saved', 'There is one of this name already.']) {
    await page.goto('/settings/projects');
    await page.getByLabel('Name').fill('lab');
    await page.getByRole('button', { name: 'Make the project' }).click();
    await page.getByText(says).waitFor();
  }
  await page.getByLabel('Name').fill('shop');
  await page.getByRole('button', { name: 'Make the project' }).click();
  await page.getByRole('link', { name: 'Edit shop' }).click();
  await page.getByRole('heading', { name: 'Change shop' }).waitFor();
  await page.getByLabel('Name').fill('lab');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('region', { name: 'Change shop' }).getByText('There is one of this name already.').waitFor();
  stage.fake.role = 'viewer';
  await page.goto('/settings/projects?edit=lab');
  await page.getByRole('rowheader', { name: 'lab' }).waitFor();
  expect(await page.locator('main form').count()).toBe(0);
});

it.each(['light', 'dark'] as const)(
  'axe-core finds nothing on pages of accounts in %s, and none scrolls sideways at 360 px',
  async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto('/settings/service-accounts');
    await page.getByLabel('Name').fill('a-runner-with-a-long-name-that-does-not-break-anywhere');
    await page.getByLabel('Owner').fill('ada@example.com');
    await page.getByRole('button', { name: 'Make the service account' }).click();
    await page.getByRole('link', { name: /^Edit a-runner/ }).click();
    await page.getByRole('heading', { name: /^Change a-runner/ }).waitFor();
    for (const path of [null, '/account', '/account/step-up', '/people']) {
      if (path !== null) await page.goto(path);
      expect(await axeFindings(page), page.url()).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), page.url()).toBeLessThanOrEqual(360);
    }
  },
);
