import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { insertMirrored, mirroredOf, reloadMirrored, writeProviderTotals } from '@lanewatch/detector/contract';
import type { ProviderTotal } from '@lanewatch/detector/contract';
import type { CredentialRecord } from '@lanewatch/ingest/contract';

/** Longest that an answer is waited for. */
const READ_TIMEOUT_MS = 30_000;
/** The engine gives up so much sooner, which lets it say that the read was too much for it. */
const ENGINE_LEAD_MS = 1_000;
/** For reads that others do not have to wait for: probes, and the registry, which lives without the ledger. */
export const BRIEFLY = { patienceMs: 3_000 };

/**
 * Answers of the engine that are no fault of the query: database or table not there yet (the detector prepares them), queries or
 * threads used up.
 */
const TEMPORARY_CODES = new Set(['60', '81', '202', '439']);
/** The read was more than it may be: rows (158), time (159, 160), memory (241), bytes (307). */
const TOO_LARGE_CODES = new Set(['158', '159', '160', '241', '307']);

/** ClickHouse did not answer, could not be reached, or can't answer now. */
export class StoreUnavailableError extends Error {
  readonly canRetry = true;
  constructor(cause: unknown) {
    super('The ledger does not answer.', { cause });
    this.name = 'StoreUnavailableError';
  }
}

/** The engine gave up on a read: it took too much time or memory. Asking again brings the same; asking for less helps. */
export class ReadTooLargeError extends Error {
  readonly canRetry = false;
  constructor(cause: unknown) {
    super('The read takes too much time or memory.', { cause });
    this.name = 'ReadTooLargeError';
  }
}

/** Read access to the ledger, and the registry's copy beside it. Values only ever travel as parameters, never inside the SQL text. */
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
  /**
   * A query whose text names its own FORMAT, as the bytes that the engine writes, for files of any size. It may take as long as an
   * export does.
   */
  download(sql: string, parameters: Record<string, unknown>): AsyncIterable<Buffer>;
  /**
   * Writes registry records into their copy beside the ledger, at most a few thousand at once. What fails is made up for by the
   * detectors, which copy the topic.
   */
  mirror(records: readonly CredentialRecord[]): Promise<void>;
  /** Queries that begin after it see all that {@link mirror} wrote. */
  refreshMirror(): Promise<void>;
  /**
   * Runs an INSERT whose rows a query of ours brings, and tells how many there were. It may take as long as a read.
   */
  fill(sql: string, parameters: Record<string, unknown>): Promise<number>;
  /** Writes what providers counted of keys, beside the ledger. */
  writeProviderTotals(totals: readonly ProviderTotal[]): Promise<void>;
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
  const common = {
    url: connection.url,
    username: connection.user,
    password: connection.password,
    application: 'lanewatch-query-api',
    // Its faults come to us as errors; its own log would go past ours, to the console.
    log: { level: ClickHouseLogLevel.OFF },
  };
  // Else the engine rewrites `if(ip != '', ip, host) != ''`, does not find it in the roll-up any more, and reads rows.
  const asRolledUp = { optimize_empty_string_comparisons: 0 } as const;
  const client = createClient({
    ...common,
    request_timeout: READ_TIMEOUT_MS,
    // A server goes on with a query that nobody waits for, unless it is one that can only read.
    clickhouse_settings: { readonly: '2', cancel_http_readonly_queries_on_client_close: 1, ...asRolledUp },
    max_open_connections: 10,
  });
  const filler = createClient({
    ...common,
    request_timeout: READ_TIMEOUT_MS,
    clickhouse_settings: { ...limitsOf(READ_TIMEOUT_MS), ...asRolledUp },
    max_open_connections: 2,
  });
  const writer = createClient({
    ...common,
    // Whoever registers a key waits for it, and the registry lives without the ledger.
    request_timeout: BRIEFLY.patienceMs,
    max_open_connections: 1,
  });
  return {
    database: connection.database,
    mirror: (records) => withFaults(() => insertMirrored(writer, connection.database, records.map(mirroredOf))),
    refreshMirror: () => withFaults(() => reloadMirrored(writer, connection.database)),
    fill: (sql, parameters) => withFaults(() => fill(filler, sql, parameters)),
    writeProviderTotals: (totals) => withFaults(() => writeProviderTotals(writer, connection.database, totals)),
    rows: (sql, parameters = {}, options) =>
      withFaults(() => readAll(client, sql, parameters, options?.patienceMs ?? READ_TIMEOUT_MS)),
    stream: (sql, parameters, onRow) => withFaults(() => readEach(client, sql, parameters, onRow)),
    download: (sql, parameters) => readBytes(client, sql, parameters),
    async close() {
      await Promise.all([client.close(), filler.close(), writer.close()]);
    },
  };
}

function limitsOf(patienceMs: number): { max_execution_time: number } {
  return { max_execution_time: (patienceMs - ENGINE_LEAD_MS) / 1000 };
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
    clickhouse_settings: limitsOf(patienceMs),
    abort_signal: AbortSignal.timeout(patienceMs),
  });
  return result.json<Row>();
}

async function fill(client: ClickHouseClient, sql: string, parameters: Record<string, unknown>): Promise<number> {
  const { summary } = await client.command({
    query: sql,
    query_params: parameters,
    // What was written is told whole only at the end.
    clickhouse_settings: { wait_end_of_query: 1 },
  });
  if (summary === undefined) throw new Error('the engine does not say how many rows it wrote');
  return Number(summary.written_rows);
}

async function readEach<Row>(
  client: ClickHouseClient,
  sql: string,
  parameters: Record<string, unknown>,
  onRow: (row: Row) => void,
): Promise<void> {
  const clickhouse_settings = limitsOf(READ_TIMEOUT_MS);
  const result = await client.query({
    query: sql,
    query_params: parameters,
    format: 'JSONEachRow',
    clickhouse_settings,
  });
  for await (const rows of result.stream<Row>()) for (const row of rows) onRow(row.json<Row>());
}

/** Longest that an export may take. */
const DOWNLOAD_TIMEOUT_MS = 15 * 60_000;

async function* readBytes(
  client: ClickHouseClient,
  query: string,
  parameters: Record<string, unknown>,
): AsyncGenerator<Buffer> {
  const clickhouse_settings = limitsOf(DOWNLOAD_TIMEOUT_MS);
  const { stream } = await withFaults(() => client.exec({ query, query_params: parameters, clickhouse_settings }));
  try {
    yield* stream as AsyncIterable<Buffer>;
  } finally {
    stream.destroy();
  }
}

/** An answer of the engine is our mistake and stays a fault, or says that the read was too large; no answer is an outage to wait out. */
async function withFaults<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ClickHouseError && TOO_LARGE_CODES.has(error.code)) throw new ReadTooLargeError(error);
    if (error instanceof ClickHouseError && !TEMPORARY_CODES.has(error.code)) throw error;
    throw new StoreUnavailableError(error);
  }
}
