import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { axeFindings, OF_THEMES } from './axe.ts';
import { eventually } from './eventually.ts';
import { newGovernance } from './fake-governance.ts';
import type { Stage } from './harness.ts';
import { onStage } from './on-stage.ts';

let stage: Stage;
let page: Page;

onStage(async (its) => {
  stage = its;
  page = await (await stage.visitor()).newPage();
  return () => page.context().close();
});

it('turns each blocker of onboarding by itself, and leads over an export to evidence that names its runs', async () => {
  await page.goto('/onboarding');
  const blockers = page.getByRole('region', { name: 'Current blockers' });
  await page.getByRole('button', { name: 'Set up key signing' }).click();
  await eventually(() => blockers.innerText()).not.toContain('Baseline bootstrap');
  expect(await page.getByRole('button', { name: 'Set up key signing' }).count()).toBe(0);
  await page.getByLabel('Name').fill('pipeline');
  await page.getByRole('button', { name: 'Make the account' }).click();
  await eventually(() => blockers.innerText()).not.toContain('Service account');
  await page.getByRole('link', { name: 'Export its activity' }).click();
  await page.getByRole('button', { name: 'Capture evidence' }).click();
  await page.getByRole('heading', { name: 'Evidence', exact: true }).waitFor();
  expect(await page.getByRole('region', { name: 'Runs', exact: true }).innerText()).toContain('run-1');
  await page.goto('/onboarding');
  expect(await blockers.innerText()).not.toContain('No evidence');
});

it('sets a policy, shows what it would change and why, and applies it', async () => {
  await page.goto('/policies');
  await page.getByRole('link', { name: 'IP locking' }).click();
  await page.getByRole('heading', { name: 'IP locking' }).waitFor();
  const form = page.getByRole('region', { name: 'For the organisation' });
  await form.getByLabel('State').selectOption('watch');
  await form.getByRole('button').click();
  await page.getByText('The policy is set.').waitFor();
  await page.getByRole('button', { name: 'Show what it would change' }).click();
  const apply = page.getByRole('region', { name: 'Apply organisation policy' });
  await eventually(() => apply.innerText()).toContain('It works from any address.');
  await page.getByRole('button', { name: 'Apply to 1 key' }).click();
  await page.getByText('It is applied: 1 key changed').waitFor();
});

it('runs a job by hand and says what it did, and names the row at which the trail is broken', async () => {
  await page.goto('/jobs');
  await page.getByRole('button', { name: 'Run now: Enforce policies' }).click();
  await page.getByRole('status').filter({ hasText: 'Keys changed: 3.' }).waitFor();
  stage.fake.governance.brokenAt = 1;
  await page.goto('/audit');
  await page.getByText('It is broken at row 1:').waitFor();
  expect(await page.getByRole('region', { name: 'Rows' }).innerText()).toContain('<b>ip_locking</b>');
});

it('opens from every figure of usage as many rows as it counts', async () => {
  await page.goto('/usage');
  const figure = page.getByRole('region', { name: 'All calls' }).getByRole('link').nth(1);
  const executions = await figure.innerText();
  await figure.click();
  await page.getByRole('heading', { name: 'Rows' }).waitFor();
  await eventually(() => page.locator('main').innerText()).toContain(`${executions} events`);
});

it('leads from the ledger to an export with its filters', async () => {
  await page.goto('/ledger?outcome=denied');
  await page.getByRole('link', { name: 'Export', exact: true }).click();
  await page.getByRole('heading', { name: 'Exports' }).waitFor();
  expect(await page.getByRole('combobox', { name: 'What' }).inputValue()).toBe('ledger');
  expect(await page.locator('input[name=filters]').inputValue()).toBe('outcome=denied');
});

it('registers a provider’s keys only after it was shown which', async () => {
  await page.goto('/imports');
  expect(await page.getByRole('button', { name: /^Register/ }).count()).toBe(0);
  await page.getByRole('button', { name: 'See what would change' }).click();
  await page.getByRole('heading', { name: 'What would change' }).waitFor();
  expect(await page.locator('main').innerText()).toContain('<b>Nightly</b>');
  // What was told holds for the organisation that it was told of.
  await page.getByLabel('Organization').fill('acme');
  await eventually(() => page.getByRole('button', { name: /^Register/ }).count()).toBe(0);
  await page.getByRole('button', { name: 'See what would change' }).click();
  await page.getByRole('button', { name: 'Register 1' }).click();
  await page.getByRole('heading', { name: 'What was done' }).waitFor();
  const sent = stage.fake.received.filter(({ url }) => url.startsWith('/v1/imports/'));
  expect(sent.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    { org: '', dry_run: true },
    { org: 'acme', dry_run: true },
    { org: 'acme', dry_run: false },
  ]);
});

const PAGES = ['/onboarding', '/usage', '/policies', '/policies/ip_locking', '/jobs', '/audit', '/exports', '/imports'];

it('has nothing sideways on a telephone, and evidence and a policy have nothing that axe finds in either theme', async () => {
  stage.fake.governance = { ...newGovernance(), isSigning: true, runs: ['policies.enforce'] };
  const phone = await (await stage.visitor({ viewport: { width: 360, height: 800 } })).newPage();
  await page.goto('/exports');
  await page.getByRole('button', { name: 'Capture evidence' }).click();
  await page.waitForURL('**/evidence/v1');
  for (const path of [...PAGES, '/activity', '/evidence/v1']) {
    await phone.goto(path);
    const over = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect([path, over]).toEqual([path, 0]);
  }
  await phone.context().close();
  // The others are held to it with every page of the side bar, in weight.e2e.test.ts.
  for (const path of ['/policies/ip_locking', '/evidence/v1']) {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(path);
    expect([path, await axeFindings(page)]).toEqual([path, []]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect([path, await axeFindings(page, OF_THEMES)]).toEqual([path, []]);
  }
});
