import path from 'node:path';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { startEmbeddedClickHouse, type EmbeddedClickHouse } from '../../embedded/clickhouse/spawn.ts';

export const DATABASE = 'lanewatch';

/** The ClickHouse engine under test and a client that goes around the proxies. */
export interface Engine {
  readonly url: string;
  readonly password: string;
  readonly client: ClickHouseClient;
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startEngine(directory: string): Promise<Engine> {
  const data = path.join(directory, 'clickhouse');
  let running: EmbeddedClickHouse = await startEmbeddedClickHouse({ path: data, database: DATABASE });
  const { url, password } = running;
  const client = createClient({
    url,
    username: 'default',
    password,
    database: DATABASE,
    request_timeout: 60_000,
    // Questions go unanswered whenever the engine is down, which is the point of the exercise.
    log: { level: ClickHouseLogLevel.OFF },
  });
  return {
    url,
    password,
    client,
    kill: () => running.kill(),
    async restart() {
      const port = Number(new URL(url).port);
      running = await startEmbeddedClickHouse({ path: data, database: DATABASE, port, password });
    },
    async stop() {
      await client.close();
      await running.kill();
    },
  };
}
