import { pipeline } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { UNATTRIBUTED_LANE } from '@lanewatch/ingest/contract';
import type { RaisingRow } from '../findings/flood-guard.ts';
import type { AddressUse, WorkUse } from '../lane-state/crowd.ts';
import { abortedBy } from './clickhouse.ts';
import { asLedgerErrors } from './errors.ts';
import {
  PROFILE_ROWS_MAX,
  type LaneDimension,
  type LaneIdentity,
  type LaneValue,
  type ProfileRow,
  type ValuesWanted,
} from './ledger.ts';
import { quoted } from './migrate/template.ts';
import { ENDPOINT, IS_UNRESOLVED_USER, RESTORE_SETTINGS, restoreQueries, STORED_ORDER } from './restore-queries.ts';

/** event_hash and stored_at, eight bytes each. */
const HASH_ROW_BYTES = 16;
const TWO_TO_32 = 4_294_967_296;

const DIMENSION_COLUMNS: Record<LaneDimension, string> = {
  user: `if(${IS_UNRESOLVED_USER}, '', user)`,
  unresolved: `if(${IS_UNRESOLVED_USER}, user, '')`,
  endpoint: ENDPOINT,
  agent: 'agent',
  session: 'session',
  repo: 'repo',
  model: 'model',
  environment: 'environment',
};

/** The partition where a key belongs: the engine knows Kafka's own hash. */
const homeOf = (key: string) => `kafkaMurmurHash(${key}) % {count:UInt32}`;

