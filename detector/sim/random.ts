import { createHash } from 'node:crypto';

/** Random numbers that a seed decides: the same on every machine and run. */
export interface Random {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  int(from: number, to: number): number;
  between(from: number, to: number): number;
  pick<Value>(values: readonly Value[]): Value;
  /** So many different ones, in random order; all where there are not as many. */
  some<Value>(values: readonly Value[], count: number): Value[];
  chance(probability: number): boolean;
  /** Normal, by its mean and standard deviation. */
  normal(mean: number, deviation: number): number;
  /** Log-normal, by its median and the deviation of its logarithm. */
  spread(median: number, sigma: number): number;
  poisson(mean: number): number;
  text(alphabet: string, length: number): string;
}

/**
 * A source of random numbers of its own for each name, so that one more draw in one place changes nothing elsewhere.
 * The generator is xoshiro128** (Blackman and Vigna), its state the SHA-256 of the names.
 */
export function randomOf(...names: readonly (string | number)[]): Random {
  const state = new Uint32Array(4);
  const digest = createHash('sha256').update(names.join('\n'), 'utf8').digest();
  for (let word = 0; word < 4; word++) state[word] = digest.readUInt32LE(word * 4);

  function next(): number {
    const result = Math.imul(rotate(Math.imul(state[1]!, 5), 7), 9);
    const shifted = state[1]! << 9;
    state[2]! ^= state[0]!;
    state[3]! ^= state[1]!;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= shifted;
    state[3] = rotate(state[3]!, 11);
    return (result >>> 0) / 2 ** 32;
  }

  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  const pick = <Value>(values: readonly Value[]) => values[int(0, values.length - 1)]!;

  function normal(mean: number, deviation: number): number {
    // Box and Muller's; 1 - next() is never 0.
    return mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  }

  function poisson(mean: number): number {
    if (mean > 30) return Math.max(0, Math.round(normal(mean, Math.sqrt(mean))));
    let count = 0;
    for (let product = next(), floor = Math.exp(-mean); product > floor; product *= next()) count++;
    return count;
  }

  return {
    next,
    int,
    between: (from, to) => from + next() * (to - from),
    pick,
    some(values, count) {
      const rest = [...values];
      const taken = Math.min(count, rest.length);
      for (let at = 0; at < taken; at++) {
        const other = int(at, rest.length - 1);
        [rest[at], rest[other]] = [rest[other]!, rest[at]!];
      }
      return rest.slice(0, taken);
    },
    chance: (probability) => next() < probability,
    normal,
    spread: (median, sigma) => median * Math.exp(normal(0, sigma)),
    poisson,
    text: (alphabet, length) => Array.from({ length }, () => alphabet[int(0, alphabet.length - 1)]!).join(''),
  };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
