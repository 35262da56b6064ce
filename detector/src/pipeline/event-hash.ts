/** A 64-bit hash as two unsigned 32-bit halves, reused between calls: the hot path makes no object per event. */
export interface EventHash {
  low: number;
  high: number;
}

/**
 * Hashes an event's identity into `into`. Two independent 32-bit multiply-xor lanes over the UTF-16 units, a separator
 * between source and id, and MurmurHash3's finaliser on each. At 8 M ids in the window the chance that any two collide
 * is about 2 in a million (n²/2⁶⁵).
 */
export function hashEvent(source: string, id: string, into: EventHash): void {
  let low = 0x9747b28c;
  let high = 0x5bd1e995;
  for (let index = 0; index < source.length; index++) {
    const unit = source.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b);
    high ^= high >>> 15;
  }
  low = Math.imul(low ^ 0x10000, 0x01000193);
  high = Math.imul(high ^ 0x10000, 0x85ebca6b);
  for (let index = 0; index < id.length; index++) {
    const unit = id.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b);
    high ^= high >>> 15;
  }
  into.low = finalise(low ^ Math.imul(high, 0x27d4eb2f));
  into.high = finalise(high);
}

function finalise(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash >>> 0;
}
