import { setImmediate as nextTurn } from 'node:timers/promises';
import { laneOf, UNATTRIBUTED_LANE, type RecordBatch } from '@lanewatch/ingest/contract';
import type { Finding, LedgerRow } from '../../contract/index.ts';
import { classify } from '../classify/classify.ts';
import { emptyBatch, isFull, type Batch } from './batch.ts';
import { deadLetterOf } from './dead-letter.ts';
import { decodeRecord } from './decode.ts';
import type { DedupeWindow } from './dedupe-window.ts';
import { createDetection } from './detection.ts';
import { createFloodGuard } from '../findings/flood-guard.ts';
import { hashEvent } from './event-hash.ts';
import { createHintLanes } from './hint-lanes.ts';
import { createOwnership, type Ownership } from '../ledger/ownership.ts';
import { mayMove, moveOf, type Placement } from './move.ts';
import type { PipelineOptions } from './options.ts';
import { createPersist } from './persist.ts';
import { restoreState } from './restore.ts';
import { createStoreBatch } from './store-batch.ts';
import { voidOffsetsBeyondEnd } from './topic-reset.ts';

export interface Pipeline {
  onAssignment(partitions: number[]): Promise<Map<number, number>>;
  onBatch(batch: RecordBatch): Promise<void>;
  onRevoked(): void;
  /** Whether this partition may be written from here. */
  holds(partition: number): boolean;
  /**
   * Publishes and stores findings that no event raised, as those of the first partition.
   * @throws Error when that partition is not held here, or what could not be written; the caller comes back with them
   */
  raise(findings: readonly Finding[]): Promise<void>;
  /** Takes nothing in any more, stores what is held, then stops. */
  close(): Promise<void>;
  readonly dedupe: DedupeWindow;
}

/**
 * Events handled in one go before requests and answers get their turn. Without it the batches of a dozen partitions run one
 * after another in microtasks, and an insert that took 60 ms is noticed after 250.
 */
const EVENTS_PER_TURN = 200;

