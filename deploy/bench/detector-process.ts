import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from '../kafka/start-kafka.ts';
import { endProcess } from './processes.ts';

export interface DetectorProcessOptions {
  brokers: string;
  topicPrefix: string;
  group: string;
  clickhouse: { url: string; password: string };
  database: string;
  /** Another entry point than the detector's own, relative to this folder. */
  entry?: string;
  env?: Record<string, string>;
}

export interface DetectorProcess {
  pid: number;
  /** Whether it holds its partitions. */
  isAssigned(): Promise<boolean>;
  stop(): Promise<void>;
}

const DETECTOR_MAIN = '../../detector/src/main.ts';

/** Starts a detector as its own process, as it runs in production. */
export async function startDetectorProcess(options: DetectorProcessOptions): Promise<DetectorProcess> {
  const entry = fileURLToPath(new URL(options.entry ?? DETECTOR_MAIN, import.meta.url));
  const port = await freePort();
  const flags = process.env['BENCH_DETECTOR_FLAGS']?.split(' ') ?? [];
  const child = spawn(process.execPath, [...flags, entry], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      BUS_URL: `kafka://${options.brokers}`,
      TOPIC_PREFIX: options.topicPrefix,
      CONSUMER_GROUP: options.group,
      CLICKHOUSE_URL: options.clickhouse.url,
      CLICKHOUSE_PASSWORD: options.clickhouse.password,
      CLICKHOUSE_DATABASE: options.database,
      DETECTOR_PORT: String(port),
      LOG_LEVEL: 'warn',
      ...options.env,
    },
  });
  return {
    pid: child.pid ?? -1,
    isAssigned: () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    stop: () => endProcess(child),
  };
}
