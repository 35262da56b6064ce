import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { openBus, retentionOf } from '@lanewatch/ingest/contract';
import { type DestinationStream, pino } from 'pino';
import { createBacktests, startWorker } from './backtest/backtests.ts';
import { backtestsTable } from './backtest/backtests-table.ts';
import type { DetectorConfig } from './config.ts';
import { startDetector, type DetectorObserver } from './detector.ts';
import { startHealthServer } from './health-server.ts';
import { createReportReader } from './corrections/reports.ts';
import { connect } from './ledger/clickhouse.ts';
import { createCredentialMirror } from './ledger/mirror/credential-mirror.ts';
import { openLedger } from './ledger/open.ts';
import { startRetention } from './ledger/upkeep/retention.ts';
import { startUpkeep } from './ledger/upkeep/upkeep.ts';
import { createMetrics } from './metrics.ts';
import { createReadiness } from './readiness.ts';
import { openPlaces } from './networks/places.ts';
import type { RuleId } from '../contract/index.ts';
import { rulesInForce } from './rules/index.ts';
import { liveRules } from './rules/live-rules.ts';
import { createSweepReader } from './sweeps/reader.ts';

/** What a detector process is made of besides its configuration; tests and benches put something else in. */
export interface DetectorParts {
  openBus: typeof openBus;
  openLedger: typeof openLedger;
  /** False leaves lane state and rules out. */
  detection: boolean;
  /** The rules that events are held against; all when left out. */
  ruleIds?: readonly RuleId[];
}

const PARTS: DetectorParts = { openBus, openLedger, detection: true };

const SHUTDOWN_MS = 15_000;
/** Of requests that no batch waits for; one writes every part of an older ledger anew. */
const BESIDE_SILENCE_MS = 3_600_000;

/**
 * Standard output. A line that a full disk does not take is lost: pino's own destination would end the service by an error that
 * nobody handles, or try for ever to write the rest when the service is told to stop.
 */
const logDestination: DestinationStream = {
  write(line) {
    try {
      writeSync(1, line);
    } catch {
      // There is nowhere to say so.
    }
  },
};

