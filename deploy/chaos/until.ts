/** The condition did not come true in time. */
export class DeadlineError extends Error {}

/**
 * Resolves once the condition holds; looks again after a pause that grows a little, because every look costs the system under
 * test some of its two cores.
 * @param what completes "waited … ms for …"; a function is asked when the wait has failed
 * @throws DeadlineError with the last failure of the condition itself, if there was one
 */
export async function until(
  what: string | (() => string),
  deadlineMs: number,
  condition: () => Promise<boolean>,
): Promise<void> {
  const startedMs = performance.now();
  let failure: unknown;
  for (let pauseMs = 25; ; pauseMs = Math.min(pauseMs * 1.5, 250)) {
    try {
      if (await condition()) return;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (performance.now() - startedMs > deadlineMs) {
      const why = failure === undefined ? '' : `; the last look failed: ${String(failure)}`;
      const text = typeof what === 'string' ? what : what();
      throw new DeadlineError(`waited ${deadlineMs} ms for ${text}${why}`, { cause: failure });
    }
    await pause(pauseMs);
  }
}

/** Time that belongs to the load or a fault, never a guess at how long something takes. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
