import { availableParallelism } from 'node:os';
import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

const number = (least: number, most: number, otherwise: number): z.ZodType<number> =>
  z.coerce.number().int().min(least).max(most).default(otherwise);

/**
 * What the analyst's queries get of a machine: together no more threads than it has cores, so that whatever they do, a thread that writes
 * the ledger or reads a page has at least half of a core of its own. Two at a time, so that a long one keeps nobody waiting. Pure.
 */
export function analystShare(cores: number): { queries: number; threads: number } {
  const queries = Math.max(2, Math.floor(cores / 2));
  return { queries, threads: Math.max(1, Math.floor(cores / queries)) };
}
const SHARE = analystShare(availableParallelism());

const schema = z.object({
  CLICKHOUSE_HOST: z.string().min(1).default('127.0.0.1'),
  CLICKHOUSE_PORT: number(0, 65_535, 4623),
  CLICKHOUSE_PATH: z.string().min(1).default('./.lanewatch/clickhouse'),
  CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and underscores')
    .default('lanewatch'),
  CLICKHOUSE_PASSWORD: z.string().default(''),
  CLICKHOUSE_ANALYST_PASSWORD: z.string().default(''),
  CLICKHOUSE_CONCURRENT_QUERIES: number(2, 256, 16),
  CLICKHOUSE_QUEUED_QUERIES: number(0, 10_000, 100),
  CLICKHOUSE_BODY_BYTES_MAX: number(1024, 64 * 1024 * MEBIBYTE, 256 * MEBIBYTE),
  CLICKHOUSE_SPOOL_BYTES_MAX: number(1024, 64 * 1024 * MEBIBYTE, 1024 * MEBIBYTE),
  CLICKHOUSE_SEND_TIMEOUT_MS: number(1, 3_600_000, 30_000),
  CLICKHOUSE_SHUTDOWN_TIMEOUT_MS: number(0, 600_000, 10_000),
  CLICKHOUSE_ANALYST_EXECUTION_SECONDS_MAX: number(1, 3600, 30),
  CLICKHOUSE_ANALYST_MEMORY_BYTES_MAX: number(MEBIBYTE, 1024 * 1024 * MEBIBYTE, 1024 * MEBIBYTE),
  CLICKHOUSE_ANALYST_RESULT_BYTES_MAX: number(1024, 1e12, 256 * MEBIBYTE),
  CLICKHOUSE_ANALYST_CONCURRENT_QUERIES: number(1, 256, SHARE.queries),
  CLICKHOUSE_ANALYST_THREADS_MAX: number(1, 256, SHARE.threads),
});

export type Config = {
  host: string;
  port: number;
  /** Data directory; created when missing, one process at a time. */
  path: string;
  /** Where a request without a database lands. */
  database: string;
  /** Password of `default`. Empty means none is asked for, which is only allowed on loopback. */
  password: string;
  /** Password of `analyst`. Empty means that user does not exist. */
  analystPassword: string;
  concurrentQueries: number;
  queuedQueries: number;
  bodyBytesMax: number;
  /** All request bodies that wait in temporary files at one time, together. */
  spoolBytesMax: number;
  /** How long a client may take nothing of its answer before its connection is ended; a server's `http_send_timeout`. */
  sendTimeoutMs: number;
  shutdownTimeoutMs: number;
  analyst: AnalystLimits;
};

export type AnalystLimits = {
  executionSecondsMax: number;
  memoryBytesMax: number;
  resultBytesMax: number;
  /** Queries that run at one time, and threads of each. */
  queriesMax: number;
  threadsMax: number;
};

