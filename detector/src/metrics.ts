import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Detector, DetectorObserver } from './detector.ts';
import { FencedError } from './ledger/ledger.ts';

export interface Metrics {
  registry: Registry;
  observer: DetectorObserver;
  /** Gauges read from the running detector when somebody asks. */
  watch(detector: Detector): void;
}

/** The detector's figures for Prometheus. Label values come from closed lists, so their number is bounded. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const stored = new Counter({
    name: 'lanewatch_detector_events_stored_total',
    help: 'Rows new in the ledger',
    labelNames: ['standing'],
    registers,
  });
  const duplicates = new Counter({
    name: 'lanewatch_detector_events_duplicate_total',
    help: 'Events seen before within the dedupe window',
    registers,
  });
  const deadLetters = new Counter({
    name: 'lanewatch_detector_dead_letters_total',
    help: 'Lines or records that could not be decoded',
    registers,
  });
  const moved = new Counter({
    name: 'lanewatch_detector_events_moved_total',
    help: 'Events that lay on another partition than their key’s and were put there; a producer needs partitioner=murmur2_random',
    registers,
  });
  const findings = new Counter({
    name: 'lanewatch_detector_finding_writes_total',
    help: 'Findings raised or grown',
    labelNames: ['rule'],
    registers,
  });
  const faults = new Counter({
    name: 'lanewatch_detector_faults_total',
    help: 'Failures that were tried again',
    labelNames: ['stage'],
    registers,
  });
  const corrections = new Counter({
    name: 'lanewatch_detector_corrections_total',
    help: 'Corrections put on the bus because several reports are of one request',
    registers,
  });
  const fenced = new Counter({
    name: 'lanewatch_detector_fenced_total',
    help: 'Batches and claims that the ledger refused, because another detector holds the partition',
    registers,
  });
  const takenToStored = new Histogram({
    name: 'lanewatch_detector_taken_to_stored_seconds',
    help: 'From taking the first record of a batch off the bus until its rows and findings are stored',
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const partitions = new Gauge({ name: 'lanewatch_detector_partitions', help: 'Partitions held', registers });
  const storeSeconds = new Histogram({
    name: 'lanewatch_detector_store_seconds',
    help: 'From sealing a batch until it and its findings are stored',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });

  return {
    registry,
    observer: {
      stored(batch) {
        for (const [standing, count] of batch.standings.entries()) stored.inc({ standing }, count);
        for (const [, count] of batch.duplicates.entries()) duplicates.inc(count);
        deadLetters.inc(batch.deadLetters.length);
        moved.inc(batch.moves.length);
      },
      finished(batch, tookMs) {
        for (const { finding } of batch.changes) findings.inc({ rule: finding.rule });
        storeSeconds.observe(tookMs / 1000);
        if (batch.firstTakenMs > 0) takenToStored.observe((batch.storedAtMs - batch.firstTakenMs + tookMs) / 1000);
      },
      corrected: (count) => corrections.inc(count),
      fault(stage, error) {
        faults.inc({ stage });
        if (error instanceof FencedError) fenced.inc();
      },
      assigned: (held) => partitions.set(held.length),
      revoked: () => partitions.set(0),
    },
    watch(detector) {
      const gauge = (name: string, help: string, read: () => number) =>
        new Gauge({
          name,
          help,
          registers,
          collect() {
            this.set(read());
          },
        });
      gauge('lanewatch_detector_dedupe_ids', 'Event ids remembered', () => detector.pipeline.dedupe.size);
      gauge(
        'lanewatch_detector_dedupe_span_seconds',
        'How far back duplicates are recognised now',
        () => detector.pipeline.dedupe.spanMs(Date.now()) / 1000,
      );
      gauge('lanewatch_detector_lanes', 'Lanes held in memory', () => detector.lanes?.size ?? 0);
      gauge(
        'lanewatch_detector_extra_values',
        'People, repositories and environments held beyond VALUES_PER_LANE, of EXTRA_VALUES_MAX',
        () => detector.lanes?.extraValues ?? 0,
      );
      gauge(
        'lanewatch_detector_lane_evictions',
        'Lanes forgotten because of the bound',
        () => detector.lanes?.evictions ?? 0,
      );
    },
  };
}
