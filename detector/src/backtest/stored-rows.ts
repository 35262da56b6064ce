import type { ClickHouseClient } from '@clickhouse/client';
import { UNATTRIBUTED_LANE } from '@lanewatch/ingest/contract';
import { LEDGER_TABLE, type LedgerRow } from '../../contract/index.ts';
import { abortedBy } from '../ledger/clickhouse.ts';
import { asLedgerErrors } from '../ledger/errors.ts';
import { quoted } from '../ledger/migrate/template.ts';
import { readBlocks, textAt, type ReadBlock } from '../ledger/native/read-blocks.ts';
import { RESTORE_SETTINGS, STORED_ORDER } from '../ledger/restore-queries.ts';

/** Which rows: by the time at which they were seen, epoch milliseconds, and what SQL says of them. */
export interface RowsWanted {
  fromMs: number;
  toMs: number;
  where: string;
}

/** Takes rows; where a lane's rows come together, it is told before the first of them. */
export interface RowsTaken {
  onLane?(lane: string): Promise<void>;
  onRow(row: LedgerRow): void;
}

/** What was learned of a lane. */
export interface StoredProfile {
  lane: string;
  fingerprint: string;
  lane_profile: string;
}

/** Texts and numbers that rules and lane state go by. Nobody else's columns are read. */
const TEXTS = [
  ...['lane', 'fingerprint', 'hint', 'org', 'user', 'ip', 'host', 'agent', 'session', 'repo', 'model', 'environment'],
  ...['action', 'operation', 'outcome', 'standing', 'match', 'credential_id', 'reporter'],
] as const;
const NUMBERS = ['seen_at', 'received_at', 'status_code', 'cost_usd'] as const;

const DAY_MS = 86_400_000;
const SORTED_MS = 7 * DAY_MS;

/** The reads of a backtest: rows in the order in which a trial takes them, streamed, so that memory does not grow with them. */
export function storedRows(client: ClickHouseClient, database: string) {
  const ledger = `${database}.${LEDGER_TABLE}`;

  const between = ({ fromMs, toMs, where }: RowsWanted) =>
    // A row is stored after it was seen, give or take a difference of clocks: earlier parts stay unread. Corrections are no events.
    `seen_at >= fromUnixTimestamp64Milli(${fromMs}, 'UTC') AND seen_at < fromUnixTimestamp64Milli(${toMs}, 'UTC')
     AND stored_at >= fromUnixTimestamp64Milli(${fromMs - DAY_MS}, 'UTC') AND lane != ${quoted(UNATTRIBUTED_LANE)} AND joins = ''
     AND (${where})`;

  async function* blocksOf(query: string, signal: AbortSignal): AsyncGenerator<ReadBlock> {
    const { stream } = await asLedgerErrors('reading stored events', () =>
      client.exec({
        query: `${query} FORMAT Native`,
        clickhouse_settings: {
          ...RESTORE_SETTINGS,
          // What is asked live must stay quick beside it.
          max_threads: 1,
        },
        ...abortedBy(signal),
      }),
    );
    for await (const block of readBlocks(stream as AsyncIterable<Uint8Array>)) {
      signal.throwIfAborted();
      yield block;
    }
  }

  async function eachRow(
    where: string,
    order: string,
    { onLane, onRow }: RowsTaken,
    signal: AbortSignal,
  ): Promise<void> {
    const row = emptyRow();
    let latest = '';
    const query = `SELECT ${[...NUMBERS, ...TEXTS].join(', ')} FROM ${ledger} WHERE ${where} ORDER BY ${order}`;
    for await (const block of blocksOf(query, signal)) {
      if (block.rows === 0) continue;
      const lanes = block.texts.get('lane')!;
      const fill = fillerOf(block, row);
      for (let at = 0; at < block.rows; at++) {
        const lane = textAt(lanes, at);
        if (onLane !== undefined && lane !== latest) await onLane((latest = lane));
        fill(at);
        onRow(row);
      }
    }
  }

  return {
    async count(wanted: RowsWanted, signal: AbortSignal): Promise<number> {
      let count = 0;
      for await (const { numbers } of blocksOf(
        `SELECT count() AS rows FROM ${ledger} WHERE ${between(wanted)}`,
        signal,
      ))
        count += numbers.get('rows')?.[0] ?? 0;
      return count;
    },

    /** Lane by lane, each lane's rows by time; one object serves all of them. */
    byLane: (wanted: RowsWanted, taken: RowsTaken, signal: AbortSignal): Promise<void> =>
      eachRow(between(wanted), 'lane, seen_at', taken, signal),

    /** All lanes together by time, a week after the other, so that no more than a week is sorted. */
    async byTime(wanted: RowsWanted, onRow: RowsTaken['onRow'], signal: AbortSignal): Promise<void> {
      for (let { fromMs } = wanted; fromMs < wanted.toMs; fromMs += SORTED_MS) {
        const week = { ...wanted, fromMs, toMs: Math.min(wanted.toMs, fromMs + SORTED_MS) };
        await eachRow(between(week), 'seen_at', { onRow }, signal);
      }
    },

    /** What was learned of each lane up to an instant, in the order of {@link byLane}. */
    async *profiles(beforeMs: number, signal: AbortSignal): AsyncGenerator<StoredProfile> {
      const blocks = blocksOf(
        `SELECT lane, any(fingerprint) AS fingerprint, argMax(lane_profile, ${STORED_ORDER}) AS lane_profile FROM ${ledger}
         WHERE stored_at < fromUnixTimestamp64Milli(${beforeMs}, 'UTC') AND ledger.lane_profile != '' GROUP BY lane ORDER BY lane`,
        signal,
      );
      for await (const { rows, texts } of blocks) {
        const [lanes, fingerprints, profiles] = ['lane', 'fingerprint', 'lane_profile'].map((name) => texts.get(name)!);
        for (let at = 0; at < rows; at++)
          yield {
            lane: textAt(lanes!, at),
            fingerprint: textAt(fingerprints!, at),
            lane_profile: textAt(profiles!, at),
          };
      }
    },
  };
}

