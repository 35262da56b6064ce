import { canonicalHint } from '@lanewatch/ingest/contract';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince } from '../ledger/scope.ts';

/** A lane that is used under a masked form. */
export interface ObservedLane {
  hint: string;
  lane: string;
  fingerprint: string;
  events: number;
  costUsd: string;
}

const WINDOW_MS = 30 * 86_400_000;
const LANES_MAX = 20_000;

/** Lanes that were used under these masked forms within thirty days, by the form; only forms that one lane alone has. */
export async function readObserved(
  store: ClickHouse,
  hints: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, ObservedLane>> {
  const { where, parameters } = rowsSince(nowMs - WINDOW_MS, 'since', 'ledger.');
  const rows = await store.rows<{
    hint: string;
    lane: string;
    fingerprint: string;
    events: number | string;
    cost: string;
  }>(
    `SELECT ledger.hint AS hint, ledger.lane AS lane, any(ledger.fingerprint) AS fingerprint, sum(ledger.calls) AS events,
       toString(sum(ledger.cost_usd)) AS cost
     FROM ${store.database}.ledger AS ledger WHERE ${where} AND ledger.hint IN {hints:Array(String)}
     GROUP BY hint, lane HAVING events > 0 LIMIT {limit:UInt32}`,
    { ...parameters, hints: hints.map(canonicalHint), limit: LANES_MAX },
  );
  const byHint = Map.groupBy(rows, ({ hint }) => hint);
  return new Map(
    [...byHint].flatMap(([hint, lanes]) => {
      const [one, ...others] = lanes;
      if (one === undefined || others.length > 0) return [];
      return [
        [hint, { hint, lane: one.lane, fingerprint: one.fingerprint, events: Number(one.events), costUsd: one.cost }],
      ];
    }),
  );
}
