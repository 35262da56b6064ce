import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { type Bus, type LatestView, PROXY_POLICY_KEY, topicsOf } from '../contract/index.ts';
import { createCredentialView } from './auth/credentials.ts';
import { createByteBudget } from './body/budget.ts';
import { type CollectorTallies, createCollectorTallies } from './collector-tally.ts';
import type { Config } from './config.ts';
import { createMetrics } from './metrics.ts';
import { withoutSecrets } from './normalise/normalise.ts';
import { createPartitions } from './publish/partitions.ts';
import { createPublisher, type Publisher } from './publish/publisher.ts';
import { openSpool, type Spool } from './publish/spool.ts';
import { createGrpcServer } from './grpc.ts';
import { createAllowlist } from './proxy/allowlist.ts';
import { createPolicyView } from './proxy/policy.ts';
import { type Proxy, registerProxy } from './proxy/proxy.ts';
import { PROXY_COLLECTOR } from './proxy/report.ts';
import { createServer, type ServerOptions } from './server.ts';

const CONNECT_PAUSE_MIN_MS = 200;
const CONNECT_PAUSE_MAX_MS = 5_000;

export interface Ingest {
  /** Where it listens, such as http://127.0.0.1:4618. */
  url: string;
  /** Where it takes OTLP over gRPC; null when it does not. */
  grpcPort: number | null;
  /** Resolves when credentials are known and events are taken. Rejects when `stop` came first. */
  ready: Promise<void>;
  /** Takes no more requests, waits for those under way and for their events, reports counts, closes the bus. */
  stop(): Promise<void>;
}

/**
 * Starts ingest: it listens at once and answers 503 until the bus is reachable and the credentials topic was read.
 * @param bus owned from here on; closed by `stop`
 */
export async function startIngest(config: Config, bus: Bus, log: Logger): Promise<Ingest> {
  const topics = topicsOf(config.topicPrefix, config.usagePartitions);
  const credentials = createCredentialView();
  const allowlist = createAllowlist();
  const policy = createPolicyView(config.proxyPolicies);
  const budget = createByteBudget(config.inflightBytesMax);
  const spool = config.spoolDir === null ? null : await openSpoolOf(config, config.spoolDir, log);
  const metrics = createMetrics({
    spoolBytes: () => spool?.bytes ?? 0,
    refusedBytes: () => spool?.refusedBytes ?? 0,
    inflightBytes: () => budget.taken,
    credentials: () => credentials.size,
  });
  const onFault = (what: string, error: unknown) => {
    metrics.faults.inc({ what });
    log.warn({ error: withoutSecrets(error instanceof Error ? error.message : String(error)) }, what);
  };

  const partitions = createPartitions(
    () => bus.partitionCount(topics.usage.name),
    (error) => onFault('the partitions of the usage topic cannot be counted', error),
  );
  let credentialsKnown = false;
  const publisher: Publisher = createPublisher({
    bus,
    topic: topics.usage.name,
    partitionOf: (key) => partitions.of(key),
    refreshPartitions: () => partitions.refresh(),
    publishTimeoutMs: config.publishTimeoutMs,
    lingerMs: config.lingerMs,
    spool,
    onBatch: ({ to, rows, seconds }) => {
      metrics.batchRows.observe({ to }, rows);
      metrics.batchSeconds.observe({ to }, seconds);
    },
    onFault,
  });
  const tallies: CollectorTallies = createCollectorTallies({
    bus,
    topic: topics.collectorCounts.name,
    instance: config.instance,
    startedAt: Date.now(),
    hasSpooled: () => spool?.isEmpty === false,
    onFault: (error) => onFault('counts were not reported', error),
  });

  const stopping = new AbortController();
  let view: LatestView | null = null;
  let policies: LatestView | null = null;
  async function connect(): Promise<void> {
    await bus.ensureTopics([
      topics.usage,
      topics.credentials,
      topics.deadLetter,
      topics.collectorCounts,
      topics.policies,
    ]);
    await partitions.refresh();
    view ??= await bus.followLatest(topics.credentials.name, (record) => {
      const applied = credentials.apply(record);
      if (applied.ok) allowlist.apply(record.key, applied.record);
      else onFault('a credential record cannot be read', new Error(applied.reason));
    });
    policies ??= await bus.followLatest(topics.policies.name, (record) => {
      const fault = record.key === PROXY_POLICY_KEY ? policy.apply(record.value) : null;
      if (fault !== null) onFault('the policy on requests cannot be read', new Error(fault));
    });
    await Promise.all([view.caughtUp(), policies.caughtUp()]);
    credentialsKnown = true;
  }

  const serverOptions: ServerOptions = {
    limits: { bodyBytesMax: config.bodyBytesMax, compressedBytesMax: config.compressedBytesMax },
    budget,
    trustedProxies: config.trustedProxies,
    credentials,
    publisher,
    tallies,
    metrics,
    log,
    notReadyReason: () => {
      if (stopping.signal.aborted) return 'Ingest is shutting down.';
      if (!credentialsKnown) return 'Ingest is still reading which keys may send events.';
      return spool?.fullBecause ?? null;
    },
    now: Date.now,
  };
  const app: FastifyInstance = await createServer(serverOptions);
  const proxy = proxyOf(config, app, serverOptions, {
    allowlist,
    policy,
    isRegistryKnown: () => credentialsKnown,
    onFault,
  });
  const url = await app.listen({ host: config.host, port: config.port });
  const grpc = await listenForGrpc(config, serverOptions, onFault);
  const ready = retry(connect, stopping.signal, (error) => onFault('the bus is not reachable yet', error));
  ready.catch(() => undefined);
  const reporting = setInterval(() => void tallies.report(Date.now()), config.collectorCountsIntervalMs);

  return {
    url,
    grpcPort: grpc?.port ?? null,
    ready,
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      clearInterval(reporting);
      partitions.close();
      await Promise.all([closeServer(app), grpc?.close()]);
      await proxy?.close();
      await publisher.close();
      await tallies.report(Date.now());
      await view?.close();
      await policies?.close();
      await bus.close();
    },
  };
}

