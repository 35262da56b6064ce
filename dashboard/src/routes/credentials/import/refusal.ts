import { fail } from '@sveltejs/kit';
import type { Outcome } from '#lib/api/client.ts';

/**
 * Answers a form of an import that was not taken.
 * @param isDryRun whether it only looked what would change: that leaves nothing behind
 * @param kept what the form shows again
 */
export function importRefused<Kept extends object>(
  { problem, mayBeDone }: Extract<Outcome<unknown>, { ok: false }>,
  isDryRun: boolean,
  kept: Kept,
) {
  const { status, detail, title } = problem;
  const said = { complaint: detail || title, mayBeDone: mayBeDone && !isDryRun };
  return fail(status >= 500 ? 502 : status, { ...kept, ...said });
}
