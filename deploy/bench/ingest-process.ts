import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  credentialRecordKey,
  fingerprintOf,
  hintOf,
  openBus,
  topicsOf,
  USAGE_PARTITIONS_DEFAULT,
  type CredentialRecord,
} from '@lanewatch/ingest/contract';
import { freePort } from '../kafka/start-kafka.ts';
import type { BenchContext } from './bench.ts';
import { endProcess, untilItAnswers } from './processes.ts';

const INGEST_MAIN = fileURLToPath(new URL('../../ingest/src/main.ts', import.meta.url));
const START_DEADLINE_MS = 30_000;

export interface IngestProcess {
  url: string;
  collectorKey: string;
}

/** Starts ingest as its own process on Kafka until the bench ends, with a collector key registered the way the registry does it. */
export async function startIngestProcess(
  context: BenchContext,
  brokers: string,
  topicPrefix: string,
  settings: Record<string, string> = {},
): Promise<IngestProcess> {
  const home = context.temporaryDirectory();
  const collectorKey = 'lw_dev_benchmarkbenchmarkbenchmarkbench_000000';
  await registerCollector(brokers, topicPrefix, collectorKey);
  const port = await freePort();
  const child = spawn(process.execPath, [INGEST_MAIN], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      BUS_URL: `kafka://${brokers}`,
      TOPIC_PREFIX: topicPrefix,
      INGEST_PORT: String(port),
      INGEST_GRPC_PORT: 'off',
      LANEWATCH_HOME: home,
      SPOOL_DIR: `${home}/spool`,
      LOG_LEVEL: 'warn',
      ...settings,
    },
  });
  context.atEnd(() => endProcess(child));
  const url = `http://127.0.0.1:${port}`;
  await untilItAnswers(child, { name: 'ingest', url: `${url}/readyz`, deadlineMs: START_DEADLINE_MS });
  return { url, collectorKey };
}

async function registerCollector(brokers: string, topicPrefix: string, secret: string): Promise<void> {
  const record: Partial<CredentialRecord> = {
    id: 'cred_bench',
    fingerprint: fingerprintOf(secret),
    hint: hintOf(secret),
    name: 'benchmark collector',
    kind: 'managed',
    scopes: [{ action: 'write', resource: 'usage-events' }],
    status: 'active',
    created_at: new Date().toISOString(),
    version: 1,
  };
  const topics = topicsOf(topicPrefix, USAGE_PARTITIONS_DEFAULT);
  const bus = await openBus(`kafka://${brokers}`);
  await bus.ensureTopics(Object.values(topics));
  const key = credentialRecordKey({ fingerprint: fingerprintOf(secret), hint: '', org: '' });
  await bus.publish(topics.credentials.name, [{ key, value: Buffer.from(JSON.stringify(record)) }]);
  await bus.close();
}
