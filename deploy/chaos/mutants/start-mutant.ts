/**
 * A detector as `detector/src/main.ts` puts it together, with its bus or its ledger wrapped so that one guarantee is broken. Only
 * for proving that the crash suite notices.
 */
import { openBus, type Bus } from '@lanewatch/ingest/contract';
import { loadConfig, type DetectorConfig } from '../../../detector/src/config.ts';
import { startDetector } from '../../../detector/src/detector.ts';
import { startHealthServer } from '../../../detector/src/health-server.ts';
import type { Ledger } from '../../../detector/src/ledger/ledger.ts';
import { openLedger } from '../../../detector/src/ledger/open.ts';
import { createMetrics } from '../../../detector/src/metrics.ts';
import { rulesInForce } from '../../../detector/src/rules/index.ts';

export interface Mutation {
  bus?(bus: Bus, config: DetectorConfig): Bus;
  ledger?(ledger: Ledger, config: DetectorConfig): Ledger;
}

export async function startMutant(mutation: Mutation): Promise<void> {
  const config = loadConfig(process.env);
  let assigned = false;
  const log = (what: string, details: unknown) => console.log(new Date().toISOString(), what, details);
  const metrics = createMetrics();
  await startHealthServer({
    host: config.DETECTOR_HOST,
    port: config.DETECTOR_PORT,
    metrics: metrics.registry,
    notReadyReason: () => (assigned ? null : 'starting'),
  });
  const ledger = await openLedger({
    url: config.CLICKHOUSE_URL,
    user: config.CLICKHOUSE_USER,
    password: config.CLICKHOUSE_PASSWORD,
    database: config.CLICKHOUSE_DATABASE,
    engine: config.LEDGER_ENGINE,
    fsync: config.LEDGER_FSYNC,
    insertTimeoutMs: config.INSERT_TIMEOUT_MS,
  });
  const bus = await openBus(config.BUS_URL);
  const detector = await startDetector({
    instance: config.INSTANCE,
    bus: mutation.bus?.(bus, config) ?? bus,
    ledger: mutation.ledger?.(ledger, config) ?? ledger,
    rules: rulesInForce(),
    detection: true,
    topicPrefix: config.TOPIC_PREFIX,
    usagePartitions: config.USAGE_PARTITIONS,
    consumerGroup: config.CONSUMER_GROUP,
    batchRowsMax: config.BATCH_ROWS_MAX,
    flushIntervalMs: config.FLUSH_INTERVAL_MS,
    dedupeWindowMs: config.DEDUPE_WINDOW_HOURS * 3_600_000,
    dedupeIdsMax: config.DEDUPE_IDS_MAX,
    lanesMax: config.LANES_MAX,
    valuesPerLane: config.VALUES_PER_LANE,
    laneHistoryMs: config.LANE_HISTORY_DAYS * 24 * 3_600_000,
    sessionTimeoutMs: config.SESSION_TIMEOUT_MS,
    observer: {
      stored: () => undefined,
      fault: (stage, error) => log(stage, String(error)),
      assigned(partitions) {
        assigned = true;
        log('assigned', partitions);
      },
      revoked: () => log('revoked', ''),
    },
  });
  // An orderly end, so that nothing but the mutation can be what the suite finds.
  process.once('SIGTERM', () => {
    void detector
      .close()
      .then(() => Promise.all([bus.close(), ledger.close()]))
      .then(() => process.exit(0));
  });
}
