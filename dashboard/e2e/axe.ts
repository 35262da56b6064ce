import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** The rules whose answer depends on the theme: of a page that passed all of them in one, the other needs no more. */
export const OF_THEMES = ['color-contrast', 'link-in-text-block'];

/**
 * What axe-core finds on a page as it stands: rule, what is wrong, and where. Its code is run by the debugger, which the page's policy
 * does not hold back.
 * @param rules those to hold it to; all of them by default
 */
export async function axeFindings(page: Page, rules?: string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  return page.evaluate(async (only) => {
    const engine = Reflect.get(window, 'axe') as typeof axe;
    const { violations } = await engine.run(document, {
      resultTypes: ['violations'],
      ...(only === undefined ? {} : { runOnly: only }),
    });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  }, rules);
}
