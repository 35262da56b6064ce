import { topicsOf, USAGE_PARTITIONS_DEFAULT } from '@lanewatch/ingest/contract';
import type { Bus, PartitionLag } from '@lanewatch/ingest/contract';
import type { Logger } from 'pino';
import { takeOverEvents } from '../audit/take-over.ts';
import { createAccounts } from '../accounts/accounts.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { createAttempts } from '../accounts/attempts.ts';
import type { Attempts } from '../accounts/attempts.ts';
import { createPersonalTokens } from '../accounts/tokens.ts';
import type { PersonalTokens } from '../accounts/tokens.ts';
import { linkBus } from './bus-link.ts';
import { createDeadLetters } from '../collectors/dead-letters.ts';
import type { DeadLetters, HeldLetter } from '../collectors/dead-letters.ts';
import { replay } from '../collectors/replay.ts';
import { createChangeFeed } from '../changes/changes.ts';
import type { ChangeFeed } from '../changes/changes.ts';
import { createEventStream } from '../changes/event-stream.ts';
import type { EventStream } from '../changes/event-stream.ts';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { Config } from '../config.ts';
import { startNotifier } from '../notify/notifier.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { DeliverParts } from '../notify/deliver.ts';
import { readFindingsVersion, triageVersion } from '../findings/version.ts';
import { createCollectorTotals } from '../overview/collectors.ts';
import type { CollectorTotals } from '../overview/collectors.ts';
import { readLastStoredMs } from '../ledger/last-stored.ts';
import { createSettlement, keepSettling } from '../overview/settlement.ts';
import type { Database } from '../registry/database.ts';
import { migrateRegistry } from '../registry/migrate.ts';
import { startPublisher } from '../registry/publisher.ts';
import type { OutboxPublisher } from '../registry/publisher.ts';
import { registryVersion } from '../registry/registry.ts';
import { followLastUses } from '../registry/last-uses.ts';
import type { LastUses } from '../registry/last-uses.ts';
import { startVerify } from '../verify/start-verify.ts';
import type { Verifying } from '../verify/start-verify.ts';
import { createRegistryView } from '../registry/view.ts';
import type { RegistryView } from '../registry/view.ts';
import { instantOf } from '../ledger/window.ts';
import type { PolicyParts } from '../policies/facts.ts';
import { openAnalyst, type AnalystEngine } from '../sql/analyst.ts';
import { jobsOf } from '../schedule/jobs.ts';
import { createBacktestRequests } from '../rules/backtest-requests.ts';
import type { BacktestRequests } from '../rules/backtest-requests.ts';
import { publishProxyPolicy } from '../policies/publish-proxy-policy.ts';
import { publishRules } from '../rules/publish-rules.ts';
import type { Recurring } from '../recurring.ts';
import { startScheduler } from '../schedule/scheduler.ts';
import type { Scheduler } from '../schedule/scheduler.ts';
import { createLaneFacts } from '../lanes/facts.ts';
import type { LaneFactsReader } from '../lanes/facts.ts';
import { createSharedReads } from './shared-reads.ts';
import type { SharedReads } from './shared-reads.ts';

/** What routes work with. */
export interface Services extends Verifying {
  config: Config;
  now: () => number;
  store: ClickHouse;
  /** null where SQL is not set up. */
  analyst: AnalystEngine | null;
  database: Database;
  accounts: Accounts;
  tokens: PersonalTokens;
  /** Attempts to sign in that failed. */
  attempts: Attempts;
  registry: RegistryView;
  lastUses: LastUses;
  publisher: OutboxPublisher;
  /** Woken when settings of rules were committed. */
  rulePublisher: Recurring;
  /** Woken when the policy on requests was. */
  proxyPolicy: Recurring;
  /** Asks the detectors to hold stored events against a rule set otherwise. */
  backtests: BacktestRequests;
  /** What pages ask for that others asked for a moment ago. */
  shared: SharedReads;
  /** How lanes stand, read once for all who ask within a moment. */
  facts: LaneFactsReader;
  collectors: CollectorTotals;
  deadLetters: DeadLetters;
  /** How far the detectors are on the usage topic. */
  usageLag(): Promise<PartitionLag[]>;
  /** Puts a dead letter on the usage topic again. */
  replay(letter: HeldLetter, actor: string): Promise<void>;
  changes: ChangeFeed;
  scheduler: Scheduler;
  stream: EventStream;
  /** What policies read. */
  policies: PolicyParts;
  /** What sending to channels works with. */
  delivery: DeliverParts;
  notifier: Notifier;
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
  /** Pages that ask this soon after another one share what it read. */
  readsKeptMs?: number;
  /** How old what is said about the last use of keys may be. */
  lastUsesKeptMs?: number;
  /** How often channels are looked after; 0 for only when asked. */
  notifyEveryMs?: number;
  /** How often the bus is asked whether it answers, and which accepted events are off it. */
  busLookMs?: number;
  /** false: nobody looks for jobs that are due but whoever calls the scheduler's `tick`. */
  runsJobs?: boolean;
}

const READS_KEPT_MS = 400;
const NOTIFY_EVERY_MS = 2_000;
const BUS_LOOK_MS = 5_000;

