import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  encodeUsageRow,
  openBus,
  partitionForKey,
  topicsOf,
  USAGE_PARTITIONS_DEFAULT,
  type UsageEvent,
} from '@lanewatch/ingest/contract';
import { createPublisher } from '../../ingest/src/publish/publisher.ts';
import { kafkaClassPath } from '../kafka/libraries.ts';
import { throughputResult, type Bench } from './bench.ts';
import { fillTopic } from './fill-topic.ts';
import { workload } from './workload.ts';

/** Enough that neither side's compiler warming up is what is measured. */
const EVENTS = 500_000;
/** Different events among them; all would be half a gigabyte that the collector of garbage walks through again and again. */
const DISTINCT_EVENTS = 50_000;
/** Events of one request, as a busy collector sends them. */
const EVENTS_PER_REQUEST = 100;
/** Requests under way at a time. */
const CONCURRENT_REQUESTS = 64;

const execute = promisify(execFile);

/** Events per second through ingest's own publisher, in requests of concurrent collectors. */
async function publisherRun(events: UsageEvent[], brokers: string, topic: string): Promise<number> {
  const bus = await openBus(`kafka://${brokers}`);
  const publisher = createPublisher({
    bus,
    topic,
    partitionOf: (key) => partitionForKey(key, USAGE_PARTITIONS_DEFAULT),
    publishTimeoutMs: 30_000,
    lingerMs: 2,
    spool: null,
    onFault(_what, error) {
      throw error;
    },
  });
  // The first request opens the connections.
  await publisher.publish(events.slice(0, 1));
  const startedMs = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: CONCURRENT_REQUESTS }, async () => {
      while (next < EVENTS) {
        const from = next % events.length;
        next += EVENTS_PER_REQUEST;
        await publisher.publish(events.slice(from, from + EVENTS_PER_REQUEST));
      }
    }),
  );
  const rate = (EVENTS / (performance.now() - startedMs)) * 1000;
  await publisher.close();
  await bus.close();
  return rate;
}

async function onePerRecordRun(events: UsageEvent[], brokers: string, topic: string): Promise<number> {
  const bus = await openBus(`kafka://${brokers}`);
  try {
    await fillTopic(events.slice(0, 1), { bus, topic, partitions: USAGE_PARTITIONS_DEFAULT, packed: 1 });
    return await fillTopic(repeated(events), { bus, topic, partitions: USAGE_PARTITIONS_DEFAULT, packed: 1 });
  } finally {
    await bus.close();
  }
}

/** {@link EVENTS} of them, from the start again and again. */
function* repeated(events: readonly UsageEvent[]): Generator<UsageEvent> {
  for (let sent = 0; sent < EVENTS; sent++) yield events[sent % events.length]!;
}

/** Kafka's own benchmark client: one record per event, of the same mean size, acknowledged by all replicas. */
async function javaRun(recordBytes: number, brokers: string, topic: string, stopped: AbortSignal): Promise<number> {
  const args = ['-cp', await kafkaClassPath(), 'org.apache.kafka.tools.ProducerPerformance'];
  args.push(
    '--topic',
    topic,
    '--num-records',
    String(EVENTS),
    '--record-size',
    String(recordBytes),
    '--throughput',
    '-1',
  );
  args.push('--producer-props', `bootstrap.servers=${brokers}`, 'acks=all', 'batch.size=65536', 'linger.ms=5');
  const { stdout } = await execute('java', args, { maxBuffer: 1 << 24, signal: stopped });
  const rate = /([\d.]+) records\/sec/.exec(stdout.trim().split('\n').at(-1) ?? '')?.[1];
  if (rate === undefined) throw new Error(`ProducerPerformance printed no rate: ${stdout.slice(-300)}`);
  return Number(rate);
}

export const producer: Bench = {
  id: 'P3',
  summary: 'ingest’s producer',
  async run(context) {
    const { brokers } = await context.kafka();
    const events = [...workload({ events: DISTINCT_EVENTS, keys: 2_000, endMs: Date.now() })];
    const recordBytes = Math.round(
      events.slice(0, 1000).reduce((sum, event) => sum + Buffer.byteLength(encodeUsageRow(event)), 0) / 1000,
    );
    const topic = topicsOf('p3-', USAGE_PARTITIONS_DEFAULT).usage;
    const bus = await openBus(`kafka://${brokers}`);
    await bus.ensureTopics([topic]);
    await bus.close();
    const ours: number[] = [];
    const single: number[] = [];
    const java: number[] = [];
    // The first round warms up the broker, which all sides share, and is not counted.
    for (let run = 0; run <= context.runs; run++) {
      ours.push(await publisherRun(events, brokers, topic.name));
      single.push(await onePerRecordRun(events, brokers, topic.name));
      java.push(await javaRun(recordBytes, brokers, topic.name, context.stopped));
      context.log(
        `P3 ${run === 0 ? 'warm-up' : `run ${run}`}: packed ${Math.round(ours.at(-1)!)}, one per record ${Math.round(single.at(-1)!)}, Java ${Math.round(java.at(-1)!)} events/s`,
      );
    }
    for (const figures of [ours, single, java]) figures.shift();
    const what = `ingest's publisher, packed, acks=all, ${recordBytes}-byte events`;
    return [
      throughputResult({ id: 'P3', what, against: 'the same client, one event per record', floor: 2 }, ours, single),
      throughputResult(
        { id: 'P3', what, against: 'Java ProducerPerformance, one event per record', floor: 0.8 },
        ours,
        java,
      ),
    ];
  },
};
