import type { Logger } from 'pino';
import { canonicalAddress } from './normalise/canonical/address.ts';
import type { ApiProblem, ProblemCode } from './problem.ts';

/** Refusals that the sender's own operator often does not see: an agent with a wrong collector key goes on without a word. */
const WORTH_A_WARNING: ReadonlySet<ProblemCode> = new Set(['unauthenticated', 'forbidden']);
const WARNING_INTERVAL_MS = 60_000;

/**
 * Makes the function that logs refused requests: senders that are not let in as a warning, at most one a minute and reason with the
 * number since the last; the others, which their senders are told of, for debugging.
 * @param now epoch milliseconds
 */
export function createRefusalLog(
  log: Logger,
  now: () => number,
): (problem: ApiProblem, requestId: string, address: string) => void {
  const warnings = new Map<ProblemCode, { atMs: number; refused: number }>();
  return (problem, requestId, address) => {
    const facts = { code: problem.code, request_id: requestId };
    if (!WORTH_A_WARNING.has(problem.code)) {
      log.debug(facts, 'a request was refused');
      return;
    }
    const last = warnings.get(problem.code) ?? { atMs: -Infinity, refused: 0 };
    const refused = last.refused + 1;
    const isDue = now() - last.atMs >= WARNING_INTERVAL_MS;
    warnings.set(problem.code, isDue ? { atMs: now(), refused: 0 } : { atMs: last.atMs, refused });
    if (isDue)
      log.warn(
        { ...facts, address: canonicalAddress(address), refused, reason: problem.detail },
        'a sender was not let in',
      );
  };
}
