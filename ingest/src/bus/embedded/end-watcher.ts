import type { LogStore } from './log-store.ts';

/** Tells waiting readers when a partition has grown, whoever wrote it. */
export interface EndWatcher {
  /** Resolves when the partition's end is beyond the offset, or when `stop` is called. */
  beyond(topicId: number, partition: number, offset: number): { grown: Promise<void>; stop: () => void };
  /** This process has written: look at once. */
  poke(): void;
  close(): void;
}

/** Right after something came, more is likely. */
const POLL_MIN_MS = 1;
/** On an idle bus: forty looks a second cost well below one percent of a core. */
const POLL_MAX_MS = 25;
const POLL_GROWTH = 1.3;

interface Waiting {
  topicId: number;
  partition: number;
  offset: number;
  resolve(): void;
}

/**
 * LMDB has no notification between processes, so one timer of this process looks at the ends of all partitions that somebody
 * waits for. It runs only while somebody waits.
 */
export function createEndWatcher(store: LogStore): EndWatcher {
  const waiting = new Set<Waiting>();
  let pollMs = POLL_MIN_MS;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  function look(): void {
    timer = null;
    if (closed) return;
    store.refresh();
    let grown = false;
    for (const entry of waiting) {
      if (store.head(entry.topicId, entry.partition).end <= entry.offset) continue;
      waiting.delete(entry);
      entry.resolve();
      grown = true;
    }
    pollMs = grown ? POLL_MIN_MS : Math.min(POLL_MAX_MS, pollMs * POLL_GROWTH);
    schedule();
  }

  function schedule(): void {
    if (timer === null && waiting.size > 0 && !closed) timer = setTimeout(look, pollMs);
  }

  return {
    beyond(topicId, partition, offset) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const entry: Waiting = {
        topicId,
        partition,
        offset,
        resolve: () => {
          resolve(undefined);
        },
      };
      waiting.add(entry);
      schedule();
      const stop = () => {
        waiting.delete(entry);
        resolve(undefined);
      };
      if (closed) stop();
      return { grown: promise, stop };
    },
    poke() {
      pollMs = POLL_MIN_MS;
      if (timer !== null) clearTimeout(timer);
      timer = null;
      schedule();
    },
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      for (const entry of waiting) entry.resolve();
      waiting.clear();
    },
  };
}
