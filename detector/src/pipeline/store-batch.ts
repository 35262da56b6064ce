import type { Ownership } from '../ledger/ownership.ts';
import { rowlessOffsetsOf, type Batch } from './batch.ts';
import { countEarlierRows } from './detection.ts';
import type { Persist } from './persist.ts';
import type { PipelineOptions } from './options.ts';
import { refusedMove } from './move.ts';

type StoreOptions = Pick<
  PipelineOptions,
  'ledger' | 'now' | 'publishDeadLetters' | 'publishMoves' | 'publishFindings' | 'commit' | 'observer'
>;

/** Stores a sealed batch under the claim of an assignment, each stage tried again until it succeeds. */
export type StoreBatch = (batch: Batch, own: Ownership, signal: AbortSignal) => Promise<void>;

/** Makes the function that takes a batch through its stages: bus → ledger → findings → progress → commit. */
export function createStoreBatch(options: StoreOptions, persist: Persist): StoreBatch {
  const { ledger, now, publishDeadLetters, publishMoves, publishFindings, commit, observer } = options;

  return async function store(batch, own, signal) {
    const startedMs = now();
    const { deadLetters, moves, block, changes, nextOffsets, rowOffsets, storedAtMs } = batch;
    /** A stage that writes to the ledger: once, however often it is tried. */
    const write = (stage: string, ends: Map<number, number>, attempt: (claimant: string) => Promise<void>) =>
      persist(stage, signal, () => own.write(ends, signal, attempt));
    // What goes to the bus goes first: once the rows behind it are stored, or progress is noted, nothing would bring a lost one back.
    // Sent twice, a moved event is dropped where it arrives.
    if (moves.length > 0)
      await persist('move', signal, async () => {
        const refused = await publishMoves(moves);
        deadLetters.push(...refused.map(refusedMove));
      });
    if (deadLetters.length > 0) await persist('dead letter', signal, () => publishDeadLetters(deadLetters));
    await write('ledger', rowOffsets, (claimant) => ledger.insert(block, claimant));
    observer.stored(batch);
    if (changes.length > 0) {
      await persist('finding history', signal, () => countEarlierRows(changes, ledger));
      const findings = changes.map(({ finding }) => finding);
      // The table goes last: a restart writes and publishes again what the table lacks, and only that.
      await persist('findings topic', signal, () => publishFindings(findings));
      const writes = changes.map(({ finding, lane }) => ({ finding, partition: lane.partition }));
      await write('findings', new Map(), (claimant) => ledger.writeFindings(writes, claimant));
    }
    // After the rows, or a crash in between would skip them.
    const rowless = rowlessOffsetsOf(batch);
    if (rowless.size > 0)
      await write('progress', rowless, (claimant) => ledger.noteProgress(rowless, storedAtMs, claimant));
    observer.finished(batch, now() - startedMs);
    // Progress is for lag tools only, so a failure here costs nothing but their accuracy.
    await commit(nextOffsets).catch((error: unknown) => observer.fault('commit', error));
  };
}
