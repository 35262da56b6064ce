const MINUTE_MS = 60_000;

/**
 * Counts uses against a limit per minute, as a bucket that fills evenly: a key that was quiet may use its whole minute at once. One
 * bucket per key with a limit, in this process alone.
 */
export function createRates(now: () => number): {
  /** Takes one use; false when the limit is reached. */
  take(id: string, perMinute: number): boolean;
} {
  const buckets = new Map<string, { left: number; atMs: number }>();
  return {
    take(id, perMinute) {
      const nowMs = now();
      const bucket = buckets.get(id) ?? { left: perMinute, atMs: nowMs };
      const filled = bucket.left + ((nowMs - bucket.atMs) / MINUTE_MS) * perMinute;
      const left = Math.min(perMinute, filled);
      const isTaken = left >= 1;
      buckets.set(id, { left: isTaken ? left - 1 : left, atMs: nowMs });
      return isTaken;
    },
  };
}
