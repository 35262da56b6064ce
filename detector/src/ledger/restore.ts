import { pipeline } from 'node:stream/promises';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { UNATTRIBUTED_LANE } from '@lanewatch/ingest/contract';
import { FINDINGS_TABLE, LEDGER_TABLE } from '../../contract/index.ts';
import type { AddressUse, WorkUse } from '../lane-state/crowd.ts';
import { UNRESOLVED_USER } from '../lane-state/people.ts';
import { abortedBy } from './clickhouse.ts';
import { asLedgerErrors } from './errors.ts';
import { IDS_PER_READ, listOf } from './findings-table.ts';
import {
  FINDING_LABELS,
  PROFILE_ROWS_MAX,
  type FindingLabels,
  type FindingTally,
  type LaneDimension,
  type LaneIdentity,
  type LaneValue,
  type ProfileRow,
  type ValuesWanted,
} from './ledger.ts';
import { quoted } from './migrate/template.ts';

/** event_hash and stored_at, eight bytes each. */
const HASH_ROW_BYTES = 16;
const TWO_TO_32 = 4_294_967_296;

/** Restoring shares the engine with everything else: sorts and groups spill to disk rather than grow. */
const RESTORE_SETTINGS: ClickHouseSettings = {
  max_bytes_before_external_group_by: String(1 << 30),
  max_bytes_before_external_sort: String(1 << 30),
  output_format_json_quote_64bit_integers: 0,
};

const ENDPOINT = "if(ip != '', ip, host)";

const IS_UNRESOLVED_USER = `match(lower(user), ${quoted(UNRESOLVED_USER)})`;

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

/** Labels of a finding that are no columns. */
const LABEL_COLUMNS: Partial<Record<(typeof FINDING_LABELS)[number], string>> = {
  endpoint: ENDPOINT,
  // Behind the finding's id and a blank.
  evidence: 'substring(arrayFirst(text -> startsWith(text, finding), evidence), length(finding) + 2)',
};

/** Order in which rows were stored; within a partition of the bus it is the order of the events. */
const STORED_ORDER = '(stored_at, kafka_offset, record_index)';

const LANES_PER_READ = 1_000;

/** The reads that rebuild a detector's state from the ledger, each streamed: memory does not grow with the answer. */
export function ledgerReads(client: ClickHouseClient, database: string) {
  const ledger = `${database}.${LEDGER_TABLE}`;
  // Nobody holds the lane of events without a key, and it is the largest of all where many come so.
  const storedSince = `kafka_partition IN {partitions:Array(UInt32)} AND lane != ${quoted(UNATTRIBUTED_LANE)}
      AND stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`;
  // A lane that moved when partitions were added has rows in others too, so a lane is chosen by partition, its rows are not.
  const ofTheirLanes = `lane IN (SELECT lane FROM ${ledger} WHERE ${storedSince})`;

  async function eachRow<Row>(
    doing: string,
    query: string,
    query_params: Record<string, unknown>,
    onRow: (row: Row) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await asLedgerErrors(doing, async () => {
      const answer = await client.query({
        query,
        query_params,
        format: 'JSONCompactEachRow',
        clickhouse_settings: RESTORE_SETTINGS,
        ...abortedBy(signal),
      });
      for await (const rows of answer.stream<Row>()) {
        // The client heeds the signal only until the answer begins.
        signal?.throwIfAborted();
        for (const row of rows) onRow(row.json());
      }
    });
  }

  const tallyColumns = `finding, any(lane), count(),
      -- Through 128 bits: a lane of absurd cost must not fail the restart, an ordinary one stays exact to the nano-dollar.
      toFloat64(toInt128(sum(cost_usd) * 1000000000)),
      toUnixTimestamp64Milli(min(seen_at)), toUnixTimestamp64Milli(max(seen_at)), toUnixTimestamp64Milli(max(received_at)),
      min(toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(seen_at)),
      max(ip != '' AND host = '' AND (user = '' OR ${IS_UNRESOLVED_USER})),
      ${FINDING_LABELS.map((label) => LABEL_COLUMNS[label] ?? label)
        .map((column) => `argMaxIf(${column}, ${STORED_ORDER}, ${column} != '')`)
        .join(', ')}`;

  async function eachTally(
    doing: string,
    where: string,
    query_params: Record<string, unknown>,
    onTally: (tally: FindingTally) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await eachRow<[string, string, number, number, number, number, number, number, number, ...string[]]>(
      doing,
      `SELECT ${tallyColumns} FROM ${ledger} ARRAY JOIN findings AS finding WHERE ${where} GROUP BY finding`,
      query_params,
      ([
        id,
        lane,
        occurrences,
        cost_nano_usd,
        first_seen,
        last_seen,
        last_received_at,
        delay_ms_min,
        is,
        ...labels
      ]) => {
        const named = FINDING_LABELS.map((label, index) => [label, labels[index] ?? '']);
        onTally({
          ...(Object.fromEntries(named) as FindingLabels),
          ...{ id, lane, occurrences, cost_nano_usd, first_seen, last_seen, last_received_at, delay_ms_min },
          endpoint_unresolved: is === 1,
        });
      },
      signal,
    );
  }

  async function knownOf(ids: readonly string[]): Promise<Set<string>> {
    const known = new Set<string>();
    for (let start = 0; start < ids.length; start += IDS_PER_READ)
      await eachRow<[string]>(
        'looking findings up',
        // Without FINAL: whether there is a row is the same before and after rows are merged.
        `SELECT DISTINCT id FROM ${database}.${FINDINGS_TABLE} WHERE id IN (${listOf(ids.slice(start, start + IDS_PER_READ))})`,
        {},
        ([id]) => known.add(id),
      );
    return known;
  }

  return {
    async restoreHashes(
      partitions: number[],
      sinceMs: number,
      limit: number,
      onHash: (low: number, high: number, storedAtMs: number) => void,
      signal?: AbortSignal,
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
        WHERE ${ofTheirLanes} AND stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND value != ''
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
      const stored = `${ofTheirLanes} AND stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`;
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

    async restoreFindings(
      partitions: number[],
      sinceMs: number,
      onTally: (tally: FindingTally) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      await eachTally(
        'restoring findings',
        `notEmpty(findings) AND ${ofTheirLanes}`,
        { partitions, since: sinceMs },
        onTally,
        signal,
      );
    },

    async tallyKnownFindings(
      findings: readonly { id: string; lane: string }[],
      onTally: (tally: FindingTally) => void,
    ): Promise<void> {
      const known = await knownOf(findings.map(({ id }) => id));
      const wanted = findings.filter(({ id }) => known.has(id));
      for (let start = 0; start < wanted.length; start += LANES_PER_READ) {
        const some = wanted.slice(start, start + LANES_PER_READ);
        const lanes = listOf(some.map(({ lane }) => lane));
        const ids = listOf(some.map(({ id }) => id));
        await eachTally('tallying findings', `lane IN (${lanes}) AND finding IN (${ids})`, {}, onTally);
      }
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
