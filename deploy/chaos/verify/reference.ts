import type { BusRecord, CredentialRecord } from '@lanewatch/ingest/contract';
import type { Finding, LedgerRow } from '@lanewatch/detector/contract';
// The reference is the detector's own pipeline, undisturbed; its parts are no contract of anybody else.
import { createRegistryView } from '../../../detector/src/classify/registry-view.ts';
import { createLaneStates } from '../../../detector/src/lane-state/lane-states.ts';
import { createDedupeWindow } from '../../../detector/src/pipeline/dedupe-window.ts';
import { createPlacement } from '../../../detector/src/pipeline/move.ts';
import { createPipeline } from '../../../detector/src/pipeline/pipeline.ts';
import { createMemoryLedger } from '../../../detector/src/pipeline/testing/memory-ledger.ts';
import { rulesInForce } from '../../../detector/src/rules/index.ts';

export interface Reference {
  rows: LedgerRow[];
  findings: Map<string, Finding>;
}

const DAY_MS = 24 * 3_600_000;

/**
 * What the ledger must hold: the same records through the same pipeline, in one process, in bus order, with a ledger in memory
 * and nothing going wrong.
 */
export async function referenceOf(
  topic: ReadonlyMap<number, BusRecord[]>,
  credentials: readonly CredentialRecord[],
): Promise<Reference> {
  const registry = createRegistryView();
  for (const record of credentials) {
    const applied = registry.apply(Buffer.from(JSON.stringify(record)));
    if (!applied.ok) throw new Error(`a credential of the run is not valid: ${applied.reason}`);
  }
  const ledger = createMemoryLedger();
  const pipeline = createPipeline({
    instance: 'reference',
    ledger,
    registry,
    lanes: createLaneStates({ lanesMax: 200_000, valuesPerLane: 32 }),
    rules: rulesInForce(),
    createDedupe: () => createDedupeWindow({ windowMs: DAY_MS, idsMax: 8_000_000 }),
    dedupeWindowMs: DAY_MS,
    dedupeIdsMax: 8_000_000,
    laneHistoryMs: 30 * DAY_MS,
    lanesMax: 200_000,
    batchRowsMax: 20_000,
    flushIntervalMs: 200,
    now: Date.now,
    wait: () => Promise.reject(new Error('nothing may fail in the reference')),
    publishDeadLetters: () => Promise.resolve(),
    // The topic has all that was moved: what is read here was read before.
    publishMoves: () => Promise.resolve([]),
    placement: () => Promise.resolve(createPlacement(topic.size)),
    publishFindings: () => Promise.resolve(),
    endOffsets: () => Promise.resolve(new Map()),
    commit: () => Promise.resolve(),
    rejoin: (reason) => {
      throw new Error(`the reference was disturbed: ${reason}`);
    },
    observer: {
      stored: () => undefined,
      finished: () => undefined,
      assigned: () => undefined,
      fault: (stage, error) => {
        throw new Error(`the reference failed at ${stage}`, { cause: error });
      },
    },
  });
  await pipeline.onAssignment([...topic.keys()]);
  for (const [partition, records] of topic)
    for (let start = 0; start < records.length; start += RECORDS_PER_BATCH)
      await pipeline.onBatch({
        partition,
        records: records.slice(start, start + RECORDS_PER_BATCH),
        endOffset: records.length,
      });
  await pipeline.close();
  return { rows: ledger.rows, findings: ledger.findings };
}

const RECORDS_PER_BATCH = 500;
