import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const STEPS_MAX = 80;

/** The name of what has the focus, in the page. */
const NAME_IN_FOCUS = `(({ activeElement: at }) =>
  (at?.labels?.[0]?.textContent ?? at?.getAttribute('aria-label') ?? at?.textContent)?.trim())(document)`;

/** Tabs until the element of this name has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(NAME_IN_FOCUS)) === name) return;
  }
  expect.fail(`No way to ${name} by the keyboard`);
}

/** Tabs to it and presses Enter. */
export async function press(page: Page, name: string): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}

/** Tabs to a field and types. */
export async function type(page: Page, name: string, text: string): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.type(text);
}