/** The observing proxy on the same port; its events go the way of all others, and are counted as those of a collector of its own. */
function proxyOf(
  { proxyProviders: providers }: Config,
  app: FastifyInstance,
  { publisher, tallies, metrics, now }: ServerOptions,
  rest: Pick<Parameters<typeof registerProxy>[1], 'allowlist' | 'policy' | 'isRegistryKnown' | 'onFault'>,
): Proxy | null {
  if (providers.size === 0) return null;
  return registerProxy(app, {
    ...rest,
    providers,
    now,
    onExchange: ({ provider, status, refused }) => {
      metrics.proxied.inc({ provider, result: refused ?? (status === 0 ? 'left' : `${Math.floor(status / 100)}xx`) });
    },
    async publish(events) {
      await publisher.publish(events);
      const latest = Math.max(...events.map((event) => event.received_at));
      tallies.add(PROXY_COLLECTOR, { accepted: events.length, rejected: 0, ignored: 0, redacted: 0 }, latest);
    },
  });
}

/**
 * Starts OTLP over gRPC beside HTTP. Where another program has the usual port and nobody asked for it, ingest does without and says so.
 * @throws Error naming the setting when the port that was asked for cannot be had
 */
async function listenForGrpc(
  { host, grpcPort, grpcIsOptional }: Config,
  options: ServerOptions,
  onFault: (what: string, error: unknown) => void,
): Promise<{ port: number; close(): Promise<void> } | null> {
  if (grpcPort === null) return null;
  const server = createGrpcServer(options);
  try {
    return { port: await server.listen(host, grpcPort), close: () => server.close() };
  } catch (error) {
    if (!grpcIsOptional) {
      const message = `OTLP over gRPC cannot listen on port ${grpcPort}: set INGEST_GRPC_PORT to another one, or to off.`;
      throw new Error(message, { cause: error });
    }
    onFault(`OTLP over gRPC is not taken: port ${grpcPort} cannot be had. INGEST_GRPC_PORT names another`, error);
    return null;
  }
}

/** Waits for requests under way; a connection that is kept alive is closed as soon as it has nothing under way. */
async function closeServer(app: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 50);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
  }
}

function openSpoolOf(config: Config, directory: string, log: Logger): Promise<Spool> {
  return openSpool({
    directory,
    bytesMax: config.spoolBytesMax,
    onDamage: (message) => log.warn({ spool: directory }, message),
  });
}

/** Tries until it works or the signal ends it. */
async function retry(
  attempt: () => Promise<void>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  for (let pauseMs = CONNECT_PAUSE_MIN_MS; ; pauseMs = Math.min(pauseMs * 2, CONNECT_PAUSE_MAX_MS)) {
    if (signal.aborted) throw new Error('stopped before the bus was reached');
    try {
      await attempt();
      return;
    } catch (error) {
      onError(error);
    }
    // The only way for it to fail is that stopping cuts it short.
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
