import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';

/** Longest a read may take before the reader is told to narrow it. */
const READ_TIMEOUT_MS = 30_000;
/** For reads that others do not have to wait for: probes, and the registry, which lives without the ledger. */
export const BRIEFLY = { patienceMs: 3_000 };

/**
 * Answers of the engine that are no fault of the query: database or table not there yet (the detector prepares them), time,
 * memory or queries used up.
 */
const TEMPORARY_CODES = new Set(['60', '81', '159', '202', '241', '439']);

/** ClickHouse did not answer, could not be reached, or can't answer now. */
export class StoreUnavailableError extends Error {
  readonly canRetry = true;
  constructor(cause: unknown) {
    super('The ledger does not answer.', { cause });
    this.name = 'StoreUnavailableError';
  }
}

/** Read access to the ledger. Values only ever travel as parameters, never inside the SQL text. */
export interface ClickHouse {
  /** Name of the ledger's database, a checked identifier. */
  readonly database: string;
  /**
   * All rows of a query. Names in the SQL are ours; `{name:Type}` places are filled from `parameters`.
   * @param options.patienceMs how long the answer is worth waiting for, where it is less than what any read may take
   */
  rows<Row>(sql: string, parameters?: Record<string, unknown>, options?: { patienceMs: number }): Promise<Row[]>;
  /** Hands rows over as they arrive, for results that should not be held at once. */
  stream<Row>(sql: string, parameters: Record<string, unknown>, onRow: (row: Row) => void): Promise<void>;
  close(): Promise<void>;
}

interface Connection {
  url: string;
  user: string;
  password: string;
  database: string;
}

/** Opens the connection; nothing is sent before the first query. */
export function openClickHouse(connection: Connection): ClickHouse {
  const client = createClient({
    url: connection.url,
    username: connection.user,
    password: connection.password,
    request_timeout: READ_TIMEOUT_MS,
    application: 'lanewatch-query-api',
    max_open_connections: 10,
    // Its faults come to us as errors; its own log would go past ours, to the console.
    log: { level: ClickHouseLogLevel.OFF },
  });
  return {
    database: connection.database,
    rows: (sql, parameters = {}, options) =>
      withFaults(() => readAll(client, sql, parameters, options?.patienceMs ?? READ_TIMEOUT_MS)),
    stream: (sql, parameters, onRow) => withFaults(() => readEach(client, sql, parameters, onRow)),
    close: () => client.close(),
  };
}

async function readAll<Row>(
  client: ClickHouseClient,
  sql: string,
  parameters: Record<string, unknown>,
  patienceMs: number,
): Promise<Row[]> {
  const result = await client.query({
    query: sql,
    query_params: parameters,
    format: 'JSONEachRow',
    abort_signal: AbortSignal.timeout(patienceMs),
  });
  return result.json<Row>();
}

async function readEach<Row>(
  client: ClickHouseClient,
  sql: string,
  parameters: Record<string, unknown>,
  onRow: (row: Row) => void,
): Promise<void> {
  const result = await client.query({ query: sql, query_params: parameters, format: 'JSONEachRow' });
  for await (const rows of result.stream<Row>()) for (const row of rows) onRow(row.json<Row>());
}

/** An answer of the engine is our mistake and stays a fault; no answer is an outage the reader can wait out. */
async function withFaults<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ClickHouseError && !TEMPORARY_CODES.has(error.code)) throw error;
    throw new StoreUnavailableError(error);
  }
}
