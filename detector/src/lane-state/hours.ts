/*
 * Thirty days of hours of a lane: what each cost, how many calls it had, from how many networks and by how many people. A byte each,
 * of money and calls the logarithm: robust statistics need no more, and the month fits into 3 KB.
 */

const HOUR_MS = 3_600_000;
/** Hours held. */
export const HOURS_HELD = 30 * 24;
/** Bytes of an hour: cost, calls, networks, people. */
export const HOUR_BYTES = 4;
/** Steps of a doubling: two neighbours are 9 % apart. */
const STEPS = 8;
/** The unit of money, nano-dollars: a hundredth of a cent. */
const COST_UNIT = 100_000;

/** The hours of a lane: the present one exact, those before in bytes. */
export interface Hours {
  /** The present hour, counted from the epoch; -1 before the first. */
  hour: number;
  calls: number;
  costNanoUsd: number;
  /** The hours before, each at its number modulo {@link HOURS_HELD}; null while there is none. */
  past: Uint8Array | null;
  /** Grows with every change of `past`, so that what is derived from it is known to be old. */
  version: number;
}

export function createHours(): Hours {
  return { hour: -1, calls: 0, costNanoUsd: 0, past: null, version: 0 };
}

/** The hour of an instant, counted from the epoch. */
export function hourOf(atMs: number): number {
  return Math.floor(atMs / HOUR_MS);
}

/** Ends the present hour and begins another one. */
export function closeHour(hours: Hours, next: number, networks: number, people: number): void {
  if (hours.hour >= 0) {
    const past = (hours.past ??= new Uint8Array(HOURS_HELD * HOUR_BYTES));
    const skipped = Math.min(next - hours.hour, HOURS_HELD);
    // The places up to the new hour were those of a month ago.
    for (let ago = 1; ago <= skipped; ago++) clearAt(past, slotOf(next - ago + 1));
    const slot = slotOf(hours.hour);
    if (next - hours.hour < HOURS_HELD) {
      past[slot] = toByte(hours.costNanoUsd / COST_UNIT);
      past[slot + 1] = toByte(hours.calls);
      past[slot + 2] = Math.min(255, networks);
      past[slot + 3] = Math.min(255, people);
    }
    hours.version++;
  }
  hours.hour = next;
  hours.calls = 0;
  hours.costNanoUsd = 0;
}

/** Counts a call that came late into its own hour, if that is still held. */
export function noteLate(hours: Hours, hour: number, costNanoUsd: number): void {
  if (hours.hour - hour >= HOURS_HELD) return;
  const past = (hours.past ??= new Uint8Array(HOURS_HELD * HOUR_BYTES));
  const slot = slotOf(hour);
  past[slot] = toByte(fromByte(past[slot]!) + costNanoUsd / COST_UNIT);
  past[slot + 1] = toByte(fromByte(past[slot + 1]!) + 1);
  hours.version++;
}

/** An hour before the present one; costs in nano-dollars. */
export interface PastHour {
  hour: number;
  costNanoUsd: number;
  calls: number;
  networks: number;
  people: number;
}

/** The hours before in which there were calls, oldest first. */
export function pastHours({ hour: present, past }: Hours): PastHour[] {
  const active: PastHour[] = [];
  if (past === null) return active;
  for (let hour = present - HOURS_HELD + 1; hour < present; hour++) {
    const slot = slotOf(hour);
    if (past[slot + 1] === 0) continue;
    active.push({
      hour,
      costNanoUsd: fromByte(past[slot]!) * COST_UNIT,
      calls: fromByte(past[slot + 1]!),
      networks: past[slot + 2]!,
      people: past[slot + 3]!,
    });
  }
  return active;
}

/** How far a value is from the median of others, in robust standard deviations of at least `scaleMin`. */
export function robustScore(
  value: number,
  others: readonly number[],
  scaleMin: number,
): { score: number; median: number } {
  const median = medianOf(others);
  const deviation = 1.4826 * medianOf(others.map((other) => Math.abs(other - median)));
  return { score: (value - median) / Math.max(deviation, scaleMin), median };
}

function medianOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function slotOf(hour: number): number {
  return (((hour % HOURS_HELD) + HOURS_HELD) % HOURS_HELD) * HOUR_BYTES;
}

function clearAt(past: Uint8Array, slot: number): void {
  past[slot] = past[slot + 1] = past[slot + 2] = past[slot + 3] = 0;
}

/** At least one for anything above nothing, so that an hour with calls is told from one without. */
function toByte(value: number): number {
  if (value <= 0) return 0;
  return Math.max(1, Math.min(255, Math.round(STEPS * Math.log2(1 + value))));
}

function fromByte(byte: number): number {
  return 2 ** (byte / STEPS) - 1;
}
