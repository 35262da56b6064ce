import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import {
  fingerprintOf,
  openBus,
  topicsOf,
  USAGE_PARTITIONS_DEFAULT,
  type Bus,
  type UsageEvent,
} from '@lanewatch/ingest/contract';
import { startEmbeddedClickHouse } from '../embedded/clickhouse/spawn.ts';
import { limitResult, median, requireLoad, type Bench, type BenchResult } from './bench.ts';
import { startDetectorProcess } from './detector-process.ts';
import { fillRegistry, fillTopic } from './fill-topic.ts';
import { startIngestProcess, type IngestProcess } from './ingest-process.ts';
import { throughputUntilVisible } from './visible-rows.ts';
import { registeredKeys, workload } from './workload.ts';

const PREFIX = 'p6-';
const DATABASE = 'p6';
const KEYS = 2_000;
const LIMIT_MS = 1_000;
const PROBES = 150;
const PROBE_INTERVAL_MS = 100;
const TICK_MS = 50;
/** Load before the first probe: the run at full speed leaves merges behind, and the path is measured at half of it, not after it. */
const SETTLE_MS = 5_000;
/** Each look costs the engine some milliseconds of what it has for the load; what is measured may be this much too long. */
const POLL_MS = 50;

/** When a probe was acknowledged, and when its row and its finding were first seen; milliseconds of one clock. */
interface Probe {
  lane: string;
  acceptedMs: number;
  rowMs: number;
  findingMs: number;
}

export const latency: Bench = {
  id: 'P6',
  summary: 'from acceptance to a visible row and a visible finding, under load',
  async run(context) {
    const { brokers } = await context.kafka();
    const engine = await startEmbeddedClickHouse({ path: context.temporaryDirectory() });
    context.atEnd(() => engine.stop());
    const client = createClient({ url: engine.url, username: engine.user, password: engine.password });
    context.atEnd(() => client.close());
    const bus = await openBus(`kafka://${brokers}`);
    context.atEnd(() => bus.close());
    const topics = topicsOf(PREFIX, USAGE_PARTITIONS_DEFAULT);
    await bus.ensureTopics(Object.values(topics));
    await fillRegistry(registeredKeys(KEYS), bus, topics.credentials.name);
    await fill(workload({ events: context.events, keys: KEYS, endMs: Date.now() }), bus, topics.usage.name);
    const ingest = await startIngestProcess(context, brokers, PREFIX);
    // Last: its rate is taken from the moment on at which it has partitions, and it stores from that moment on.
    const detector = await startDetectorProcess({
      brokers,
      topicPrefix: PREFIX,
      group: 'p6',
      clickhouse: engine,
      database: DATABASE,
    });
    context.atEnd(() => detector.stop());
    const fullRate = await throughputUntilVisible(client, `${DATABASE}.ledger`, context.events, detector.isAssigned);
    const eventsPerTick = Math.round((fullRate / 2 / 1000) * TICK_MS);
    const wanted = eventsPerTick * (1000 / TICK_MS);
    context.log(`P6: ${Math.round(fullRate)} events/s at full speed; probing at ${wanted} events/s`);
    const stop = new AbortController();
    const load = keepLoad(bus, topics.usage.name, eventsPerTick, stop.signal);
    await delay(SETTLE_MS);
    const probes = await probe(ingest, client);
    stop.abort();
    const achieved = await load;
    context.log(`P6: the load came to ${Math.round(achieved)} events/s`);
    requireLoad(achieved, wanted);
    const rows = probes.map(({ acceptedMs, rowMs }) => rowMs - acceptedMs);
    const findings = probes.map(({ acceptedMs, findingMs }) => findingMs - acceptedMs);
    const at = `at half of the path's rate (${Math.round(achieved)} events/s)`;
    return [result(`accept → row visible, p99 ${at}`, rows), result(`accept → finding visible, p99 ${at}`, findings)];
  },
};

function result(what: string, figures: number[]): BenchResult {
  const p99 = figures.toSorted((a, b) => a - b)[Math.ceil(figures.length * 0.99) - 1]!;
  const note = `median ${Math.round(median(figures))} ms of ${figures.length} probes`;
  return limitResult({ id: 'P6', what, unit: 'ms', ours: p99, note }, LIMIT_MS, figures);
}

