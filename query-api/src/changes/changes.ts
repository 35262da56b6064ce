import type { Change } from '../../contract/index.ts';

/** Tells listeners that rows were stored or the registry changed. */
export interface ChangeFeed {
  /** Calls back on every change until the returned function is called. */
  listen(onChange: (change: Change) => void): () => void;
  readonly listeners: number;
  /** Polls at once instead of at the next tick; after our own registry changes. */
  poke(): void;
  close(): void;
}

/** Twice a second at most: faster than a person notices, slow enough to cost nothing. */
const POLL_MS = 500;

/**
 * One poll shared by everybody who listens, and none while nobody does.
 * @param read what to compare; a failure is told to `onFault` and tried again at the next tick
 */
export function createChangeFeed(read: () => Promise<Change>, onFault: (error: unknown) => void): ChangeFeed {
  const listeners = new Set<(change: Change) => void>();
  let timer: NodeJS.Timeout | undefined;
  let last: Change | null = null;
  let polling = false;

  async function poll(): Promise<void> {
    if (polling || listeners.size === 0) return;
    polling = true;
    try {
      const change = await read();
      const moved =
        last === null ||
        last.last_stored_at !== change.last_stored_at ||
        last.registry_version !== change.registry_version;
      last = change;
      if (moved) for (const listener of listeners) listener(change);
    } catch (error) {
      onFault(error);
    } finally {
      polling = false;
    }
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    last = null;
  }

  return {
    listen(onChange) {
      listeners.add(onChange);
      // A newcomer learns the present state at once, so that it can tell whether its page is stale.
      if (last !== null) onChange(last);
      if (timer === undefined) {
        timer = setInterval(() => void poll(), POLL_MS);
        timer.unref();
        void poll();
      }
      return () => {
        listeners.delete(onChange);
        if (listeners.size === 0) stop();
      };
    },
    get listeners() {
      return listeners.size;
    },
    poke: () => void poll(),
    close() {
      listeners.clear();
      stop();
    },
  };
}
