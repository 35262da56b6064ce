import { topicsOf, USAGE_PARTITIONS_DEFAULT } from '@lanewatch/ingest/contract';
import type { Bus, LatestView, Topics } from '@lanewatch/ingest/contract';
import type { Logger } from 'pino';
import { createAccounts } from './accounts/sessions.ts';
import type { Accounts } from './accounts/sessions.ts';
import { createChangeFeed } from './changes/changes.ts';
import type { ChangeFeed } from './changes/changes.ts';
import { BRIEFLY } from './clickhouse.ts';
import type { ClickHouse } from './clickhouse.ts';
import type { Config } from './config.ts';
import { createLaneSnapshots } from './lanes/snapshot.ts';
import type { LaneSnapshots } from './lanes/snapshot.ts';
import { createCollectorTotals, followCollectorCounts } from './overview/collectors.ts';
import type { CollectorTotals } from './overview/collectors.ts';
import { readLastStoredMs } from './last-stored.ts';
import { createOverviews } from './overview/overview.ts';
import type { Overviews } from './overview/overview.ts';
import { createSettlement, keepSettling } from './overview/settlement.ts';
import type { Database } from './registry/database.ts';
import { migrateRegistry } from './registry/migrate.ts';
import { startPublisher } from './registry/publisher.ts';
import type { OutboxPublisher } from './registry/publisher.ts';
import { reconcileTopic } from './registry/reconcile.ts';
import { registryVersion } from './registry/registry.ts';
import { createRegistryView } from './registry/view.ts';
import type { RegistrySnapshot } from './registry/view.ts';
import { instantOf } from './window.ts';

/** What routes work with. */
export interface Services {
  config: Config;
  now: () => number;
  store: ClickHouse;
  database: Database;
  accounts: Accounts;
  registry: { current(): Promise<RegistrySnapshot> };
  publisher: OutboxPublisher;
  snapshots: LaneSnapshots;
  overviews: Overviews;
  collectors: CollectorTotals;
  changes: ChangeFeed;
  /** What is not there yet, by name; empty when requests can be served. */
  notReady(): Promise<string[]>;
  close(): Promise<void>;
}

export interface ServiceParts {
  config: Config;
  logger: Logger;
  store: ClickHouse;
  database: Database;
  bus: Bus;
  now?: () => number;
  /** Pages that ask this soon after a read of all lanes share it. */
  snapshotKeptMs?: number;
  /** How often the bus is asked which accepted events are off it. */
  settleIntervalMs?: number;
}

const SNAPSHOT_KEPT_MS = 400;
const SETTLE_INTERVAL_MS = 5_000;
const BUS_RETRY_MS = 1_000;
const CLOSE_PATIENCE_MS = 2_000;
/** Ids named in one line of the log. */
const IDS_LOGGED_MAX = 20;
const PRUNE_MS = 3_600_000;

/**
 * Migrates the registry and starts what runs beside the requests. The bus may be away: reads work without it, and
 * publishing and following begin when it answers.
 */
