import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentialRecordKey, openBus, topicsOf, type Bus, type Topics } from '@lanewatch/ingest/contract';
import { freePort } from '../../kafka/start-kafka.ts';
import type { Registry } from '../workload/lanes.ts';
import { startBroker, type Broker, type BusKind } from './broker.ts';
import { DATABASE, startEngine, type Engine } from './engine.ts';
import { startEngineProxy, type EngineProxy } from './engine-proxy.ts';
import { createLedgerView, type LedgerView } from './ledger-view.ts';
import { answersOk, createService, type Service } from './service.ts';

/** A detector behind its own proxy, so that the network can fail for one and not for the other. */
export interface DetectorService extends Service {
  readonly proxy: EngineProxy;
}

/** Everything between the collectors and the ledger, as processes of their own. */
export interface System {
  readonly broker: Broker;
  readonly engine: Engine;
  readonly ingest: Service;
  readonly detectors: readonly DetectorService[];
  readonly ledger: LedgerView;
  /** The caller's own access to the bus, for what goes past ingest. */
  readonly bus: Bus;
  readonly topics: Topics;
  readonly ingestUrl: string;
  readonly group: string;
  stop(): Promise<void>;
}

export interface SystemOptions {
  bus: BusKind;
  /** How many brokers, of Kafka's. */
  brokers: number;
  directory: string;
  registry: Registry;
  detectors: number;
  /** Entry point of the detectors: the real one, or a mutant. */
  detectorEntry: string;
}

export const PARTITIONS = 4;
/** Short, so that a lost member is noticed soon; long enough that two busy cores don't lose one by themselves. */
const SESSION_TIMEOUT_MS = 4_000;
const INSERT_TIMEOUT_MS = 2_000;
const GROUP = 'chaos-detector';

const sourceFile = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
export const DETECTOR_ENTRY = sourceFile('detector/src/main.ts');
const INGEST_ENTRY = sourceFile('ingest/src/main.ts');

/** Starts the whole system on an empty directory; resolves when ingest takes events and every detector has partitions. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { directory, registry } = options;
  const logs = path.join(directory, 'logs');
  await mkdir(logs, { recursive: true });
  const topics = topicsOf('', PARTITIONS);
  // Whatever was started is stopped in reverse order, also when the start fails half-way.
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (let end = stops.pop(); end !== undefined; end = stops.pop()) await end();
  };
  try {
    const broker = await startBroker(options.bus, directory, options.brokers);
    stops.push(() => broker.stop());
    const engine = await startEngine(directory);
    stops.push(() => engine.stop());
    const bus = await openBus(broker.url, { clientId: 'chaos' });
    stops.push(() => bus.close());
    await bus.ensureTopics(Object.values(topics));
    await bus.publish(
      topics.credentials.name,
      registry.records.map((record) => ({
        key: credentialRecordKey(record),
        value: Buffer.from(JSON.stringify(record)),
      })),
    );

    const common = { BUS_URL: broker.url, USAGE_PARTITIONS: String(PARTITIONS), LOG_LEVEL: 'info' };
    const ingest = await ingestService(directory, logs, common);
    stops.push(() => ingest.service.kill());
    const detectors: DetectorService[] = [];
    for (let index = 0; index < options.detectors; index++) {
      const proxy = await startEngineProxy(engine.url);
      stops.push(() => proxy.close());
      const detector = await detectorService(`detector-${index}`, options.detectorEntry, logs, proxy, {
        ...common,
        CLICKHOUSE_URL: proxy.url,
        CLICKHOUSE_PASSWORD: engine.password,
      });
      stops.push(() => detector.kill());
      detectors.push(detector);
    }
    ingest.service.start();
    // The first one migrates the database; two at once is the migration's own test.
    for (const detector of detectors) {
      detector.start();
      await detector.ready();
    }
    await ingest.service.ready();
    return {
      broker,
      engine,
      bus,
      topics,
      ingest: ingest.service,
      ingestUrl: ingest.url,
      detectors,
      ledger: createLedgerView(engine.client),
      group: GROUP,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function ingestService(
  directory: string,
  logs: string,
  environment: Record<string, string>,
): Promise<{ service: Service; url: string }> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const service = createService({
    name: 'ingest',
    entry: INGEST_ENTRY,
    logFile: path.join(logs, 'ingest.log'),
    environment: {
      ...environment,
      INGEST_PORT: new URL(url).port,
      SPOOL_DIR: path.join(directory, 'spool'),
      PUBLISH_TIMEOUT_MS: '1500',
    },
    isReady: () => answersOk(`${url}/readyz`),
  });
  return { service, url };
}

async function detectorService(
  name: string,
  entry: string,
  logs: string,
  proxy: EngineProxy,
  environment: Record<string, string>,
): Promise<DetectorService> {
  const port = await freePort();
  const service = createService({
    name,
    entry,
    logFile: path.join(logs, `${name}.log`),
    environment: {
      ...environment,
      INSTANCE: name,
      DETECTOR_PORT: String(port),
      CLICKHOUSE_DATABASE: DATABASE,
      CONSUMER_GROUP: GROUP,
      SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
      INSERT_TIMEOUT_MS: String(INSERT_TIMEOUT_MS),
      LEDGER_FSYNC: 'true',
    },
    isReady: () => answersOk(`http://127.0.0.1:${port}/readyz`),
  });
  // Not a spread: the service's own properties are read when they are asked for.
  return Object.assign(service, { proxy });
}
