/**
 * The last ids seen, as 64-bit hashes in typed arrays: one open-addressing table for the look-up and one ring in order of
 * arrival for forgetting the oldest. Bounded by age and by number, whichever is shorter.
 */
export interface DedupeWindow {
  /** Remembers the hash; false when it was already there. `nowMs` must not run backwards by more than a bucket. */
  add(low: number, high: number, nowMs: number): boolean;
  /** Ids held. */
  readonly size: number;
  /** How far back the window reaches now, milliseconds: less than asked for once the number is the tighter bound. */
  spanMs(nowMs: number): number;
}

export interface DedupeWindowOptions {
  windowMs: number;
  idsMax: number;
}

/** Ages are kept per bucket of this length, and whole buckets are forgotten. */
const BUCKET_MS = 60_000;
const CAPACITY_INITIAL = 1 << 12;

export function createDedupeWindow({ windowMs, idsMax }: DedupeWindowOptions): DedupeWindow {
  // Ring of hashes in arrival order. Grows by doubling up to idsMax, so a small installation stays small.
  let ringCapacity = Math.min(idsMax, CAPACITY_INITIAL);
  let ringLow = new Uint32Array(ringCapacity);
  let ringHigh = new Uint32Array(ringCapacity);
  let ringStart = 0;
  let size = 0;

  // Table of the same hashes, at most half full. A slot with both halves 0 is empty; the hash 0:0 is stored as 0:1.
  let mask = CAPACITY_INITIAL * 2 - 1;
  let tableLow = new Uint32Array(mask + 1);
  let tableHigh = new Uint32Array(mask + 1);

  // For each bucket of time, how many ids arrived in it; oldest first.
  const buckets: { startMs: number; count: number }[] = [];

  function slotOf(low: number, high: number): number {
    let slot = (low ^ (high >>> 7)) & mask;
    while (tableLow[slot] !== 0 || tableHigh[slot] !== 0) {
      if (tableLow[slot] === low && tableHigh[slot] === high) return slot;
      slot = (slot + 1) & mask;
    }
    return ~slot;
  }

  /** Backward-shift deletion: closes the gap so that no tombstones pile up. */
  function removeSlot(slot: number): void {
    let gap = slot;
    let next = (gap + 1) & mask;
    while (tableLow[next] !== 0 || tableHigh[next] !== 0) {
      const home = (tableLow[next]! ^ (tableHigh[next]! >>> 7)) & mask;
      if (((next - home) & mask) >= ((next - gap) & mask)) {
        tableLow[gap] = tableLow[next]!;
        tableHigh[gap] = tableHigh[next]!;
        gap = next;
      }
      next = (next + 1) & mask;
    }
    tableLow[gap] = 0;
    tableHigh[gap] = 0;
  }

  function forgetOldest(): void {
    const slot = slotOf(ringLow[ringStart]!, ringHigh[ringStart]!);
    if (slot >= 0) removeSlot(slot);
    ringStart = ringStart + 1 === ringCapacity ? 0 : ringStart + 1;
    size--;
    if (--buckets[0]!.count === 0) buckets.shift();
  }

  function growRing(): void {
    const capacity = Math.min(idsMax, ringCapacity * 2);
    const low = new Uint32Array(capacity);
    const high = new Uint32Array(capacity);
    for (let index = 0; index < size; index++) {
      const from = (ringStart + index) % ringCapacity;
      low[index] = ringLow[from]!;
      high[index] = ringHigh[from]!;
    }
    ringLow = low;
    ringHigh = high;
    ringCapacity = capacity;
    ringStart = 0;
  }

  function growTable(): void {
    const oldLow = tableLow;
    const oldHigh = tableHigh;
    mask = mask * 2 + 1;
    tableLow = new Uint32Array(mask + 1);
    tableHigh = new Uint32Array(mask + 1);
    for (let index = 0; index < oldLow.length; index++) {
      const low = oldLow[index]!;
      const high = oldHigh[index]!;
      if (low === 0 && high === 0) continue;
      const slot = ~slotOf(low, high);
      tableLow[slot] = low;
      tableHigh[slot] = high;
    }
  }

  function noteArrival(nowMs: number): void {
    const newest = buckets.at(-1);
    if (newest !== undefined && nowMs < newest.startMs + BUCKET_MS) newest.count++;
    else buckets.push({ startMs: nowMs, count: 1 });
  }

  return {
    add(low, high, nowMs) {
      if (low === 0 && high === 0) high = 1;
      while (buckets.length > 0 && buckets[0]!.startMs + BUCKET_MS <= nowMs - windowMs) forgetOldest();
      let slot = slotOf(low, high);
      if (slot >= 0) return false;
      if (size === idsMax) {
        forgetOldest();
        slot = slotOf(low, high);
      } else if (size === ringCapacity) growRing();
      if ((size + 1) * 2 > mask) {
        growTable();
        slot = slotOf(low, high);
      }
      tableLow[~slot] = low;
      tableHigh[~slot] = high;
      const end = (ringStart + size) % ringCapacity;
      ringLow[end] = low;
      ringHigh[end] = high;
      size++;
      noteArrival(nowMs);
      return true;
    },
    get size() {
      return size;
    },
    spanMs(nowMs) {
      const oldest = buckets[0];
      if (size < idsMax || oldest === undefined) return windowMs;
      return Math.min(windowMs, Math.max(0, nowMs - oldest.startMs));
    },
  };
}
