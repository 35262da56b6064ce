import { fileURLToPath } from 'node:url';
import type { FaultName } from '../faults.ts';
import { run, type RunResult } from '../run.ts';
import type { BusKind } from '../system/broker.ts';
import type { CheckResult } from '../verify/check.ts';
import { GUARANTEES } from '../verify/ledger-rows.ts';

/** A detector with one guarantee broken, and the faults that must bring it to light. */
export interface Mutant {
  name: string;
  title: string;
  entry: string;
  faults: readonly FaultName[];
  /** The guarantee that must be found broken; others may be, too. */
  breaks: string;
}

const entryOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'offset-before-insert',
    title: 'offset committed before the insert, and resumed from',
    entry: entryOf('./offset-before-insert.ts'),
    faults: ['detector', 'detector', 'detector'],
    breaks: GUARANTEES.complete,
  },
  {
    name: 'retry-without-claim',
    title: 'retry without a new claim',
    entry: entryOf('./retry-without-claim.ts'),
    faults: ['answers', 'late'],
    breaks: GUARANTEES.once,
  },
  {
    name: 'claim-ignored',
    title: 'claim ignored',
    entry: entryOf('./claim-ignored.ts'),
    faults: ['pause'],
    breaks: GUARANTEES.once,
  },
];

/** What the suite made of a mutant. */
export interface MutantResult {
  mutant: Mutant;
  bus: BusKind;
  /** Whether what it breaks was found broken. False: it survived, and the suite is worth nothing. */
  caught: boolean;
  /** All guarantees that were found broken. */
  broken: CheckResult[];
  result: RunResult;
}

export interface MutantRunOptions {
  bus: BusKind;
  seed: number;
  eventsPerSecond: number;
  onProgress?(line: string): void;
}

/** Runs a mutant through the same run and the same checks as the real detector. */
export async function runMutant(mutant: Mutant, options: MutantRunOptions): Promise<MutantResult> {
  const result = await run({
    ...options,
    faults: mutant.faults,
    overlap: 0,
    detectorEntry: mutant.entry,
    keep: 'never',
  });
  const broken = result.checks.filter((check) => !check.ok);
  return { mutant, bus: options.bus, caught: broken.some(({ name }) => name === mutant.breaks), broken, result };
}
