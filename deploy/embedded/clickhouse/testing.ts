import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { afterEach, beforeEach } from 'vitest';

import { startEmbeddedClickHouse } from './spawn.ts';
import type { EmbeddedClickHouse, StartOptions } from './spawn.ts';

/** Keeps one core busy for minutes, and can be stopped at any block. */
export const LONG_QUERY = 'SELECT max(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_threads = 1';

/** Asks until the answer is the wanted one; throws with the last answer when it does not come in time. */
export async function until<T>(
  ask: () => Promise<T> | T,
  wanted: (answer: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`not in time; the last answer was ${JSON.stringify(answer)}`);
    await delay(20);
  }
}

/** A client of an engine, as one of its two users. */
export const connectTo = (
  engine: EmbeddedClickHouse,
  user: 'default' | 'analyst' = 'default',
  options: object = {},
): ClickHouseClient =>
  createClient({
    url: engine.url,
    username: user,
    password: user === 'default' ? engine.password : engine.analystPassword,
    log: { level: ClickHouseLogLevel.OFF },
    max_open_connections: 40,
    ...options,
  });

/** The rows that a query answers. */
export async function ask<T>(client: ClickHouseClient, query: string, settings: ClickHouseSettings = {}): Promise<T[]> {
  return await (await client.query({ query, format: 'JSONEachRow', clickhouse_settings: settings })).json<T>();
}

/** The code of the error that something ends with, or what it came to instead. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    (answer) => `no error, but ${JSON.stringify(answer)}`,
    (error: unknown) => (error instanceof ClickHouseError ? error.code : String(error)),
  );
}

/** Sends a query and never reads the answer, but keeps the connection. */
export function askAndNeverRead(engine: EmbeddedClickHouse, user: 'default' | 'analyst', query: string): Socket {
  const { hostname, port } = new URL(engine.url);
  const password = user === 'default' ? engine.password : engine.analystPassword;
  const headers = ['Host: x', `X-ClickHouse-User: ${user}`, `X-ClickHouse-Key: ${password}`];
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(`GET /?query=${encodeURIComponent(query)} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
  return socket;
}

/** Gives each test of a file a data directory of its own; the engines that it starts there end with it. */
export function useEngines(): {
  readonly directory: string;
  start(options?: Partial<StartOptions>): Promise<EmbeddedClickHouse>;
} {
  let directory: string;
  const started: EmbeddedClickHouse[] = [];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lanewatch-embedded-'));
  });
  afterEach(async () => {
    for (const engine of started.splice(0)) await engine.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    get directory() {
      return directory;
    },
    async start(options = {}) {
      const engine = await startEmbeddedClickHouse({ path: directory, ...options });
      started.push(engine);
      return engine;
    },
  };
}
