import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type StartOptions = {
  /** Data directory. */
  path: string;
  /** 0, the default, takes a free port. */
  port?: number;
  host?: string;
  database?: string;
  /** Random when left out. */
  password?: string;
  analystPassword?: string;
  /** More of the process's configuration, by environment variable. */
  env?: Readonly<Record<string, string>>;
  /** How long the engine may take to be ready. Default 60 s: a cold start reads 550 MB from disk. */
  readyTimeoutMs?: number;
};

export type EmbeddedClickHouse = {
  url: string;
  database: string;
  user: 'default';
  password: string;
  analystPassword: string;
  pid: number;
  /** Resolves with the exit code, or with null after a signal, whenever the process ends. */
  exited: Promise<number | null>;
  /** SIGTERM, and waits for the end. Resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
};

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/**
 * Starts an embedded ClickHouse as a child process and waits until it answers. The child ends with this process.
 * Throws with what the child said when it does not come up.
 */
export async function startEmbeddedClickHouse(options: StartOptions): Promise<EmbeddedClickHouse> {
  const database = options.database ?? 'lanewatch';
  const password = options.password ?? randomBytes(18).toString('base64url');
  const analystPassword = options.analystPassword ?? randomBytes(18).toString('base64url');
  const child = spawn(process.execPath, [MAIN, '--follow-stdin'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      CLICKHOUSE_HOST: options.host ?? '127.0.0.1',
      CLICKHOUSE_PORT: String(options.port ?? 0),
      CLICKHOUSE_PATH: options.path,
      CLICKHOUSE_DATABASE: database,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_ANALYST_PASSWORD: analystPassword,
      ...options.env,
    },
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  // Writing to a child that has just died is no error of ours.
  child.stdin.on('error', () => undefined);
  await once(child, 'spawn');

  const lines = createInterface({ input: child.stdout });
  const listening = (async () => {
    for await (const line of lines) return (JSON.parse(line) as { listening: string }).listening;
    return undefined;
  })();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => {
      resolve('timeout');
    }, options.readyTimeoutMs ?? 60_000);
  });
  const url = await Promise.race([listening, timeout]);
  clearTimeout(timer);
  if (url === 'timeout') child.kill('SIGKILL');
  if (url === undefined || url === 'timeout') {
    await exited;
    throw new Error(
      `The embedded ClickHouse did not start: ${said.trim() || String(url ?? 'it ended without a word')}`,
    );
  }
  child.stdout.resume();
  return {
    url,
    database,
    user: 'default',
    password,
    analystPassword,
    pid: child.pid!,
    exited,
    async stop() {
      child.kill('SIGTERM');
      return await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
