import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
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

const ofUser = (user: string) => stage.fake.org.rows.filter((row) => row.user === user);

it('leads from the side bar over a person to a session of theirs and its calls, and every count to its rows', async () => {
  await page.goto('/');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'People' }).click();
  await page.getByRole('searchbox').fill('mira');
  await page.getByRole('button', { name: 'Filter' }).click();
  await eventually(() => page.locator('tbody tr').count()).toBe(1);
  await page.getByRole('link', { name: 'mira.santos' }).click();
  await page.getByRole('heading', { name: 'mira.santos' }).waitFor();
  const [newest] = ofUser('mira.santos');
  await page.getByRole('link', { name: newest!.session, exact: true }).click();
  await page.getByRole('heading', { name: newest!.session }).waitFor();
  const calls = stage.fake.org.rows.filter(({ session }) => session === newest!.session).length;
  expect(await page.locator('tbody tr').count()).toBe(calls);
  await page.getByRole('region', { name: 'Summary' }).getByRole('link').first().click();
  await page.getByRole('heading', { name: 'Rows' }).waitFor();
  await eventually(() => page.locator('main').innerText()).toContain(`${calls} events`);
});

it('shows where a session changes its key', async () => {
  const [first, second] = stage.fake.org.rows.filter(({ hint }) => hint === 'sk-ant-...C001');
  const other = stage.fake.org.rows.find(({ hint }) => hint === 'sk-ant-...A3F2');
  Object.assign(second!, { session: first!.session, lane: other!.lane, hint: other!.hint });
  await page.goto(`/sessions/${encodeURIComponent(first!.session)}`);
  await page.getByText(/\d key changes? inside the run/).waitFor();
  await page.getByText('key changes here').first().waitFor();
});

it('calls what is not named by that, and has a page of it', async () => {
  for (const row of ofUser('mira.santos')) Object.assign(row, { user: '', ip: '', host: '' });
  await page.goto('/users?q=');
  await page.getByRole('link', { name: 'person unresolved' }).click();
  await page.getByRole('heading', { name: 'person unresolved' }).waitFor();
  await page.getByRole('link', { name: 'endpoint unknown' }).click();
  await page.getByRole('heading', { name: 'endpoint unknown' }).waitFor();
});

it('shows what could not be decoded, and replays it once', async () => {
  await page.goto('/collectors');
  await page.getByRole('heading', { name: 'What they ship' }).waitFor();
  const letters = page.getByRole('region', { name: 'Dead letters' });
  expect(await letters.innerText()).toContain('the line is no JSON');
  await letters.getByRole('link').first().click();
  await page.getByRole('heading', { name: 'Dead letter' }).waitFor();
  expect(await page.locator('pre').innerText()).toBe('{"user": <b>');
  await page.getByRole('button', { name: 'Replay' }).click();
  await page.getByText('It is on the usage topic again.').waitFor();
  expect(await page.getByRole('button', { name: 'Replay' }).count()).toBe(0);
});

it('finds a person, an address and a session from anywhere', async () => {
  await page.goto('/findings');
  const [row] = ofUser('mira.santos');
  for (const text of ['mira.s', row!.ip.slice(0, 7), row!.session]) {
    await page.getByRole('button', { name: 'Person, key, page or action' }).click();
    await page.getByRole('dialog').getByRole('combobox').fill(text);
    await page.getByRole('option').filter({ hasText: text }).first().waitFor();
    await page.keyboard.press('Escape');
  }
});
