import { setTimeout as delay } from 'node:timers/promises';
import {
  collectorCountsKey,
  topicsOf,
  type Bus,
  type CredentialRecord,
  type LatestView,
  type OutgoingRecord,
  type Subscription,
} from '@lanewatch/ingest/contract';
import type { Finding } from '../contract/index.ts';
import type { Backtests } from './backtest/backtests.ts';
import { createRegistryView } from './classify/registry-view.ts';
import { createCollectorTally } from './collector-tally.ts';
import { createLaneStates, type LaneStates } from './lane-state/lane-states.ts';
import { runReconciler } from './corrections/reconciler.ts';
import type { ReportReader } from './corrections/reports.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { CredentialMirror } from './ledger/mirror/credential-mirror.ts';
import type { Batch } from './pipeline/batch.ts';
import { deadLetterRecord, withoutBytes } from './pipeline/dead-letter.ts';
import { createDedupeWindow } from './pipeline/dedupe-window.ts';
import { createPlacement } from './pipeline/move.ts';
import { createPipeline, type Pipeline } from './pipeline/pipeline.ts';
import { publishAccepted } from './pipeline/publish-accepted.ts';
import { createMovesPublisher } from './publish-moves.ts';
import { windowMsOf } from './rules/index.ts';
import type { Places } from './networks/places.ts';
import type { RuleOverrides } from './rules/parameters.ts';
import type { LiveRules } from './rules/live-rules.ts';
import type { Rule } from './rules/rule.ts';
import type { SweepReader } from './sweeps/reader.ts';
import { runSweeps } from './sweeps/run-sweeps.ts';
import { settledSweeper } from './sweeps/settled-sweeper.ts';

export interface DetectorOptions {
  instance: string;
  bus: Bus;
  ledger: Ledger;
  rules: Rule[];
  /** Where addresses are. */
  places: Places;
  /** False leaves lane state and rules out. */
  detection: boolean;
  topicPrefix: string;
  usagePartitions: number;
  consumerGroup: string;
  batchRowsMax: number;
  flushIntervalMs: number;
  dedupeWindowMs: number;
  dedupeIdsMax: number;
  lanesMax: number;
  valuesPerLane: number;
  extraValuesMax: number;
  laneHistoryMs: number;
  sessionTimeoutMs: number;
  /** Makes what copies the registry into ClickHouse; null where nothing reads it there. */
  createMirror: ((recordOf: (recordKey: string) => CredentialRecord | undefined) => CredentialMirror) | null;
  /** What the rules that a job decides read; null leaves them out. */
  sweeps: { reader: SweepReader; overrides: RuleOverrides } | null;
  /** What the reports of one request are joined by; null leaves each to count for itself. */
  reports: ReportReader | null;
  /** Runs rules with other settings over what is stored; null where nobody asks for that. */
  createBacktests: ((records: () => CredentialRecord[], isOurs: () => boolean) => Backtests) | null;
  /** The rules' settings, which the rules topic changes; null leaves them as they are. */
  settings: Pick<LiveRules, 'apply' | 'at'> | null;
  observer: DetectorObserver;
}

/** What a detector tells about itself. */
export interface DetectorObserver {
  stored(batch: Batch): void;
  finished(batch: Batch, tookMs: number): void;
  fault(stage: string, error: unknown): void;
  /** It reads its lanes back from the ledger, which takes the longer the more rows there are. */
  restoring?(): void;
  assigned(partitions: number[], tookMs: number): void;
  /** Corrections were put on the bus because requests have several reports. */
  corrected(corrections: number): void;
  revoked(): void;
}

export interface Detector {
  readonly pipeline: Pipeline;
  readonly lanes: LaneStates | null;
  close(): Promise<void>;
}

const COUNTS_INTERVAL_MS = 5_000;
const BACKTESTS_TICK_MS = 500;

/**
 * Puts a detector together and starts it: registry first, because an event that is classified before the registry is read would
 * show as unknown for ever.
 */