/** Runs a detector as this process until SIGTERM or SIGINT. Rejects when it can't start. */
export async function runDetector(config: DetectorConfig, parts: DetectorParts = PARTS): Promise<void> {
  const log = pino({ level: config.LOG_LEVEL, name: 'detector' }, logDestination);
  const metrics = createMetrics();
  const readiness = createReadiness();
  let lastFault = { stage: '', text: '', count: 0 };

  const observer: DetectorObserver = {
    stored: metrics.observer.stored,
    finished(batch, tookMs) {
      metrics.observer.finished(batch, tookMs);
      lastFault = { stage: '', text: '', count: 0 };
      log.debug({ rows: batch.standings.total, findings: batch.changes.length, took_ms: tookMs }, 'batch stored');
    },
    fault(stage, error) {
      metrics.observer.fault(stage, error);
      const text = error instanceof Error ? error.message : String(error);
      const repeats = lastFault.stage === stage && lastFault.text === text;
      lastFault = { stage, text, count: repeats ? lastFault.count + 1 : 1 };
      // The same failure is tried many times; the log needs it when it begins and now and then.
      if (lastFault.count === 1 || lastFault.count % 50 === 0)
        log.warn({ stage, error: text, times: lastFault.count }, 'will try again');
    },
    restoring: () => readiness.restoring(),
    assigned(partitions, tookMs) {
      readiness.assigned();
      metrics.observer.assigned(partitions, tookMs);
      log.info({ partitions, took_ms: tookMs }, 'partitions assigned');
    },
    corrected(corrections) {
      metrics.observer.corrected(corrections);
      log.debug({ corrections }, 'reports of one request joined');
    },
    revoked() {
      readiness.revoked();
      metrics.observer.revoked();
      log.info('partitions revoked');
    },
  };

  const health = await startHealthServer({
    host: config.DETECTOR_HOST,
    port: config.DETECTOR_PORT,
    metrics: metrics.registry,
    readiness,
  });
  const endpoint = {
    url: config.CLICKHOUSE_URL,
    user: config.CLICKHOUSE_USER,
    password: config.CLICKHOUSE_PASSWORD,
    insertQuorum: config.LEDGER_INSERT_QUORUM,
  };
  const ledger = await parts.openLedger({
    ...endpoint,
    database: config.CLICKHOUSE_DATABASE,
    engine: config.LEDGER_ENGINE,
    cluster: config.LEDGER_CLUSTER,
    fsync: config.LEDGER_FSYNC,
    insertTimeoutMs: config.INSERT_TIMEOUT_MS,
  });
  const places = openPlaces({ geoFile: config.GEOIP_DB, asnFile: config.GEOIP_ASN_DB });
  const bus = await parts.openBus(config.BUS_URL, {
    ...retentionOf(config.BUS_RETENTION_HOURS),
    onLog: (level, message, details) => log[level](details, message),
  });
  const { ruleIds } = parts;
  const live = liveRules(
    (overrides) => rulesInForce(overrides, places).filter(({ id }) => ruleIds?.includes(id) ?? true),
    config.RULE_PARAMETERS,
  );
  const beside = connect(endpoint, BESIDE_SILENCE_MS);
  const detector = await startDetector({
    instance: config.INSTANCE,
    bus,
    ledger,
    rules: live.rules,
    settings: live,
    places,
    detection: parts.detection,
    topicPrefix: config.TOPIC_PREFIX,
    usagePartitions: config.USAGE_PARTITIONS,
    consumerGroup: config.CONSUMER_GROUP,
    batchRowsMax: config.BATCH_ROWS_MAX,
    flushIntervalMs: config.FLUSH_INTERVAL_MS,
    dedupeWindowMs: config.DEDUPE_WINDOW_HOURS * 3_600_000,
    dedupeIdsMax: config.DEDUPE_IDS_MAX,
    lanesMax: config.LANES_MAX,
    valuesPerLane: config.VALUES_PER_LANE,
    extraValuesMax: config.EXTRA_VALUES_MAX,
    laneHistoryMs: config.LANE_HISTORY_DAYS * 24 * 3_600_000,
    sessionTimeoutMs: config.SESSION_TIMEOUT_MS,
    createMirror: (recordOf) =>
      createCredentialMirror({
        client: beside,
        database: config.CLICKHOUSE_DATABASE,
        recordOf,
        wait: delay,
        onFault: (error) => observer.fault('copying the registry', error),
      }),
    sweeps: parts.detection
      ? { reader: createSweepReader(beside, config.CLICKHOUSE_DATABASE), overrides: config.RULE_PARAMETERS }
      : null,
    reports: parts.detection ? createReportReader(beside, config.CLICKHOUSE_DATABASE) : null,
    createBacktests: parts.detection
      ? (records, isOurs) =>
          createBacktests({
            ...backtestsTable(beside, config.CLICKHOUSE_DATABASE, Date.now),
            isOurs,
            now: Date.now,
            onFault: (error) => observer.fault('backtest', error),
            start: (request, onNews) =>
              startWorker(
                {
                  ...{ request, endpoint, database: config.CLICKHOUSE_DATABASE, records: records() },
                  ...{ overrides: config.RULE_PARAMETERS, geoFile: config.GEOIP_DB, asnFile: config.GEOIP_ASN_DB },
                  ...{ lanesMax: config.LANES_MAX, valuesPerLane: config.VALUES_PER_LANE },
                },
                onNews,
              ),
          })
      : null,
    observer,
  });
  metrics.watch(detector);
  const upkeep = startUpkeep({
    client: beside,
    database: config.CLICKHOUSE_DATABASE,
    wait: (ms, signal) => delay(ms, undefined, { signal }),
    onProgress: (rows_done, rows_total) => log.info({ rows_done, rows_total }, 'building the roll-up of older days'),
    onFault: (error) => observer.fault('building the roll-up of older days', error),
  });
  const stopRetention = startRetention({
    client: beside,
    database: config.CLICKHOUSE_DATABASE,
    days: config.LEDGER_RETENTION_DAYS,
    coldDays: config.LEDGER_COLD_DAYS,
    coldVolume: config.LEDGER_COLD_VOLUME,
    now: Date.now,
    wait: (ms, signal) => delay(ms, undefined, { signal }),
    onDropped: (day) => log.info({ day }, 'a day of the ledger was dropped by age'),
    onFault: (error) => observer.fault('dropping old days of the ledger', error),
  });

  let isStopping = false;
  const stop = (signal: string) => {
    log.info({ signal }, 'stopping');
    // A terminal sends SIGINT to everybody, and whoever started this process sends SIGTERM: both mean the same stop.
    if (isStopping) return;
    isStopping = true;
    // What can't be stored in time is not lost: it is on the bus, and the next start resumes from the ledger.
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    upkeep.close();
    stopRetention();
    detector
      .close()
      .then(() => Promise.all([bus.close(), ledger.close(), beside.close()]))
      .then(
        () => {
          health.close();
          process.exit(0);
        },
        (error: unknown) => {
          log.error({ error: String(error) }, 'stopping failed');
          process.exit(1);
        },
      );
  };
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('SIGINT', () => stop('SIGINT'));
}
