import { FencedError } from '../ledger/ledger.ts';

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/** One stage of storing a batch, tried again until it succeeds. */
export type Persist = (stage: string, signal: AbortSignal, attempt: () => Promise<void>) => Promise<void>;

/**
 * Makes the function that tries a stage again, waiting longer each time. It gives up when the assignment ends (the signal fires) or
 * another detector has taken over ({@link FencedError}): then the batch is somebody else's to store. A mistake in this code (RangeError,
 * TypeError) comes again however often it is tried; the batch is given up as well, and what is read anew may be cut another way.
 * @param wait resolves after so many milliseconds; rejects when the signal fires
 */
export function createPersist(
  wait: (ms: number, signal: AbortSignal) => Promise<void>,
  onFault: (stage: string, error: unknown) => void,
): Persist {
  return async function persist(stage, signal, attempt) {
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      signal.throwIfAborted();
      try {
        await attempt();
        return;
      } catch (error) {
        if (error instanceof FencedError || error instanceof RangeError || error instanceof TypeError) throw error;
        onFault(stage, error);
      }
      await wait(waitMs, signal);
    }
  };
}
