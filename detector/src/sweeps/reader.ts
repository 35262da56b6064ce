import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_TABLE, SEVERITIES, type Severity } from '../../contract/index.ts';
import { quoted } from '../ledger/migrate/template.ts';
import type { FloodReader } from './flood-watch.ts';
import type { Coverage } from './r28-coverage-gap.ts';
import { DAY_MS, type Guards } from './sweep.ts';

/** What jobs read of ClickHouse. Everything of lanes comes from the ledger's roll-up by day. */
export interface SweepReader extends FloodReader {
  /** When each lane was seen last, epoch milliseconds. */
  lastUses(): Promise<Map<string, number>>;
  /** Spend of each lane since these UTC days (epoch milliseconds), billionths of a dollar. */
  spends(sinceMs: readonly [day: number, week: number, month: number]): Promise<Map<string, [number, number, number]>>;
  /** By collector and hour (its beginning, epoch milliseconds) the minutes with events, and when the last one was received. */
  collectorHours(sinceMs: number): Promise<{ collector: string; hourMs: number; minutes: number; lastMs: number }[]>;
  /** Billed and observed by key and day, of days that are over. */
  coverage(sinceMs: number): Promise<({ credentialId: string } & Coverage)[]>;
  guards(): Promise<Map<string, Guards>>;
  writeGuards(guards: ReadonlyMap<string, Guards>, atMs: number): Promise<void>;
}

