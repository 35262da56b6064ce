/** Reads that several pages ask for at once or soon after one another. */
export interface SharedReads {
  /**
   * What a read brought, from memory while it runs or was made a moment ago, else made now.
   * @param key names the read and everything that it depends on
   */
  read<Result>(key: string, make: () => Promise<Result>, keptMs?: number): Promise<Result>;
  /** Makes everything anew from now on: something was changed that they show. */
  forget(): void;
}

/** A result is kept this many times as long as it took to read, so that a slow read is not the engine's only work. */
const KEPT_PER_DURATION = 2;
/** Nobody waits for the next of a read that takes so long while its last result is no older than it may be. */
const SLOW_MS = 100;
const KEPT_MS_MAX = 10_000;
/** Results held; the one that was asked for first is the first to go. */
const RESULTS_MAX = 500;

interface Entry {
  startedMs: number;
  /** null while the read runs. */
  endedMs: number | null;
  result: Promise<unknown>;
  /** Whether its successor is being read. */
  isRenewed: boolean;
}

/**
 * Shares reads, so that twenty open dashboards cost the engine what one does.
 * @param options.keptMs how long a result is kept at least, counted from the end of its read; 0 shares nothing
 */
export function createSharedReads(options: { keptMs: number; now: () => number }): SharedReads {
  const { now } = options;
  const held = new Map<string, Entry>();

  /** From the end of the read: counted from its start, one that takes long would be too old to share when it is there. */
  function isKept({ startedMs, endedMs }: Entry, atLeastMs: number): boolean {
    if (endedMs === null) return true;
    const slowMs = Math.min(KEPT_MS_MAX, (endedMs - startedMs) * KEPT_PER_DURATION);
    return now() - endedMs < Math.max(atLeastMs, slowMs);
  }

  /** Whether its result may still be shown while its successor is read. */
  function isGoodMeanwhile({ startedMs, endedMs }: Entry): boolean {
    return endedMs !== null && endedMs - startedMs >= SLOW_MS && now() - endedMs < KEPT_MS_MAX;
  }

  function begin(make: () => Promise<unknown>): Entry {
    const entry: Entry = { startedMs: now(), endedMs: null, result: make(), isRenewed: false };
    entry.result.then(
      () => (entry.endedMs = now()),
      () => undefined,
    );
    return entry;
  }

  function hold(key: string, entry: Entry): void {
    held.delete(key);
    held.set(key, entry);
    for (const first of held.keys()) {
      if (held.size <= RESULTS_MAX) break;
      held.delete(first);
    }
  }

  /** Puts the successor in its place once it is there; what was forgotten meanwhile stays so. */
  function renew(key: string, old: Entry, make: () => Promise<unknown>): void {
    if (old.isRenewed) return;
    old.isRenewed = true;
    const entry = begin(make);
    entry.result.then(
      () => held.get(key) === old && hold(key, entry),
      () => (old.isRenewed = false),
    );
  }

  return {
    read<Result>(key: string, make: () => Promise<Result>, keptMs = options.keptMs): Promise<Result> {
      if (options.keptMs === 0) return make();
      const newest = held.get(key);
      if (newest !== undefined && isKept(newest, keptMs)) return newest.result as Promise<Result>;
      if (newest !== undefined && isGoodMeanwhile(newest)) {
        renew(key, newest, make);
        return newest.result as Promise<Result>;
      }
      const entry = begin(make);
      hold(key, entry);
      // A failed read must not be handed out again.
      entry.result.catch(() => held.get(key) === entry && held.delete(key));
      return entry.result as Promise<Result>;
    },
    forget: () => held.clear(),
  };
}
