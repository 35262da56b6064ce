import axe from 'axe-core';
import type { Page } from 'playwright-core';

/**
 * What axe-core finds on a page as it stands: rule, what is wrong, and where. Its code is run by the debugger, which the page's policy
 * does not hold back.
 */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const engine = Reflect.get(window, 'axe') as typeof axe;
    const { violations } = await engine.run(document, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  });
}