/** The reads that rebuild a detector's state from the ledger, each streamed: memory does not grow with the answer. */
export function ledgerReads(client: ClickHouseClient, database: string) {
  const { ledger, storedSince, ofTheirLanes, eachRow } = restoreQueries(client, database);

  return {
    async restoreHashes(
      partitions: number[],
      partitionCount: number,
      sinceMs: number,
      limit: number,
      onHash: (low: number, high: number, storedAtMs: number) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      await asLedgerErrors('restoring the dedupe window', async () => {
        const { stream } = await client.exec({
          query: `SELECT event_hash, stored_at FROM (
                    SELECT event_hash, stored_at FROM ${ledger}
                    WHERE stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
                      AND (kafka_partition IN {partitions:Array(UInt32)}
                        OR lane != ${quoted(UNATTRIBUTED_LANE)} AND ${homeOf('lane')} IN {partitions:Array(UInt32)}
                        OR lane = ${quoted(UNATTRIBUTED_LANE)} AND session != '' AND ${homeOf('session')} IN {partitions:Array(UInt32)})
                    ORDER BY stored_at DESC LIMIT {limit:UInt64})
                  ORDER BY stored_at FORMAT RowBinary`,
          query_params: { partitions, count: partitionCount, since: sinceMs, limit },
          clickhouse_settings: RESTORE_SETTINGS,
          ...abortedBy(signal),
        });
        // A query that fails half-way breaks the transfer off, which rejects here; nothing would tell its text from rows.
        await pipeline(stream, (chunks: AsyncIterable<Buffer>) => readHashes(chunks, onHash), {
          ...(signal && { signal }),
        });
      });
    },

    async restoreLanes(
      partitions: number[],
      sinceMs: number,
      limit: number,
      onLane: (lane: LaneIdentity) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      await eachRow<[string, string, number]>(
        'restoring lanes',
        `SELECT lane, fingerprint, partition FROM (
           SELECT lane, any(fingerprint) AS fingerprint, argMax(kafka_partition, ${STORED_ORDER}) AS partition,
                  max(${STORED_ORDER}) AS latest
           FROM ${ledger} WHERE ${storedSince} GROUP BY lane ORDER BY latest DESC LIMIT {limit:UInt64})
         ORDER BY latest`,
        { partitions, since: sinceMs, limit },
        ([lane, fingerprint, kafka_partition]) => onLane({ lane, fingerprint, kafka_partition }),
        signal,
      );
    },

    async restoreValues(
      partitions: number[],
      sinceMs: number,
      { dimension, limit, windowMs }: ValuesWanted,
      onValue: (value: LaneValue) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      const sights = `SELECT lane, ${DIMENSION_COLUMNS[dimension]} AS value,
          toUnixTimestamp64Milli(min(seen_at)) AS first, toUnixTimestamp64Milli(max(seen_at)) AS last FROM ${ledger}
        WHERE ${ofTheirLanes} AND stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND value != '' AND joins = ''
        GROUP BY lane, value`;
      const whole = `SELECT lane, value, [first, last] AS stays FROM (${sights})`;
      // All sights of a stretch as long as the window belong to one stay; one ends where the gap to the next is as long.
      const apart = `SELECT lane, value, arrayFlatten(arrayMap(stay -> [stay[1].1, stay[-1].2], arraySplit(
          (span, before) -> span.1 - before.2 >= {window:Int64}, spans, arrayPushFront(arrayPopBack(spans), spans[1])))) AS stays
        FROM (SELECT lane, value, arraySort(groupArray((first, last))) AS spans
          FROM (${sights}, intDiv(toUnixTimestamp64Milli(seen_at), {window:Int64})) GROUP BY lane, value)`;
      await eachRow<[string, string, number[]]>(
        `restoring each lane's ${dimension} values`,
        `${dimension === 'user' ? apart : whole} ORDER BY lane, stays[-1] DESC, value LIMIT {limit:UInt32} BY lane`,
        { partitions, since: sinceMs, limit, window: windowMs },
        ([lane, value, stays]) => onValue({ lane, dimension, value, stays }),
        signal,
      );
    },

    async restoreProfiles(
      partitions: number[],
      sinceMs: number,
      onRow: (row: ProfileRow) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      const stored = `${ofTheirLanes} AND joins = '' AND stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`;
      /** Of one lane, newest first. */
      let rows: ProfileRow[] = [];
      const handOver = () => {
        for (const row of rows.toReversed()) onRow(row);
        rows = [];
      };
      await eachRow<[string, string, number, ProfileRow['outcome'], number, ...string[]]>(
        'restoring profiles of lanes',
        `SELECT rows.lane, if(${STORED_ORDER} = carried.place, lane_profile, ''), toUnixTimestamp64Milli(seen_at), outcome, status_code,
           ip, host, user, agent, repo, model, environment, operation, action, toString(toInt128(cost_usd * 1000000000))
         FROM (SELECT * FROM ${ledger} WHERE ${stored}) AS rows
         LEFT JOIN (SELECT lane, max(${STORED_ORDER}) AS place FROM ${ledger}
                    WHERE ${stored} AND lane_profile != '' GROUP BY lane) AS carried ON carried.lane = rows.lane
         WHERE ${STORED_ORDER} >= carried.place
         ORDER BY rows.lane, ${STORED_ORDER} DESC LIMIT ${PROFILE_ROWS_MAX} BY rows.lane`,
        { partitions, since: sinceMs },
        ([lane, lane_profile, seen_at, outcome, status_code, ...texts]) => {
          if (rows.length > 0 && rows[0]!.lane !== lane) handOver();
          const [ip = '', host = '', user = '', agent = '', repo = '', model = '', environment = '', operation = ''] =
            texts;
          const action = texts[8] as ProfileRow['action'];
          rows.push({
            ...{ lane, lane_profile, seen_at, outcome, status_code },
            ...{ ip, host, user, agent, repo, model, environment, operation, action },
            cost_nano_usd: Number(texts[9]),
          });
        },
        signal,
      );
      handOver();
    },

    async restoreRaisings(
      partitions: number[],
      sinceMs: number,
      onRow: (row: RaisingRow) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      await eachRow<[number, number, string, string[]]>(
        'restoring what was raised lately',
        `SELECT kafka_partition, toUnixTimestamp64Milli(received_at), collector, arrayFilter(text -> startsWith(text, '+'), evidence) AS raised
         FROM ${ledger} WHERE ${storedSince} AND notEmpty(raised) ORDER BY ${STORED_ORDER}`,
        { partitions, since: sinceMs },
        ([kafka_partition, received_at, collector, evidence]) =>
          onRow({ kafka_partition, received_at, collector, evidence }),
        signal,
      );
    },

    async restoreAddresses(
      partitions: number[],
      sinceMs: number,
      onUse: (use: AddressUse) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      await eachRow<[string, string, string, number]>(
        'restoring uses of addresses',
        `SELECT ip, lane, org, toUnixTimestamp64Milli(max(seen_at)) AS last FROM ${ledger}
         WHERE ${storedSince} AND ip != '' AND host = '' AND (user = '' OR ${IS_UNRESOLVED_USER})
         GROUP BY ip, lane, org ORDER BY last`,
        { partitions, since: sinceMs },
        ([ip, lane, org, lastMs]) => onUse({ ip, lane, org, lastMs }),
        signal,
      );
    },

    async restoreWork(
      partitions: number[],
      sinceMs: number,
      onUse: (use: WorkUse) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      await eachRow<[string, string, string, number, string]>(
        'restoring whose work ran on which key',
        `SELECT user, agent, repo, toUInt32(toDate(seen_at)) AS day, if(credential_id = '', lane, credential_id) AS key
         FROM ${ledger}
         WHERE ${storedSince} AND outcome = 'success' AND repo != '' AND user != '' AND NOT ${IS_UNRESOLVED_USER}
         GROUP BY user, agent, repo, day, key ORDER BY day`,
        { partitions, since: sinceMs },
        ([user, agent, repo, day, key]) => onUse({ user, agent, repo, day, key }),
        signal,
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
