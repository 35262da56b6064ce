import { setTimeout as delay } from 'node:timers/promises';

/** Time a first start may take: a cold disk reads 550 MB of engine, and a busy machine is slow. */
const READY_TIMEOUT_MS = 90_000;
const READY_POLL_MS = 50;
/** How long one question waits for its answer. */
const ASK_TIMEOUT_MS = 4_000;

/**
 * Waits for a process to be ready: for a time, and for one at work towards it as long as that takes.
 * @param ended how the process ended, when it does
 * @returns null when it is ready, else what went wrong or that nobody wants it any more
 */
export async function becomesReady(
  url: string,
  ended: Promise<string>,
  quit: AbortSignal,
  timeoutMs = READY_TIMEOUT_MS,
): Promise<string | null> {
  let deadline = Date.now() + timeoutMs;
  let how: string | null = null;
  void ended.then((text) => (how = text));
  let last = 'no answer';
  while (Date.now() < deadline) {
    const { answer, isAtWork } = await ask(url, ASK_TIMEOUT_MS, quit);
    if (isAtWork) deadline = Date.now() + timeoutMs;
    if (quit.aborted) return 'it was stopped while it started';
    if (how !== null) return how;
    if (answer === 'ok') return null;
    last = answer;
    await pause(READY_POLL_MS, quit);
  }
  return `not ready after ${timeoutMs / 1000} s (${url}: ${last})`;
}

/** Asks once. @returns what was answered, and whether it said that only time is wanting */
export async function ask(
  url: string,
  timeoutMs: number,
  quit?: AbortSignal,
): Promise<{ answer: string; isAtWork: boolean }> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { signal: quit ? AbortSignal.any([quit, timeout]) : timeout });
    const text = await response.text();
    return {
      answer: response.ok ? 'ok' : `${response.status} ${text.slice(0, 200)}`,
      isAtWork: response.headers.has('retry-after'),
    };
  } catch {
    return { answer: 'no answer', isAtWork: false };
  }
}

/** Resolves after the time, or at once when it is no longer wanted. */
export function pause(ms: number, quit: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal: quit }).catch(() => undefined);
}
