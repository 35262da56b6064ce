import { watch } from 'node:fs';
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
  /** Kills it as soon as a part of the ledger is begun, or when the signal fires. Resolves with whether it was that. */
  killWhileItWrites(signal: AbortSignal): Promise<boolean>;
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
    async killWhileItWrites(signal) {
      const wasWriting = await partIsBegun(await ledgerDirectory(client), signal);
      await running.kill();
      return wasWriting;
    },
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

async function ledgerDirectory(client: ClickHouseClient): Promise<string> {
  const answer = await client.query({
    query: `SELECT data_paths[1] FROM system.tables WHERE database = '${DATABASE}' AND name = 'ledger'`,
    format: 'JSONCompactEachRow',
  });
  const [row] = await answer.json<[string]>();
  return row![0];
}

/** A part is written in a directory of this name and renamed when it is whole. */
const UNFINISHED_PART = 'tmp_insert_';

/** Resolves the moment an insert into the table at this directory begins its part (true), or when the signal fires (false). */
function partIsBegun(directory: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const watcher = watch(directory, (_event, name) => {
      if (name?.startsWith(UNFINISHED_PART)) end(true);
    });
    watcher.once('error', reject);
    signal.addEventListener('abort', () => end(false), { once: true });
    function end(isBegun: boolean): void {
      watcher.close();
      resolve(isBegun);
    }
  });
}