/** What a row says that no rule asks for. */
function emptyRow(): LedgerRow {
  return {
    ...{ source: '', id: '', time: 0, credential_provider: '', credential_kind: 'api_key', agent_version: '' },
    ...{ request_id: '', branch: '', provider: '', module: '', tokens_input_uncached: 0, tokens_cache_read: 0 },
    ...{ tokens_cache_write: 0, tokens_output: 0, cost_basis: 'none', latency_ms: 0, flags: [], served_by: '' },
    ...{ collector: '', sent_as: '', response_id: '', rate_limits: '', event_hash_low: 0, event_hash_high: 0 },
    ...{
      findings: [],
      evidence: [],
      lane_profile: '',
      kafka_partition: 0,
      kafka_offset: 0,
      record_index: 0,
      stored_at: 0,
      claimant: '',
    },
  } as unknown as LedgerRow;
}

/** Fills the row with one of the block. A column that is the same text all through costs nothing a row. */
function fillerOf({ rows, texts, numbers }: ReadBlock, row: LedgerRow): (at: number) => void {
  const fields = row as unknown as Record<string, unknown>;
  const seen = numbers.get('seen_at')!;
  const received = numbers.get('received_at')!;
  const status = numbers.get('status_code')!;
  const cost = numbers.get('cost_usd')!;
  const varied: [name: string, column: NonNullable<ReturnType<typeof texts.get>>][] = [];
  for (const name of TEXTS) {
    const column = texts.get(name)!;
    const first = textAt(column, 0);
    fields[name] = first;
    if (rows > 1 && column.indexes.some((index) => column.keys[index] !== first)) varied.push([name, column]);
  }
  return (at) => {
    row.seen_at = seen[at]!;
    row.received_at = received[at]!;
    row.status_code = status[at]!;
    row.cost_nano_usd = cost[at]!;
    for (const [name, column] of varied) fields[name] = textAt(column, at);
  };
}