export class ConfigError extends Error {}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * Reads the configuration from the environment. Throws one ConfigError that names every problem.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`The configuration has ${String(problems.length)} problem(s):\n${problems.join('\n')}`);
  }
  const value = parsed.data;
  if (value.CLICKHOUSE_PASSWORD === '' && !LOOPBACK.test(value.CLICKHOUSE_HOST)) {
    throw new ConfigError(
      `The configuration has 1 problem(s):\n  CLICKHOUSE_PASSWORD: must be set when CLICKHOUSE_HOST is not a loopback address`,
    );
  }
  return {
    host: value.CLICKHOUSE_HOST,
    port: value.CLICKHOUSE_PORT,
    path: value.CLICKHOUSE_PATH,
    database: value.CLICKHOUSE_DATABASE,
    password: value.CLICKHOUSE_PASSWORD,
    analystPassword: value.CLICKHOUSE_ANALYST_PASSWORD,
    concurrentQueries: value.CLICKHOUSE_CONCURRENT_QUERIES,
    queuedQueries: value.CLICKHOUSE_QUEUED_QUERIES,
    bodyBytesMax: value.CLICKHOUSE_BODY_BYTES_MAX,
    spoolBytesMax: value.CLICKHOUSE_SPOOL_BYTES_MAX,
    sendTimeoutMs: value.CLICKHOUSE_SEND_TIMEOUT_MS,
    shutdownTimeoutMs: value.CLICKHOUSE_SHUTDOWN_TIMEOUT_MS,
    analyst: {
      executionSecondsMax: value.CLICKHOUSE_ANALYST_EXECUTION_SECONDS_MAX,
      memoryBytesMax: value.CLICKHOUSE_ANALYST_MEMORY_BYTES_MAX,
      resultBytesMax: value.CLICKHOUSE_ANALYST_RESULT_BYTES_MAX,
      queriesMax: value.CLICKHOUSE_ANALYST_CONCURRENT_QUERIES,
      threadsMax: value.CLICKHOUSE_ANALYST_THREADS_MAX,
    },
  };
}

export const CONFIG_HELP = `Embedded ClickHouse: chDB behind ClickHouse's HTTP interface.

Usage: node deploy/embedded/clickhouse/main.ts [--check-config] [--follow-stdin] [--help]

  --check-config   say whether the configuration is valid, and stop
  --follow-stdin   stop when standard input closes, as it does when the starting process dies

Environment:
  CLICKHOUSE_HOST                            address to listen on (127.0.0.1)
  CLICKHOUSE_PORT                            port; 0 takes a free one, printed on stdout (4623)
  CLICKHOUSE_PATH                            data directory (./.lanewatch/clickhouse)
  CLICKHOUSE_DATABASE                        database of requests that name none (lanewatch)
  CLICKHOUSE_PASSWORD                        password of user "default" (none)
  CLICKHOUSE_ANALYST_PASSWORD                password of the read-only user "analyst" (the user is off)
  CLICKHOUSE_CONCURRENT_QUERIES              queries that run at one time (16)
  CLICKHOUSE_QUEUED_QUERIES                  queries that may wait for their turn (100)
  CLICKHOUSE_BODY_BYTES_MAX                  largest request body, unpacked (256 MiB)
  CLICKHOUSE_SPOOL_BYTES_MAX                 all request bodies in temporary files together (1 GiB)
  CLICKHOUSE_SEND_TIMEOUT_MS                 how long a client may take nothing of its answer (30000)
  CLICKHOUSE_SHUTDOWN_TIMEOUT_MS             how long running queries may go on after SIGTERM (10000)
  CLICKHOUSE_ANALYST_EXECUTION_SECONDS_MAX   limits of user "analyst" per query (30)
  CLICKHOUSE_ANALYST_MEMORY_BYTES_MAX        (1 GiB)
  CLICKHOUSE_ANALYST_RESULT_BYTES_MAX        (256 MiB)
  CLICKHOUSE_ANALYST_CONCURRENT_QUERIES      of its queries, those that run at one time (${SHARE.queries} by this machine's cores)
  CLICKHOUSE_ANALYST_THREADS_MAX             threads of each (${SHARE.threads}; together no more than there are cores)
`;
