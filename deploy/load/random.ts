import { createHash } from 'node:crypto';

/** Numbers that look random and follow from a seed alone. */
export interface Random {
  /** 0 ≤ x < 1 */
  next(): number;
  /** A whole number, both ends included. */
  int(min: number, max: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** Log-normal around a median: most values near it, a long tail above. */
  around(median: number, spread: number): number;
  hex(digits: number): string;
  text(alphabet: string, length: number): string;
}

/** A stream of its own for each combination of parts, so that one more draw in one place changes nothing elsewhere. */
export function randomOf(...parts: (string | number)[]): Random {
  const seed = createHash('sha256').update(JSON.stringify(parts)).digest();
  let a = seed.readUInt32LE(0);
  let b = seed.readUInt32LE(4);
  let c = seed.readUInt32LE(8);
  let counter = 1;
  // sfc32: small, fast, passes the usual batteries; state of 128 bits.
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  const text = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet[int(0, alphabet.length - 1)]).join('');
  return {
    next,
    int,
    text,
    pick: (items) => items[int(0, items.length - 1)]!,
    chance: (probability) => next() < probability,
    around(median, spread) {
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
      return median * Math.exp(spread * normal);
    },
    hex: (digits) => text('0123456789abcdef', digits),
  };
}
