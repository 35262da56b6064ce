/** Reads that several pages ask for at once or soon after one another. */
export interface SharedReads {
  /**
   * What a read brought, from memory while it runs or was made a moment ago, else made now.
   * @param key names the read and everything that it depends on
   * @param kept how its result is kept otherwise than most
   */
  read<Result>(key: string, make: () => Promise<Result>, kept?: Partial<Kept>): Promise<Result>;
  /** Makes everything anew from now on: something was changed that they show. */
  forget(): void;
}

/** How long a result is kept: so many times as long as it took to read, up to a time, and a time at least. */
export interface Kept {
  perDuration: number;
  msMax: number;
  msMin: number;
}

/** A slow read must not be the engine's only work. */
const KEPT = { perDuration: 2, msMax: 10_000 };
/** Results held; the one that was asked for first is the first to go. */
const RESULTS_MAX = 500;

interface Entry {
  startedMs: number;
  /** null while the read runs. */
  endedMs: number | null;
  result: Promise<unknown>;
}

/**
 * Shares reads, so that twenty open dashboards cost the engine what one does.
 * @param options.keptMs how long a result is kept at least, counted from the end of its read; 0 shares nothing
 */
export function createSharedReads(options: { keptMs: number; now: () => number }): SharedReads {
  const { now } = options;
  const held = new Map<string, Entry>();

  /** From the end of the read: counted from its start, one that takes long would be too old to share when it is there. */
  function isKept({ startedMs, endedMs }: Entry, { perDuration, msMax, msMin }: Kept): boolean {
    if (endedMs === null) return true;
    const slowMs = Math.min(msMax, (endedMs - startedMs) * perDuration);
    return now() - endedMs < Math.max(msMin, slowMs);
  }

  return {
    read<Result>(key: string, make: () => Promise<Result>, kept = {}): Promise<Result> {
      if (options.keptMs === 0) return make();
      const newest = held.get(key);
      if (newest !== undefined && isKept(newest, { ...KEPT, msMin: options.keptMs, ...kept }))
        return newest.result as Promise<Result>;
      const startedMs = now();
      const result = make();
      const entry: Entry = { startedMs, endedMs: null, result };
      held.delete(key);
      held.set(key, entry);
      for (const first of held.keys()) {
        if (held.size <= RESULTS_MAX) break;
        held.delete(first);
      }
      result.then(
        () => (entry.endedMs = now()),
        // A failed read must not be handed out again.
        () => held.get(key) === entry && held.delete(key),
      );
      return result;
    },
    forget: () => held.clear(),
  };
}
