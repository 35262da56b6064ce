import { pipeline } from 'node:stream/promises';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { LEDGER_TABLE } from '../../contract/index.ts';
import { asLedgerErrors } from './errors.ts';
import { LANE_DIMENSIONS, type FindingTally, type LaneDimension, type LaneTotals, type LaneValue } from './ledger.ts';

/** A row is stored after it was seen, up to how far the clocks of ingest and detector may disagree. */
const CLOCK_DISAGREEMENT_MS = 24 * 3_600_000;
/** event_hash and stored_at, eight bytes each. */
const HASH_ROW_BYTES = 16;
const TWO_TO_32 = 4_294_967_296;

/** Restoring shares the engine with everything else: sorts and groups spill to disk rather than grow. */
const RESTORE_SETTINGS: ClickHouseSettings = {
  max_bytes_before_external_group_by: String(1 << 30),
  max_bytes_before_external_sort: String(1 << 30),
  output_format_json_quote_64bit_integers: 0,
};

const DIMENSION_COLUMNS: Record<LaneDimension, string> = {
  user: 'user',
  endpoint: "if(ip != '', ip, host)",
  agent: 'agent',
  session: 'session',
  repo: 'repo',
  model: 'model',
};

/** The reads that rebuild a detector's state from the ledger, each streamed: memory does not grow with the answer. */
export function ledgerReads(client: ClickHouseClient, database: string) {
  const ledger = `${database}.${LEDGER_TABLE}`;
  /** Rows of these partitions seen since; the bound on stored_at leaves whole days of parts unread. */
  const seenSince = `kafka_partition IN {partitions:Array(UInt32)}
      AND seen_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
      AND stored_at >= fromUnixTimestamp64Milli({stored_since:Int64}, 'UTC')`;

  async function eachRow<Row>(
    doing: string,
    query: string,
    query_params: Record<string, unknown>,
    onRow: (row: Row) => void,
  ): Promise<void> {
    await asLedgerErrors(doing, async () => {
      const answer = await client.query({
        query,
        query_params,
        format: 'JSONCompactEachRow',
        clickhouse_settings: RESTORE_SETTINGS,
      });
      for await (const rows of answer.stream<Row>()) for (const row of rows) onRow(row.json());
    });
  }

  function windowOf(partitions: number[], sinceMs: number): Record<string, unknown> {
    return { partitions, since: sinceMs, stored_since: Math.max(0, sinceMs - CLOCK_DISAGREEMENT_MS) };
  }

  return {
    async resumeOffsets(partitions: number[]): Promise<Map<number, number>> {
      const offsets = new Map<number, number>();
      await eachRow<[number, number]>(
        'reading the resume point',
        // Answered from the projection by_lane_hour: a fraction of the rows (test: it is used).
        `SELECT kafka_partition, max(kafka_offset) FROM ${ledger}
         WHERE kafka_partition IN {partitions:Array(UInt32)} GROUP BY kafka_partition`,
        { partitions },
        ([partition, offset]) => offsets.set(partition, offset + 1),
      );
      return offsets;
    },

    async restoreHashes(
      partitions: number[],
      sinceMs: number,
      limit: number,
      onHash: (low: number, high: number, storedAtMs: number) => void,
    ): Promise<void> {
      await asLedgerErrors('restoring the dedupe window', async () => {
        const { stream } = await client.exec({
          query: `SELECT event_hash, stored_at FROM (
                    SELECT event_hash, stored_at FROM ${ledger}
                    WHERE kafka_partition IN {partitions:Array(UInt32)}
                      AND stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
                    ORDER BY stored_at DESC LIMIT {limit:UInt64})
                  ORDER BY stored_at FORMAT RowBinary`,
          query_params: { partitions, since: sinceMs, limit },
          clickhouse_settings: RESTORE_SETTINGS,
        });
        // A query that fails half-way breaks the transfer off, which rejects here; nothing would tell its text from rows.
        await pipeline(stream, (chunks: AsyncIterable<Buffer>) => readHashes(chunks, onHash));
      });
    },

    async restoreLanes(partitions: number[], sinceMs: number, onLane: (totals: LaneTotals) => void): Promise<void> {
      await eachRow<[string, number, string, string, string, string, number, number, number, number]>(
        'restoring lanes',
        `SELECT lane, kafka_partition, any(fingerprint), argMax(hint, seen_at), argMax(org, seen_at), argMax(credential_id, seen_at), count(),
                -- Through 128 bits: a lane of absurd cost must not fail the restart, an ordinary one stays exact to the nano-dollar.
                toFloat64(toInt128(sum(cost_usd) * 1000000000)),
                toUnixTimestamp64Milli(min(seen_at)), toUnixTimestamp64Milli(max(seen_at))
         FROM ${ledger} WHERE ${seenSince} GROUP BY lane, kafka_partition`,
        windowOf(partitions, sinceMs),
        ([
          lane,
          kafka_partition,
          fingerprint,
          hint,
          org,
          credential_id,
          events,
          cost_nano_usd,
          first_seen,
          last_seen,
        ]) =>
          onLane({
            lane,
            kafka_partition,
            fingerprint,
            hint,
            org,
            credential_id,
            events,
            cost_nano_usd,
            first_seen,
            last_seen,
          }),
      );
    },

    async restoreValues(
      partitions: number[],
      sinceMs: number,
      valuesPerLane: number,
      onValue: (value: LaneValue) => void,
    ): Promise<void> {
      for (const dimension of LANE_DIMENSIONS) {
        await eachRow<[string, string, number, number]>(
          `restoring each lane's ${dimension} values`,
          `SELECT lane, ${DIMENSION_COLUMNS[dimension]} AS value,
                  toUnixTimestamp64Milli(min(seen_at)) AS first_seen, toUnixTimestamp64Milli(max(seen_at)) AS last_seen
           FROM ${ledger} WHERE ${seenSince} AND value != ''
           GROUP BY lane, value ORDER BY lane, last_seen DESC, value LIMIT {values:UInt32} BY lane`,
          { ...windowOf(partitions, sinceMs), values: valuesPerLane },
          ([lane, value, first_seen, last_seen]) => onValue({ lane, dimension, value, first_seen, last_seen }),
        );
      }
    },

    async restoreFindings(
      partitions: number[],
      sinceMs: number,
      onTally: (tally: FindingTally) => void,
    ): Promise<void> {
      await eachRow<[string, string, number, number, number, number]>(
        'restoring findings',
        `SELECT finding, any(lane), count(), toUnixTimestamp64Milli(min(seen_at)), toUnixTimestamp64Milli(max(seen_at)),
                toUnixTimestamp64Milli(max(received_at))
         FROM ${ledger} ARRAY JOIN findings AS finding WHERE notEmpty(findings) AND ${seenSince} GROUP BY finding`,
        windowOf(partitions, sinceMs),
        ([id, lane, occurrences, first_seen, last_seen, last_received_at]) =>
          onTally({ id, lane, occurrences, first_seen, last_seen, last_received_at }),
      );
    },
  };
}

/** Reads RowBinary of (UInt64, DateTime64(3)); rows may be cut anywhere between chunks. */
async function readHashes(
  chunks: AsyncIterable<Buffer>,
  onHash: (low: number, high: number, storedAtMs: number) => void,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = bytes.length - (bytes.length % HASH_ROW_BYTES);
    for (let at = 0; at < end; at += HASH_ROW_BYTES) {
      const storedAtMs = view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * TWO_TO_32;
      onHash(view.getUint32(at, true), view.getUint32(at + 4, true), storedAtMs);
    }
    rest = bytes.subarray(end);
  }
  if (rest.length > 0) throw new Error(`the answer ends inside a row, ${rest.length} bytes over`);
}