/**
 * From bus to ledger, top to bottom:
 * decode → move → dedupe → classify → lane state → rules → ledger → findings → progress → commit.
 *
 * Events go through the first six in one synchronous pass and into the columns of the open batch. The rest is one batch at a
 * time, each stage tried again until it succeeds or the assignment ends; meanwhile the next batch fills and is closed. A full open
 * batch behind those two makes `onBatch` wait: that is the back-pressure.
 */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { ledger, registry, lanes, observer, now } = options;

  let epoch = 0;
  let owner: Ownership | null = null;
  let held: readonly number[] = [];
  let placement: Placement | null = null;
  let dedupe = options.createDedupe();
  let open = emptyBatch(ledger.newBlock());
  let waiting: Batch | null = null;
  let storing: Promise<void> | null = null;
  let flushTimer: NodeJS.Timeout | null = null;
  let assignment = new AbortController();
  /** Set when closing begins, settled when it is over; one for everybody who asks. */
  let closed: Promise<void> | null = null;

  const persist = createPersist(options.wait, (stage, error) => observer.fault(stage, error));
  const store = createStoreBatch(options, persist);
  const hash = { low: 0, high: 0 };
  const hintLane = createHintLanes();
  const flood = createFloodGuard(options.flood);
  const detection = lanes === null ? null : createDetection(lanes, options.rules, flood);
  let eventsThisTurn = 0;

  // ── One event, synchronously ──────────────────────────────────────────────────────────────────────────────────

  /** @param isMovable whether it may be moved to where it belongs */
  function take(row: LedgerRow, receivedMs: number, isMovable: boolean): void {
    row.lane =
      row.fingerprint === '' && row.hint !== '' ? hintLane(row.hint, row.org) : laneOf(row.fingerprint, '', '');
    const home = isMovable ? placement!.homeOf(row, row.kafka_partition) : row.kafka_partition;
    if (home !== row.kafka_partition) {
      const move = moveOf(row, home, placement!.count);
      open.moves.push(move);
      open.moveChars += move.row.length;
      return;
    }
    hashEvent(row.source, row.id, hash);
    if (!dedupe.add(hash.low, hash.high, receivedMs)) {
      open.duplicates.add(row.collector);
      return;
    }
    row.event_hash_low = hash.low;
    row.event_hash_high = hash.high;

    // A correction stands as the report it is about, and is no use of a key: lanes and rules do not see it.
    if (row.joins === '') {
      const { standing, match, credential } = classify(row, row.seen_at, registry);
      row.standing = standing;
      row.match = match;
      row.credential_id = credential === null ? '' : credential.record.id;
      if (detection !== null && row.lane !== UNATTRIBUTED_LANE) detection.observe(row, credential);
    }

    open.block.add(row);
    open.collectors.add(row.collector);
    open.standings.add(row.standing);
  }

  async function onBatch(batch: RecordBatch): Promise<void> {
    const ours = epoch;
    for (const record of batch.records) {
      // Before the record is taken in: every partition has an `onBatch` of its own, and each would add one more to a full batch.
      while (isFull(open, options.batchRowsMax)) {
        if (waiting === null) startStoring();
        else await storing;
      }
      // Somebody else may have been assigned these partitions while this waited: the rest of the batch is theirs.
      if (ours !== epoch) return;
      if (closed !== null) return closed;
      const receivedMs = now();
      const { rows, rejects } = decodeRecord(record, receivedMs);
      const rowsBefore = open.block.length;
      const isMovable = mayMove(record, placement!);
      for (const row of rows) take(row, receivedMs, isMovable);
      for (const reject of rejects) {
        const deadLetter = deadLetterOf(record, reject);
        open.deadLetters.push(deadLetter);
        open.deadLetterBytes += deadLetter.bytes.length;
      }
      open.nextOffsets.set(batch.partition, record.offset + 1);
      if (open.block.length > rowsBefore) open.rowOffsets.set(batch.partition, record.offset + 1);
      if (open.records++ === 0) open.firstTakenMs = receivedMs;
      eventsThisTurn += rows.length;
      if (eventsThisTurn >= EVENTS_PER_TURN) {
        eventsThisTurn = 0;
        await nextTurn();
      }
      if (ours !== epoch) return;
      if (isFull(open, options.batchRowsMax)) startStoring();
    }
    scheduleFlush();
  }

  // ── One batch at a time, until it is stored ───────────────────────────────────────────────────────────────────

  function scheduleFlush(): void {
    if (flushTimer !== null || storing !== null || open.records === 0) return;
    // Its first row may have waited already while the batch before it was being stored.
    const waitedMs = now() - open.firstTakenMs;
    flushTimer = setTimeout(startStoring, Math.max(0, options.flushIntervalMs - waitedMs));
  }

  /** Closes the open batch and stores it, now or behind the one that is being stored. At most one waits. */
  function startStoring(): void {
    if (flushTimer !== null) clearTimeout(flushTimer);
    flushTimer = null;
    if (waiting === null && (open.records > 0 || detection?.hasChanges === true)) waiting = seal();
    if (storing !== null || waiting === null) return;
    const batch = waiting;
    waiting = null;
    const { signal } = assignment;
    storing = store(batch, owner!, signal)
      .catch((error: unknown) => {
        if (signal.aborted) return;
        observer.fault('store', error);
        forget();
        options.rejoin((error as Error).message);
      })
      .finally(() => {
        storing = null;
        if (waiting !== null) startStoring();
        else scheduleFlush();
      });
  }

  /** Closes the open batch: one time of storing, findings as they stand after it. */
  function seal(): Batch {
    const batch = open;
    open = emptyBatch(ledger.newBlock());
    batch.storedAtMs = now();
    batch.block.seal(batch.storedAtMs);
    batch.changes = detection?.takeChanges() ?? [];
    return batch;
  }

  // ── Assignments ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Forgets everything that is not stored: it will be delivered again, here or elsewhere. */
  function forget(): void {
    epoch++;
    assignment.abort(new Error('the assignment has ended'));
    assignment = new AbortController();
    if (flushTimer !== null) clearTimeout(flushTimer);
    flushTimer = null;
    open = emptyBatch(ledger.newBlock());
    waiting = null;
    held = [];
    detection?.clear();
    dedupe = options.createDedupe();
    lanes?.clear();
  }

  async function onAssignment(partitions: number[]): Promise<Map<number, number>> {
    if (closed !== null) throw new Error('this detector is stopping');
    const startedMs = now();
    forget();
    const { signal } = assignment;
    if (storing !== null) await storing;
    // It may be over after every wait, above all before the claim: that would shut out whoever has the partitions by now.
    signal.throwIfAborted();
    if (partitions.length === 0) {
      observer.assigned(partitions, now() - startedMs);
      return new Map();
    }
    placement = await options.placement();
    signal.throwIfAborted();
    owner = createOwnership(ledger, partitions, `${options.instance}/${epoch}/${startedMs}`);
    await owner.claim(signal);
    signal.throwIfAborted();
    const resumeOffsets = await ledger.resumeOffsets(partitions);
    signal.throwIfAborted();
    await voidOffsetsBeyondEnd(resumeOffsets, { ...options, signal }, (error) => observer.fault('bus', error));
    signal.throwIfAborted();
    owner.resumesAt(resumeOffsets);
    flood.clear(placement.count);
    observer.restoring?.();
    const lagging = await restoreState({
      ...options,
      crowd: detection?.crowd ?? null,
      flood,
      partitions,
      partitionCount: placement.count,
      nowMs: startedMs,
      dedupe,
      signal,
    });
    signal.throwIfAborted();
    for (const { state, lane } of lagging) detection?.noteChanged(state, lane);
    held = partitions;
    startStoring();
    observer.assigned(partitions, now() - startedMs);
    return resumeOffsets;
  }

  /** In its turn among the batches, because two writers under one claim could not tell whose write is in doubt. */
  async function raise(findings: readonly Finding[]): Promise<void> {
    while (storing !== null) await storing;
    if (owner === null || !held.includes(0)) throw new Error('another detector holds the first partition');
    const own = owner;
    const { signal } = assignment;
    const writes = findings.map((finding) => ({ finding, partition: 0 }));
    const writing = (async () => {
      await options.publishFindings([...findings]);
      await own.write(new Map(), signal, (claimant) => ledger.writeFindings(writes, claimant));
    })();
    storing = writing
      .catch(() => undefined)
      .finally(() => {
        storing = null;
        if (waiting !== null) startStoring();
        else scheduleFlush();
      });
    await writing;
  }

  async function storeRest(): Promise<void> {
    while (storing !== null || waiting !== null || open.records > 0) {
      startStoring();
      if (storing !== null) await storing;
    }
    forget();
  }

  return {
    onAssignment,
    onBatch,
    onRevoked: forget,
    holds: (partition) => held.includes(partition),
    raise,
    close() {
      // From here on no record is taken in, or under load there would always be something left to store.
      closed ??= storeRest();
      return closed;
    },
    get dedupe() {
      return dedupe;
    },
  };
}