export async function startServices(parts: ServiceParts): Promise<Services> {
  const { config, logger, store, database, bus } = parts;
  const now = parts.now ?? Date.now;
  const { db } = database;
  const applied = await migrateRegistry(db);
  if (applied.length > 0) logger.info({ applied }, 'registry migrated');
  const topics = topicsOf(config.topicPrefix, USAGE_PARTITIONS_DEFAULT);
  const accounts = createAccounts(db, {
    idleSeconds: config.sessionIdleSeconds,
    maxSeconds: config.sessionMaxSeconds,
    now,
  });
  const publisher = startPublisher({
    database,
    bus,
    topic: topics.credentials,
    now,
    onFault: (error) => logger.warn({ err: error }, 'publishing registry changes failed, trying again'),
  });
  const collectors = createCollectorTotals();
  const busLink = linkBus({ bus, topics, db, publisher, collectors, logger, now });
  const settling = keepSettling(
    createSettlement(collectors, () => bus.lag(topics.usage.name, config.consumerGroup), now),
    parts.settleIntervalMs ?? SETTLE_INTERVAL_MS,
    // The link to the bus complains already; until it is back, counts alone say what is in flight.
    (error) => logger.debug({ err: error }, 'the bus does not say how far the detectors are'),
  );
  const changes = createChangeFeed(
    {
      async last_stored_at() {
        const lastMs = await readLastStoredMs(store, BRIEFLY);
        return lastMs === null ? null : instantOf(lastMs);
      },
      registry_version: () => registryVersion(db),
    },
    {
      onFault: (source, error) => logger.warn({ err: error, source }, 'looking for changes fails, trying on'),
      onRecovery: (source) => logger.info({ source }, 'looking for changes works again'),
    },
  );
  const pruning = setInterval(() => {
    accounts.prune().catch((error: unknown) => logger.warn({ err: error }, 'pruning sessions failed'));
  }, PRUNE_MS);
  pruning.unref();

  return {
    config,
    now,
    store,
    database,
    accounts,
    registry: createRegistryView(db),
    publisher,
    snapshots: createLaneSnapshots(store, db, { keptMs: parts.snapshotKeptMs ?? SNAPSHOT_KEPT_MS, now }),
    overviews: createOverviews(store, collectors, now),
    collectors,
    changes,
    async notReady() {
      const [storeAnswers, registryAnswers] = await Promise.all([
        // Not a ping: reads need the tables, which the detector makes.
        readLastStoredMs(store, BRIEFLY).then(
          () => true,
          () => false,
        ),
        registryVersion(db).then(
          () => true,
          () => false,
        ),
      ]);
      return [
        ...(storeAnswers ? [] : ['clickhouse']),
        ...(registryAnswers ? [] : ['registry']),
        ...(busLink.isUp() ? [] : ['bus']),
      ];
    },
    async close() {
      clearInterval(pruning);
      changes.close();
      settling.close();
      await busLink.close();
      await publisher.close();
    },
  };
}

interface BusLinkParts {
  bus: Bus;
  topics: Topics;
  db: Database['db'];
  publisher: OutboxPublisher;
  collectors: CollectorTotals;
  logger: Logger;
  now: () => number;
}

/** Sets up our side of the bus, trying until it works: topics, the allowlist's completeness, collectors' counts. */
function linkBus(parts: BusLinkParts): { isUp(): boolean; close(): Promise<void> } {
  const { bus, topics, db, publisher, collectors, logger, now } = parts;
  const closing = new AbortController();
  let counts: LatestView | null = null;

  async function tryOnce(): Promise<void> {
    await bus.ensureTopics([topics.credentials, topics.collectorCounts]);
    const { republished, overtaken, revoked, withdrawn } = await reconcileTopic(db, bus, topics.credentials, now());
    if (overtaken.length > 0) {
      const [ids, revokedIds] = [overtaken, revoked].map((all) => all.slice(0, IDS_LOGGED_MAX));
      logger.warn(
        { records: overtaken.length, ids, revoked: revoked.length, revokedIds },
        'the credentials topic was newer than this registry, as after a restore from a backup; what was revoked there is revoked here now, the rest is published again as it is here',
      );
      publisher.wake();
    }
    if (withdrawn.length > 0) {
      logger.warn(
        { records: withdrawn.length, ids: withdrawn.slice(0, IDS_LOGGED_MAX) },
        'the credentials topic held keys that this registry does not have; they count as revoked now. If this is the wrong database, start with the right one: it takes them back',
      );
    }
    if (republished > 0) {
      logger.info({ records: republished }, 'records missing on the credentials topic are published again');
      publisher.wake();
    }
    const view = await followCollectorCounts(bus, topics.collectorCounts, collectors, () => {
      logger.warn('a report of collector counts could not be read');
    });
    if (closing.signal.aborted) await view.close();
    else counts = view;
  }

  async function keepTrying(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        return await tryOnce();
      } catch (error) {
        logger.warn({ err: error }, 'the bus can’t be used yet, trying again');
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, BUS_RETRY_MS);
          closing.signal.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
    }
  }
  const linking = keepTrying();

  return {
    isUp: () => counts !== null,
    async close() {
      closing.abort();
      // A bus that hangs must not keep the process from ending; closing the bus itself ends what is left.
      await Promise.race([linking, new Promise((resolve) => setTimeout(resolve, CLOSE_PATIENCE_MS).unref())]);
      await counts?.close();
    },
  };
}
