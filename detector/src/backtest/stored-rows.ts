import type { ClickHouseClient } from '@clickhouse/client';
import { UNATTRIBUTED_LANE } from '@lanewatch/ingest/contract';
import { LEDGER_TABLE, type LedgerRow } from '../../contract/index.ts';
import { abortedBy } from '../ledger/clickhouse.ts';
import { asLedgerErrors } from '../ledger/errors.ts';
import { quoted } from '../ledger/migrate/template.ts';
import { RESTORE_SETTINGS, STORED_ORDER } from '../ledger/restore-queries.ts';

/** Which rows, by the time at which they were seen, epoch milliseconds. */
export interface RowsWanted {
  fromMs: number;
  toMs: number;
}

/** Takes rows; where a lane's rows come together, it is told before the first of them. */
export interface RowsTaken {
  onLane?(lane: string): Promise<void>;
  onRow(row: LedgerRow): void;
}

/** Texts that rules and lane state go by, in the order in which they are read. */
const TEXTS = [
  ...['lane', 'fingerprint', 'hint', 'org', 'user', 'ip', 'host', 'agent', 'session', 'repo', 'model', 'environment'],
  ...['action', 'operation', 'outcome', 'standing', 'match', 'credential_id', 'collector', 'reporter'],
] as const;
const NUMBERS = [
  'toUnixTimestamp64Milli(seen_at)',
  'toUnixTimestamp64Milli(received_at)',
  'status_code',
  // Through 128 bits: an event of absurd cost must not end the read.
  'toFloat64(toInt128(cost_usd * 1000000000))',
];
type Cells = [seenAt: number, receivedAt: number, status: number, nanoUsd: number, ...texts: string[]];

const DAY_MS = 86_400_000;

/** The reads of a backtest: rows in the order in which a trial takes them, streamed, so that memory does not grow with them. */
export function storedRows(client: ClickHouseClient, database: string) {
  const ledger = `${database}.${LEDGER_TABLE}`;

  const between = ({ fromMs, toMs }: RowsWanted) =>
    // A row is stored after it was seen, give or take a difference of clocks: earlier parts stay unread. Corrections are no events.
    `seen_at >= fromUnixTimestamp64Milli(${fromMs}, 'UTC') AND seen_at < fromUnixTimestamp64Milli(${toMs}, 'UTC')
     AND stored_at >= fromUnixTimestamp64Milli(${fromMs - DAY_MS}, 'UTC') AND lane != ${quoted(UNATTRIBUTED_LANE)} AND joins = ''`;

  async function* eachCells<Row>(query: string, signal: AbortSignal): AsyncGenerator<Row[]> {
    const { stream } = await asLedgerErrors('reading stored events', () =>
      client.exec({
        query: `${query} FORMAT JSONCompactEachRow`,
        clickhouse_settings: {
          ...RESTORE_SETTINGS,
          // What is asked live must stay quick beside it.
          max_threads: 1,
          output_format_json_escape_forward_slashes: 0,
        },
        ...abortedBy(signal),
      }),
    );
    let rest = '';
    stream.setEncoding('utf8');
    for await (const chunk of stream as AsyncIterable<string>) {
      signal.throwIfAborted();
      const end = chunk.lastIndexOf('\n');
      if (end === -1) {
        rest += chunk;
        continue;
      }
      // A line feed inside a text is escaped, so each one ends a row.
      yield JSON.parse(`[${(rest + chunk.slice(0, end)).replaceAll('\n', ',')}]`) as Row[];
      rest = chunk.slice(end + 1);
    }
    if (rest !== '') throw new Error(`the answer ends inside a row: ${rest.slice(0, 200)}`);
  }

  async function eachRow(
    where: string,
    order: string,
    { onLane, onRow }: RowsTaken,
    signal: AbortSignal,
  ): Promise<void> {
    const row = emptyRow();
    row.lane = '';
    const query = `SELECT ${[...NUMBERS, ...TEXTS].join(', ')} FROM ${ledger} WHERE ${where} ORDER BY ${order}`;
    for await (const some of eachCells<Cells>(query, signal))
      for (const cells of some) {
        if (onLane !== undefined && cells[4] !== row.lane) await onLane(cells[4]!);
        fill(row, cells);
        onRow(row);
      }
  }

  return {
    async count(wanted: RowsWanted, signal: AbortSignal): Promise<number> {
      let count = 0;
      for await (const rows of eachCells<[number]>(`SELECT count() FROM ${ledger} WHERE ${between(wanted)}`, signal))
        count = rows[0]![0];
      return count;
    },

    /** Lane by lane, each lane's rows by time; one object serves all of them. */
    byLane: (wanted: RowsWanted, taken: RowsTaken, signal: AbortSignal): Promise<void> =>
      eachRow(between(wanted), 'lane, seen_at', taken, signal),

    /** All lanes together by time, a day after the other, so that no more than a day is sorted. */
    async byTime({ fromMs, toMs }: RowsWanted, onRow: RowsTaken['onRow'], signal: AbortSignal): Promise<void> {
      for (let dayMs = fromMs; dayMs < toMs; dayMs += DAY_MS)
        await eachRow(between({ fromMs: dayMs, toMs: Math.min(toMs, dayMs + DAY_MS) }), 'seen_at', { onRow }, signal);
    },

    /** What was learned of each lane up to an instant, in the order of {@link byLane}. */
    profiles: (beforeMs: number, signal: AbortSignal) =>
      eachCells<[lane: string, fingerprint: string, profile: string]>(
        `SELECT lane, any(fingerprint), argMax(lane_profile, ${STORED_ORDER}) FROM ${ledger}
         WHERE stored_at < fromUnixTimestamp64Milli(${beforeMs}, 'UTC') AND lane_profile != '' GROUP BY lane ORDER BY lane`,
        signal,
      ),
  };
}

/** What a row says that no rule asks for. */
function emptyRow(): LedgerRow {
  return {
    ...{ source: '', id: '', time: 0, credential_provider: '', credential_kind: 'api_key', agent_version: '' },
    ...{ request_id: '', branch: '', provider: '', module: '', tokens_input_uncached: 0, tokens_cache_read: 0 },
    ...{ tokens_cache_write: 0, tokens_output: 0, cost_basis: 'none', latency_ms: 0, flags: [], served_by: '' },
    ...{
      sent_as: '',
      response_id: '',
      rate_limits: '',
      event_hash_low: 0,
      event_hash_high: 0,
      findings: [],
      evidence: [],
      lane_profile: '',
    },
    ...{ kafka_partition: 0, kafka_offset: 0, record_index: 0, stored_at: 0, claimant: '' },
  } as unknown as LedgerRow;
}

function fill(row: LedgerRow, cells: Cells): void {
  row.seen_at = cells[0];
  row.received_at = cells[1];
  row.status_code = cells[2];
  row.cost_nano_usd = cells[3];
  const texts = row as unknown as Record<string, unknown>;
  for (let index = 0; index < TEXTS.length; index++) texts[TEXTS[index]!] = cells[index + 4];
}
