import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { openBus, topicsOf, USAGE_PARTITIONS_DEFAULT } from '@lanewatch/ingest/contract';
import { startEmbeddedClickHouse } from '../embedded/clickhouse/spawn.ts';
import { median, throughputResult, type Bench, type BenchContext, type BenchResult } from './bench.ts';
import { startDetectorProcess } from './detector-process.ts';
import { fillRegistry, fillTopic } from './fill-topic.ts';
import { startKafkaEngine } from './kafka-engine.ts';
import { throughputUntilVisible } from './visible-rows.ts';
import { registeredKeys, workload } from './workload.ts';

const KEYS = 2_000;
const PEER_CONSUMERS = [1, 2, 4];

interface Path {
  brokers: string;
  engine: { url: string; password: string };
  client: ClickHouseClient;
}

async function startPath(context: BenchContext): Promise<Path> {
  const kafka = await context.kafka();
  const engine = await startEmbeddedClickHouse({ path: context.temporaryDirectory() });
  context.atEnd(() => engine.stop());
  const client = createClient({ url: engine.url, username: engine.user, password: engine.password });
  context.atEnd(() => client.close());
  return { brokers: kafka.brokers, engine, client };
}

async function filledTopic(context: BenchContext, { brokers }: Path, prefix: string, packed: number): Promise<void> {
  const bus = await openBus(`kafka://${brokers}`);
  try {
    const topics = topicsOf(prefix, USAGE_PARTITIONS_DEFAULT);
    await bus.ensureTopics(Object.values(topics));
    context.log(`filling ${topics.usage.name} with ${context.events} events, ${packed} per record`);
    await fillRegistry(registeredKeys(KEYS), bus, topics.credentials.name);
    const events = workload({ events: context.events, keys: KEYS, endMs: Date.now() });
    await fillTopic(events, { bus, topic: topics.usage.name, partitions: USAGE_PARTITIONS_DEFAULT, packed });
  } finally {
    await bus.close();
  }
}

/** One run of a detector over the whole topic into a database of its own. */
async function detectorRun(
  context: BenchContext,
  path: Path,
  prefix: string,
  name: string,
  entry?: string,
): Promise<number> {
  const database = `ours_${name}`;
  const detector = await startDetectorProcess({
    brokers: path.brokers,
    topicPrefix: prefix,
    group: database,
    clickhouse: path.engine,
    database,
    ...(entry === undefined ? {} : { entry }),
  });
  context.atEnd(() => detector.stop());
  try {
    return await throughputUntilVisible(path.client, `${database}.ledger`, context.events, detector.isAssigned);
  } finally {
    await detector.stop();
    await path.client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
  }
}

async function kafkaEngineRun(
  context: BenchContext,
  path: Path,
  topic: string,
  name: string,
  consumers: number,
): Promise<number> {
  const peer = await startKafkaEngine({
    client: path.client,
    database: `peer_${name}`,
    brokers: path.brokers,
    topic,
    group: `peer_${name}`,
    consumers,
    partitions: USAGE_PARTITIONS_DEFAULT,
  });
  try {
    return await throughputUntilVisible(path.client, peer.table, context.events, peer.isAssigned);
  } finally {
    await peer.stop();
  }
}

async function pathBench(context: BenchContext, id: string, packed: number, floor: number): Promise<BenchResult[]> {
  const path = await startPath(context);
  const prefix = `${id.toLowerCase()}-`;
  await filledTopic(context, path, prefix, packed);
  const topic = topicsOf(prefix, USAGE_PARTITIONS_DEFAULT).usage.name;
  const ours: number[] = [];
  const peers = new Map<number, number[]>(PEER_CONSUMERS.map((consumers) => [consumers, []]));
  for (let run = 0; run < context.runs; run++) {
    ours.push(await detectorRun(context, path, prefix, `${id}_${run}`));
    context.log(`${id} run ${run + 1}: ours ${Math.round(ours.at(-1)!)} events/s`);
    for (const consumers of PEER_CONSUMERS) {
      const figure = await kafkaEngineRun(context, path, topic, `${id}_${run}_${consumers}`, consumers);
      peers.get(consumers)!.push(figure);
      context.log(`${id} run ${run + 1}: Kafka engine with ${consumers} consumer(s) ${Math.round(figure)} events/s`);
    }
  }
  const [consumers, best] = [...peers].reduce((a, b) => (median(b[1]) > median(a[1]) ? b : a));
  const what = `${context.events} events, ${packed === 1 ? 'one' : packed} per record, on Kafka → visible in the ledger, detection and exactly-once on`;
  const against = `ClickHouse's Kafka engine, best of ${PEER_CONSUMERS.join('/')} consumers (${consumers}), no detection`;
  return [throughputResult({ id, what, against, floor }, ours, best)];
}

export const path: Bench = {
  id: 'P1',
  summary: 'bus to ledger, one event per record',
  run: (context) => pathBench(context, 'P1', 1, 1),
};

export const packedPath: Bench = {
  id: 'P1p',
  summary: 'bus to ledger, events packed',
  run: (context) => pathBench(context, 'P1p', 50, 0.5),
};

/** The detector as it is against one that does less, over the same topic in turns. */
async function againstLess(
  context: BenchContext,
  id: string,
  packed: number,
  lessEntry: string,
): Promise<[ours: number[], less: number[]]> {
  const path = await startPath(context);
  const prefix = `${id.toLowerCase()}-`;
  await filledTopic(context, path, prefix, packed);
  const ours: number[] = [];
  const less: number[] = [];
  for (let run = 0; run < context.runs; run++) {
    ours.push(await detectorRun(context, path, prefix, `${id}_all_${run}`));
    less.push(await detectorRun(context, path, prefix, `${id}_less_${run}`, lessEntry));
    context.log(`${id} run ${run + 1}: ${Math.round(ours.at(-1)!)}, with less ${Math.round(less.at(-1)!)} events/s`);
  }
  return [ours, less];
}

export const detection: Bench = {
  id: 'P2',
  summary: 'what rules and lane state cost',
  async run(context) {
    const [ours, less] = await againstLess(context, 'P2', 50, './detector-without-rules.ts');
    const against = 'the same without rules and lane state';
    return [throughputResult({ id: 'P2', what: 'detector with rules, packed', against, floor: 0.75 }, ours, less)];
  },
};

export const allRules: Bench = {
  id: 'D4',
  summary: 'what all rules cost beside the first four',
  async run(context) {
    const [ours, less] = await againstLess(context, 'D4', 1, './detector-with-four-rules.ts');
    const what = 'bus to ledger with all rules, one event per record';
    const against = 'the same with R01, R02, R03 and R05 alone';
    return [throughputResult({ id: 'D4', what, against, floor: 0.8 }, ours, less)];
  },
};