const GUARDS_PER_WRITE = 5_000;
/** A row's evidence of a finding that counts what is too many: its id, a blank, and JSON of which this is a part. */
const IS_FLOOD = `position(text, '"grouped":true') > 0`;
const FLOOD_ID = 'substring(text, 1, 28)';
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** @param database the ledger's */
export function createSweepReader(client: ClickHouseClient, database: string): SweepReader {
  const ledger = `${database}.${LEDGER_TABLE}`;

  async function eachRow<Row>(query: string, onRow: (row: Row) => void): Promise<void> {
    const answer = await client.query({
      query,
      format: 'JSONCompactEachRow',
      // What else it asks must stay quick beside it.
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0, max_threads: 1 },
    });
    for await (const rows of answer.stream<Row>()) for (const row of rows) onRow(row.json<Row>());
  }

  return {
    async lastUses() {
      const uses = new Map<string, number>();
      await eachRow<[string, number]>(
        `SELECT lane, toUnixTimestamp64Milli(max(seen_at)) FROM ${ledger} GROUP BY lane`,
        ([lane, lastMs]) => uses.set(lane, lastMs),
      );
      return uses;
    },
    async spends([day, week, month]) {
      const spends = new Map<string, [number, number, number]>();
      const first = dayOf(Math.min(day, week, month));
      await eachRow<[string, string, string, string]>(
        `SELECT lane, toString(sumIf(usd, seen_on >= '${dayOf(day)}')), toString(sumIf(usd, seen_on >= '${dayOf(week)}')),
                toString(sumIf(usd, seen_on >= '${dayOf(month)}'))
         FROM (SELECT lane, toDate(seen_at) AS seen_on, sum(cost_usd) AS usd FROM ${ledger}
               WHERE toDate(seen_at) >= '${first}' GROUP BY lane, seen_on)
         GROUP BY lane`,
        ([lane, ...usd]) =>
          spends.set(lane, usd.map((text) => Math.round(Number(text) * 1e9)) as [number, number, number]),
      );
      return spends;
    },
    async collectorHours(sinceMs) {
      const hours: { collector: string; hourMs: number; minutes: number; lastMs: number }[] = [];
      await eachRow<[string, number, number, number]>(
        `SELECT collector, toUnixTimestamp(toStartOfHour(received_at)), uniqExact(toStartOfMinute(received_at)), toUnixTimestamp64Milli(max(received_at))
         FROM ${ledger} WHERE stored_at >= fromUnixTimestamp64Milli(${sinceMs}, 'UTC') AND collector != '' GROUP BY 1, 2`,
        ([collector, hour, minutes, lastMs]) => hours.push({ collector, hourMs: hour * 1000, minutes, lastMs }),
      );
      return hours;
    },
    async floodsSince(sinceMs) {
      const ids: string[] = [];
      await eachRow<[string]>(
        `SELECT DISTINCT ${FLOOD_ID} FROM ${ledger} ARRAY JOIN evidence AS text
         WHERE stored_at >= fromUnixTimestamp64Milli(${sinceMs}, 'UTC') AND ${IS_FLOOD}`,
        ([id]) => ids.push(id),
      );
      return ids;
    },
    async floods(ids) {
      const floods: Awaited<ReturnType<FloodReader['floods']>> = [];
      const list = ids.map(quoted).join(', ');
      await eachRow<[string, string, number, number, number, number, number, number]>(
        `SELECT ${FLOOD_ID} AS flood, any(collector), max(indexOf([${SEVERITIES.map(quoted).join(', ')}],
                  JSONExtractString(substring(text, 30), 'severity'))), count(), uniqExact(lane),
                toUnixTimestamp64Milli(min(seen_at)), toUnixTimestamp64Milli(max(seen_at)), toUnixTimestamp64Milli(max(received_at))
         FROM ${ledger} ARRAY JOIN evidence AS text
         WHERE hasAny(findings, [${list}]) AND flood IN (${list}) AND ${IS_FLOOD} GROUP BY flood ORDER BY flood`,
        ([id, collector, rank, rows, lanes, firstMs, lastMs, lastReceivedMs]) => {
          const severity: Severity = SEVERITIES[rank - 1] ?? 'medium';
          floods.push({ id, collector, severity, rows, lanes, firstMs, lastMs, lastReceivedMs });
        },
      );
      return floods;
    },
    async coverage(sinceMs) {
      // What counts under another key, because a gateway exchanged the two, is billed under this one.
      const days: ({ credentialId: string } & Coverage)[] = [];
      await eachRow<[string, number, string, string]>(
        `SELECT billed.credential_id, toUnixTimestamp(toDateTime(billed.day, 'UTC')), toString(billed.usd), toString(observed.usd)
         FROM (SELECT credential_id, day, sum(billed_usd) AS usd FROM ${database}.provider_totals FINAL
               WHERE day >= '${dayOf(sinceMs)}' GROUP BY credential_id, day) AS billed
         LEFT JOIN (SELECT credential_id, day, sum(usd) AS usd FROM (
                      SELECT credential_id, toDate(seen_at) AS day, sum(cost_usd) AS usd FROM ${ledger}
                      WHERE toDate(seen_at) >= '${dayOf(sinceMs)}' GROUP BY credential_id, day
                      UNION ALL
                      SELECT credential_id, toDate(seen_at) AS day, -sum(cost_usd) AS usd FROM ${ledger}
                      WHERE toDate(seen_at) >= '${dayOf(sinceMs)}' AND calls < 0 AND has(flags, 'other_key') GROUP BY credential_id, day)
                    GROUP BY credential_id, day) AS observed
         ON observed.credential_id = billed.credential_id AND observed.day = billed.day`,
        ([credentialId, day, billed, observed]) =>
          days.push({ credentialId, dayMs: day * 1000, billedUsd: Number(billed), observedUsd: Number(observed) }),
      );
      return days;
    },
    async guards() {
      const guards = new Map<string, Guards>();
      await eachRow<[string, string]>(`SELECT record_key, guards FROM ${database}.guards FINAL`, ([key, text]) =>
        guards.set(key, JSON.parse(text) as Guards),
      );
      return guards;
    },
    async writeGuards(guards, atMs) {
      const rows = [...guards].map(([record_key, own]) => ({
        record_key,
        guards: JSON.stringify(own),
        looked_at: new Date(atMs).toISOString(),
      }));
      for (let at = 0; at < rows.length; at += GUARDS_PER_WRITE)
        await client.insert({
          table: `${database}.guards`,
          values: rows.slice(at, at + GUARDS_PER_WRITE),
          format: 'JSONEachRow',
          clickhouse_settings: { async_insert: 0, date_time_input_format: 'best_effort', wait_end_of_query: 1 },
        });
    },
  };
}

/** Beginning of the UTC day. */
export const dayStartMs = (ms: number): number => ms - (ms % DAY_MS);