const fill = (events: Iterable<UsageEvent>, bus: Bus, topic: string) =>
  fillTopic(events, { bus, topic, partitions: USAGE_PARTITIONS_DEFAULT, packed: 50 });

/** More than any run of this bench sends. */
const LOAD_EVENTS_MAX = 100_000_000;

/** Puts events on the topic until told to stop. Returns how many a second that came to: a busy machine may not keep up. */
async function keepLoad(bus: Bus, topic: string, eventsPerTick: number, signal: AbortSignal): Promise<number> {
  // One stream for all ticks: making the keys anew for each would cost more than the events.
  const events = workload({ events: LOAD_EVENTS_MAX, keys: KEYS, endMs: Date.now() });
  const startedMs = performance.now();
  let sent = 0;
  for (let dueMs = startedMs; !signal.aborted;) {
    await fill(nextOf(events, eventsPerTick), bus, topic);
    sent += eventsPerTick;
    dueMs += TICK_MS;
    await delay(Math.max(0, dueMs - performance.now()));
  }
  return (sent * 1000) / (performance.now() - startedMs);
}

/**
 * The next events of an endless stream, as of now; `take` would end the stream with them. They have a source of their own, because
 * events that were put there before have the same ids and would be dropped as repeats.
 */
function* nextOf(events: Iterator<UsageEvent, undefined>, count: number): Generator<UsageEvent> {
  const now = Date.now();
  for (let taken = 0; taken < count; taken++) {
    const { value } = events.next();
    if (value === undefined) throw new Error(`The load of this bench ends after ${LOAD_EVENTS_MAX} events.`);
    yield { ...value, source: 'load', time: now, received_at: now };
  }
}

/** Sends events of keys nobody registered, one lane each, and watches for their rows and findings. */
async function probe(ingest: IngestProcess, client: ClickHouseClient): Promise<Probe[]> {
  const probes: Probe[] = [];
  const watching = new AbortController();
  const watched = watch(client, probes, watching.signal);
  for (let number = 0; number < PROBES; number++) {
    const lane = fingerprintOf(`probe ${number} ${Date.now()}`);
    const event = { source: 'probe', id: lane, time: new Date().toISOString(), credential: { fingerprint: lane } };
    const answer = await fetch(`${ingest.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ingest.collectorKey}` },
      body: JSON.stringify(event),
    });
    if (!answer.ok) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`);
    probes.push({ lane, acceptedMs: performance.now(), rowMs: NaN, findingMs: NaN });
    await delay(PROBE_INTERVAL_MS);
  }
  const deadline = performance.now() + 60_000;
  while (probes.some(({ rowMs, findingMs }) => Number.isNaN(rowMs + findingMs)) && performance.now() < deadline)
    await delay(POLL_MS);
  watching.abort();
  await watched;
  return probes.map((done) => ({
    ...done,
    rowMs: Number.isNaN(done.rowMs) ? Infinity : done.rowMs,
    findingMs: Number.isNaN(done.findingMs) ? Infinity : done.findingMs,
  }));
}

async function watch(client: ClickHouseClient, probes: Probe[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await note(client, 'ledger', probes, 'rowMs');
    await note(client, 'findings', probes, 'findingMs');
    await delay(POLL_MS);
  }
}

async function note(
  client: ClickHouseClient,
  table: string,
  probes: Probe[],
  field: 'rowMs' | 'findingMs',
): Promise<void> {
  const missing = new Map(
    probes.filter((waiting) => Number.isNaN(waiting[field])).map((waiting) => [waiting.lane, waiting]),
  );
  if (missing.size === 0) return;
  const found = await client.query({
    query: `SELECT DISTINCT lane FROM ${DATABASE}.${table} WHERE lane IN {lanes:Array(String)}`,
    query_params: { lanes: [...missing.keys()] },
    format: 'JSONEachRow',
  });
  for (const { lane } of await found.json<{ lane: string }>()) missing.get(lane)![field] = performance.now();
}