const answers = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => true,
    () => false,
  );

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
  await takeOverEvents(db);
  const topics = topicsOf(config.topicPrefix, USAGE_PARTITIONS_DEFAULT);
  const accounts = createAccounts(db, config, {
    now,
    log: (level, message) => logger[level]({ part: 'accounts' }, message),
  });
  const registry = createRegistryView(db);
  const readsKeptMs = parts.readsKeptMs ?? READS_KEPT_MS;
  const shared = createSharedReads({ keptMs: readsKeptMs, now });
  const facts = createLaneFacts({
    ...{ store, now, version: () => registryVersion(db), isShared: readsKeptMs > 0 },
    onFault: (error) =>
      logger.warn({ err: error }, 'facts of lanes are not kept in the engine, so that each read makes them anew'),
  });
  const publisher = startPublisher({
    database,
    bus,
    topic: topics.credentials,
    mirror: {
      copy: (records) => store.mirror(records),
      async refresh() {
        await store.refreshMirror();
        facts.forget();
        shared.forget();
      },
    },
    now,
    onFault: (error) => logger.warn({ err: error }, 'publishing registry changes failed, trying again'),
  });
  const rulePublisher = publishRules({
    ...{ db, bus, topic: topics.rules, now },
    onFault: (error) => logger.warn({ err: error }, 'publishing rule settings failed, trying again'),
  });
  const proxyPolicy = publishProxyPolicy({
    ...{ db, bus, topic: topics.policies },
    onFault: (error) => logger.warn({ err: error }, 'publishing the policy on requests failed, trying again'),
  });
  const collectors = createCollectorTotals();
  const deadLetters = createDeadLetters();
  const busLookMs = parts.busLookMs ?? BUS_LOOK_MS;
  const busLink = linkBus({
    ...{ bus, topics, db, publisher, collectors, deadLetters, logger, now },
    group: config.consumerGroup,
    lookMs: busLookMs,
  });
  const usageLag = () => bus.lag(topics.usage.name, config.consumerGroup);
  const settling = keepSettling(
    createSettlement(collectors, usageLag, now),
    busLookMs,
    // The link to the bus complains already; until it is back, counts alone say what is in flight.
    (error) => logger.debug({ err: error }, 'the bus does not say how far the detectors are'),
  );
  const changes = createChangeFeed(
    {
      async last_stored_at() {
        const lastMs = await readLastStoredMs(store, BRIEFLY);
        facts.told(lastMs);
        return lastMs === null ? null : instantOf(lastMs);
      },
      findings_version: () => readFindingsVersion(store, BRIEFLY),
      registry_version: () => registryVersion(db),
      triage_version: () => triageVersion(db),
    },
    {
      onFault: (source, error) => logger.warn({ err: error, source }, 'looking for changes fails, trying on'),
      onRecovery: (source) => logger.info({ source }, 'looking for changes works again'),
    },
  );
  const delivery: DeliverParts = {
    ...{ store, db, now, authSecret: config.authSecret, dashboardUrl: config.dashboardUrl },
    ...config.notify,
  };
  const notifier = startNotifier(
    { ...delivery, registry, database },
    {
      everyMs: parts.notifyEveryMs ?? NOTIFY_EVERY_MS,
      onFault: (error) => logger.warn({ err: error }, 'channels are not told of findings, trying on'),
    },
  );
  const stream = createEventStream({
    ...{ changes, store, db, now },
    onFault: (error) => logger.warn({ err: error }, 'what changed is not read, trying on'),
  });
  const tokens = createPersonalTokens(db, now);
  const lastUses = followLastUses({
    ...{ store, collectors, tokens, registry, now },
    onFault: (error) => logger.warn({ err: error }, 'last use of credentials not read'),
    ...(parts.lastUsesKeptMs === undefined ? {} : { keptMs: parts.lastUsesKeptMs }),
  });
  const { close: endVerify, ...verifying } = startVerify({
    ...{ store, registry, bus, topic: topics.usage.name, now, logger },
  });
  const policies: PolicyParts = {
    ...{ db, store, registry, lastUses, now },
    onFault: (error) => logger.warn({ err: error }, 'the ledger does not tell policies what they ask'),
  };
  const scheduler = startScheduler({
    ...{ database, logger, now },
    jobs: jobsOf({ accounts, policies, imports: { ...policies, modules: config.modules, settings: config.imports } }),
    isStarted: parts.runsJobs ?? true,
  });

  const analyst = config.analyst === null ? null : openAnalyst(config.analyst);

  return {
    config,
    now,
    store,
    analyst,
    database,
    accounts,
    tokens,
    attempts: createAttempts(db),
    registry,
    lastUses,
    ...verifying,
    publisher,
    rulePublisher,
    proxyPolicy,
    backtests: createBacktestRequests({ db, store, now, bus, topic: topics.backtests }),
    shared,
    facts,
    collectors,
    deadLetters,
    usageLag,
    replay: (letter, actor) => replay({ db, bus, topic: topics.usage.name, nowMs: now(), actor }, letter),
    changes,
    scheduler,
    stream,
    policies,
    delivery,
    notifier,
    async notReady() {
      const [storeAnswers, registryAnswers] = await Promise.all([
        // Not a ping: reads need the tables, which the detector makes.
        answers(readLastStoredMs(store, BRIEFLY)),
        answers(registryVersion(db)),
      ]);
      return [
        ...(storeAnswers ? [] : ['clickhouse']),
        ...(registryAnswers ? [] : ['registry']),
        ...(busLink.isUp() ? [] : ['bus']),
      ];
    },
    async close() {
      await scheduler.close();
      changes.close();
      await notifier.close();
      lastUses.close();
      await endVerify();
      settling.close();
      await busLink.close();
      await rulePublisher.close();
      await proxyPolicy.close();
      await publisher.close();
      await analyst?.close();
    },
  };
}
