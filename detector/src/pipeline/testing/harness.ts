import type { CredentialRecord } from '@lanewatch/ingest/contract';
import { createRegistryView } from '../../classify/registry-view.ts';
import { createLaneStates } from '../../lane-state/lane-states.ts';
import { rulesInForce } from '../../rules/index.ts';
import type { Batch } from '../batch.ts';
import { createDedupeWindow } from '../dedupe-window.ts';
import type { PipelineOptions } from '../options.ts';
import { createPipeline, type Pipeline } from '../pipeline.ts';
import { NOON } from './events.ts';
import type { MemoryLedger } from './memory-ledger.ts';

/** A clock that goes on over restarts, a millisecond each time it is read. */
export function createClock() {
  let ms = NOON;
  return {
    now: () => ms++,
    advance: (by: number) => void (ms += by),
  };
}

/** A pipeline and what it told. */
export interface Harness {
  pipeline: Pipeline;
  deadLetters: Batch['deadLetters'];
  rejoins: string[];
  faults: string[];
  assigned: number[][];
  /** Rows told as stored. */
  counted: number[];
}

export type Overrides = Partial<
  Pick<
    PipelineOptions,
    | 'batchRowsMax'
    | 'flushIntervalMs'
    | 'publishDeadLetters'
    | 'publishFindings'
    | 'publishMoves'
    | 'placement'
    | 'laneHistoryMs'
    | 'lanesMax'
    | 'endOffsets'
  >
>;

/** Every record lies where it belongs. */
const NOTHING_MOVES = { count: 1, homeOf: (_row: unknown, lyingOn: number) => lyingOn };

/** A detector's pipeline on this ledger; nothing is assigned to it yet. */
export function startPipeline(
  ledger: MemoryLedger,
  credentials: readonly Partial<CredentialRecord>[],
  overrides: Overrides = {},
  clock = createClock(),
): Harness {
  const deadLetters: Batch['deadLetters'] = [];
  const rejoins: string[] = [];
  const faults: string[] = [];
  const assigned: number[][] = [];
  const counted: number[] = [];
  const registry = createRegistryView();
  for (const record of credentials) registry.apply(Buffer.from(JSON.stringify(record)));
  const lanesMax = overrides.lanesMax ?? 1000;
  const pipeline = createPipeline({
    instance: `detector-${Math.floor(performance.now() * 1000)}`,
    ledger,
    registry,
    // Few, so that lanes forget values and grow beyond it.
    lanes: createLaneStates({ lanesMax, valuesPerLane: 2 }),
    rules: rulesInForce(),
    createDedupe: () => createDedupeWindow({ windowMs: 3_600_000, idsMax: 10_000 }),
    dedupeWindowMs: 3_600_000,
    dedupeIdsMax: 10_000,
    laneHistoryMs: 3_600_000,
    lanesMax,
    batchRowsMax: 3,
    flushIntervalMs: 0,
    now: clock.now,
    wait: async (_ms, signal) => {
      await new Promise(setImmediate);
      signal.throwIfAborted();
    },
    publishDeadLetters: async (letters) => void deadLetters.push(...letters),
    publishMoves: () => Promise.reject(new Error('nothing moves here')),
    placement: async () => NOTHING_MOVES,
    publishFindings: async () => undefined,
    endOffsets: async () => new Map(),
    commit: async () => undefined,
    rejoin: (reason) => void rejoins.push(reason),
    observer: {
      stored: (batch) => void counted.push(batch.collectors.total),
      finished: () => undefined,
      assigned: (partitions) => void assigned.push(partitions),
      fault: (stage, error) => void faults.push(`${stage}: ${(error as Error).message}`),
    },
    ...overrides,
  });
  return { pipeline, deadLetters, rejoins, faults, assigned, counted };
}
