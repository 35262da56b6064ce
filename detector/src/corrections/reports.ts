import type { ClickHouseClient } from '@clickhouse/client';
import { USAGE_COLUMNS } from '@lanewatch/ingest/contract';
import { LEDGER_TABLE } from '../../contract/index.ts';
import type { Report } from './correction.ts';
import { piecesOf } from './pieces.ts';
import { APART_MS_MAX } from './same-request.ts';

/** What the reconciler reads of the ledger. */
export interface ReportReader {
  /**
   * Rows that may be of a request with several reports: those stored in a stretch of time (epoch milliseconds, the end included) and what
   * lies around them, corrections included; nothing where one reporter alone is at work. One piece after the other of the time in which
   * they were seen, so that a report that comes a day late has no day held for it.
   * @throws what the engine says, and Error when those of ten minutes are too many to hold
   */
  around(fromMs: number, toMs: number): AsyncIterable<Report[]>;
}

/** Of reports that come later than this only what still lies in the window of known identities is looked for. */
const LATE_MS_MAX = 24 * 3_600_000;
const ROWS_MAX = 200_000;

const TOKENS = ['tokens_input_uncached', 'tokens_cache_read', 'tokens_cache_write', 'tokens_output'];
const INSTANTS = ['time', 'received_at', 'seen_at'];
const COLUMNS = [...USAGE_COLUMNS, 'seen_at', 'calls', 'joins', 'standing', 'match', 'credential_id'] as const;
const SELECT_SQL = COLUMNS.map((name) => {
  if (name === 'cost_nano_usd') return `toString(toInt128(cost_usd * 1000000000))`;
  if (INSTANTS.includes(name)) return `toUnixTimestamp64Milli(${name})`;
  return TOKENS.includes(name) ? `toInt64(${name})` : `\`${name}\``;
}).join(', ');

/** Requests pass several proxies, and stand in several logs of their provider; the others report them once. */
const REPORTER = `if(reporter IN ('proxy', 'import'), source, toString(reporter))`;

/**
 * @param database the ledger's
 * @param rowsMax rows that are held at once
 */
export function createReportReader(client: ClickHouseClient, database: string, rowsMax = ROWS_MAX): ReportReader {
  const ledger = `${database}.${LEDGER_TABLE}`;

  async function rowsOf<Row>(query: string, query_params: Record<string, unknown>): Promise<Row[]> {
    const answer = await client.query({
      query,
      query_params,
      format: 'JSONCompactEachRow',
      clickhouse_settings: {
        output_format_json_quote_64bit_integers: 0,
        // What else the engine is asked must stay quick beside it.
        max_threads: 1,
        max_bytes_before_external_group_by: String(1 << 28),
      },
    });
    return answer.json<Row>();
  }

  return {
    async *around(fromMs, toMs) {
      const seen = await rowsOf<[number]>(
        `SELECT DISTINCT intDiv(toUnixTimestamp64Milli(seen_at), {unit:Int64}) AS unit FROM ${ledger}
         WHERE stored_at > fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND stored_at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
           AND seen_at >= fromUnixTimestamp64Milli({oldest:Int64}, 'UTC') AND reporter != '' AND joins = '' ORDER BY unit`,
        { unit: APART_MS_MAX, from: fromMs, to: toMs, oldest: fromMs - LATE_MS_MAX },
      );
      for (const [firstMs, lastMs] of piecesOf(seen.map(([unit]) => unit * APART_MS_MAX)))
        yield* piece(firstMs, lastMs);
    },
  };

  /** In halves where they are too many: after a restart an hour is looked through at once. */
  async function* piece(firstMs: number, lastMs: number): AsyncGenerator<Report[]> {
    const rows = await near(firstMs - APART_MS_MAX, lastMs + APART_MS_MAX);
    if (rows.length <= rowsMax) return yield rows.map(reportOf);
    const units = Math.round((lastMs - firstMs) / APART_MS_MAX);
    if (units < 2)
      throw new Error(`more than ${rowsMax} rows around ${new Date(firstMs).toISOString()} may be of joined requests`);
    const middleMs = firstMs + Math.floor(units / 2) * APART_MS_MAX;
    yield* piece(firstMs, middleMs);
    yield* piece(middleMs, lastMs);
  }

  /** Rows seen in this time whose request id, session or the like several reporters name, one more than are held at most. */
  function near(since: number, until: number): Promise<unknown[][]> {
    const isNear = `reporter != '' AND seen_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
      AND stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND seen_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')`;
    const shared = (key: string, isNamed: string): string =>
      `${key} IN (SELECT ${key} FROM ${ledger} WHERE ${isNear} AND ${isNamed} GROUP BY ${key} HAVING uniqExact(${REPORTER}) > 1)`;
    return rowsOf<unknown[]>(
      `SELECT ${SELECT_SQL} FROM ${ledger} WHERE ${isNear} AND (
         ${shared('request_id', "request_id != ''")} OR ${shared('response_id', "response_id != ''")}
         OR ${shared('session', "session != ''")}
         OR ${shared('(agent, ip, abs(toInt64(tokens_output)))', "agent != '' AND tokens_output != 0")})
       LIMIT ${rowsMax + 1}`,
      { since, until },
    );
  }
}

function reportOf(row: readonly unknown[]): Report {
  const report: Record<string, unknown> = {};
  for (const [index, name] of COLUMNS.entries()) report[name] = row[index];
  report['cost_nano_usd'] = Number(report['cost_nano_usd']);
  return report as unknown as Report;
}