export async function startDetector(options: DetectorOptions): Promise<Detector> {
  const { bus, ledger, observer } = options;
  const topics = topicsOf(options.topicPrefix, options.usagePartitions);
  await bus.ensureTopics(Object.values(topics));

  const registry = createRegistryView((recordKey) => mirror?.changed(recordKey));
  const mirror = options.createMirror?.((recordKey) => registry.byKey(recordKey)?.record) ?? null;
  const registryFeed: LatestView = await bus.followLatest(topics.credentials.name, (record) => {
    const result = registry.apply(record.value, record.key);
    if (!result.ok)
      observer.fault('registry', new Error(`credential record at offset ${record.offset}: ${result.reason}`));
  });
  const settingsFeed: LatestView = await bus.followLatest(topics.rules.name, (record) => {
    if (options.settings?.apply(record.value) === false)
      observer.fault('rule settings', new Error(`the record at offset ${record.offset} is none`));
  });
  await settingsFeed.caughtUp();
  await registryFeed.caughtUp();
  mirror?.begin();

  const tally = createCollectorTally(options.instance, Date.now());
  const lanes = options.detection ? createLaneStates({ ...options, windowMs: windowMsOf(options.rules) }) : null;
  let subscription: Subscription | null = null;

  const pipeline = createPipeline({
    instance: options.instance,
    ledger,
    registry,
    lanes,
    rules: options.detection ? options.rules : [],
    createDedupe: () => createDedupeWindow({ windowMs: options.dedupeWindowMs, idsMax: options.dedupeIdsMax }),
    dedupeWindowMs: options.dedupeWindowMs,
    dedupeIdsMax: options.dedupeIdsMax,
    laneHistoryMs: options.laneHistoryMs,
    lanesMax: options.lanesMax,
    batchRowsMax: options.batchRowsMax,
    flushIntervalMs: options.flushIntervalMs,
    now: Date.now,
    wait: (ms, signal) => delay(ms, undefined, { signal }),
    publishDeadLetters: (deadLetters) =>
      publishAccepted(deadLetters, {
        publish: (some) => bus.publish(topics.deadLetter.name, some.map(deadLetterRecord)),
        reduce: withoutBytes,
        onRefused: ({ partition, offset }, { message }) =>
          observer.fault(
            'dead letter',
            new Error(`that of partition ${partition}, offset ${offset} is lost: ${message}`),
          ),
      }),
    publishMoves: createMovesPublisher(bus, topics.usage.name),
    publishFindings: (findings) =>
      publishAccepted(findings, {
        publish: (some) => bus.publish(topics.findings.name, some.map(findingRecord)),
        reduce: (finding) => ({ ...finding, facts: {} }),
        onRefused: ({ id }, { message }) =>
          observer.fault('findings topic', new Error(`${id} is in the table only: ${message}`)),
      }),
    placement: async () => createPlacement(await bus.partitionCount(topics.usage.name)),
    endOffsets: async () => {
      const lags = await bus.lag(topics.usage.name, options.consumerGroup);
      return new Map(lags.map(({ partition, endOffset }) => [partition, endOffset]));
    },
    commit: async (nextOffsets) => subscription?.commit(nextOffsets),
    rejoin: (reason) => {
      subscription?.rejoin(reason).catch((error: unknown) => observer.fault('rejoin', error));
    },
    observer: {
      ...observer,
      stored(batch) {
        for (const [collector, count] of batch.collectors.entries()) tally.add(collector, 'stored', count);
        for (const [collector, count] of batch.duplicates.entries()) tally.add(collector, 'duplicates', count);
        for (const { collector, source } of batch.moves) tally.addMoved(collector, source);
        if (batch.deadLetters.length > 0) tally.add('', 'dead_lettered', batch.deadLetters.length);
        observer.stored(batch);
      },
    },
  });

  const backtests =
    options.createBacktests?.(
      () => Array.from(registry.all(), ({ record }) => record),
      () => pipeline.holds(0),
    ) ?? null;
  const backtestsFeed =
    backtests === null
      ? null
      : await bus.followLatest(topics.backtests.name, (record) => {
          if (record.value.length > 0) backtests.take(record.value);
        });
  const backtesting = setInterval(() => void backtests?.tick(), BACKTESTS_TICK_MS);

  async function reportCounts(): Promise<void> {
    await tally.report(Date.now(), (reports) =>
      bus.publish(
        topics.collectorCounts.name,
        reports.map((report) => ({
          key: collectorCountsKey(report),
          value: Buffer.from(JSON.stringify(report)),
        })),
      ),
    );
  }
  const counting = setInterval(() => {
    reportCounts().catch((error: unknown) => observer.fault('collector counts', error));
  }, COUNTS_INTERVAL_MS);

  subscription = await bus.subscribe({
    topic: topics.usage.name,
    group: options.consumerGroup,
    sessionTimeoutMs: options.sessionTimeoutMs,
    onAssignment: (partitions) => pipeline.onAssignment(partitions),
    onBatch: (batch) => pipeline.onBatch(batch),
    onRevoked() {
      pipeline.onRevoked();
      observer.revoked();
    },
    onFault: (error) => observer.fault('subscription', error),
  });

  const sweeps =
    options.sweeps === null
      ? null
      : runSweeps({
          sweeper: settledSweeper(
            {
              ...options.sweeps,
              records: () => Iterator.from(registry.all()).map(({ record }) => record),
              stored: async (ids) => new Set((await ledger.readFindings(ids)).map(({ id }) => id)),
              write: (findings) => pipeline.raise(findings),
            },
            (nowMs) => options.settings?.at(nowMs) ?? [],
          ),
          isOurs: () => pipeline.holds(0),
          now: Date.now,
          wait: (ms, signal) => delay(ms, undefined, { signal }),
          onFault: (sweep, error) => observer.fault(`sweep ${sweep}`, error),
        });

  const reconciler =
    options.reports === null
      ? null
      : runReconciler({
          reader: options.reports,
          publish: (records) => bus.publish(topics.usage.name, records),
          isOurs: () => pipeline.holds(0),
          now: Date.now,
          wait: (ms, signal) => delay(ms, undefined, { signal }),
          onCorrected: (corrections) => observer.corrected(corrections),
          onFault: (error) => observer.fault('joining reports', error),
        });

  return {
    pipeline,
    lanes,
    async close() {
      clearInterval(counting);
      await reconciler?.close();
      clearInterval(backtesting);
      await backtestsFeed?.close();
      await backtests?.close();
      await sweeps?.close();
      await pipeline.close();
      await subscription.close();
      await settingsFeed.close();
      await registryFeed.close();
      await mirror?.close();
      await reportCounts().catch((error: unknown) => observer.fault('collector counts', error));
    },
  };
}

function findingRecord(finding: Finding): OutgoingRecord {
  return { key: finding.id, value: Buffer.from(JSON.stringify(finding)) };
}
