import type { FaultName } from './faults.ts';
import { createRandom, type Random } from '../measuring/random.ts';

/** One run of a campaign: its own system on empty directories. */
export interface PlannedRun {
  seed: number;
  faults: FaultName[];
  overlap: number;
}

/** A run stays short enough that what a violation left behind can still be read. */
const FAULTS_PER_RUN_MAX = 50;
/** In the runs after the first, how often a fault comes before the system has recovered from the one before. */
const OVERLAP = 0.3;

/**
 * Splits a number of faults into runs, as even as possible. Every kind gets its turn before one comes again; the first run lets
 * the system recover from each, later ones don't always.
 */
export function planRuns(kinds: readonly FaultName[], kills: number, seed: number): PlannedRun[] {
  const random = createRandom(seed);
  const count = Math.ceil(kills / FAULTS_PER_RUN_MAX);
  return Array.from({ length: count }, (_, index) => {
    const own = Math.floor(kills / count) + (index < kills % count ? 1 : 0);
    // The first run's seed is the one that was asked for, so that a violation of a short run repeats with the same command.
    const runSeed = index === 0 ? seed : random.integer(0, 0xffffffff);
    return { seed: runSeed, faults: inTurn(kinds, own, random), overlap: index === 0 ? 0 : OVERLAP };
  });
}

/** Rounds of all kinds, each in an order of its own. */
function inTurn(kinds: readonly FaultName[], count: number, random: Random): FaultName[] {
  const faults: FaultName[] = [];
  while (faults.length < count) {
    const left = [...kinds];
    while (left.length > 0) faults.push(...left.splice(random.integer(0, left.length - 1), 1));
  }
  return faults.slice(0, count);
}
