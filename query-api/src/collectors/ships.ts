import type { Collectors } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince } from '../ledger/scope.ts';
import { DAY_MS, instantOf } from '../ledger/window.ts';

const PROGRAMS_MAX = 10;

type Ships = NonNullable<Collectors['items'][number]['ships']>;

/** Programs whose events came through each collector in the last 24 hours, by collector. */
export async function readShips(store: ClickHouse, nowMs: number): Promise<ReadonlyMap<string, Ships>> {
  const { where, parameters } = rowsSince(nowMs - DAY_MS);
  const rows = await store.rows<{
    collector: string;
    agent: string;
    agent_version: string;
    reporter: string;
    events: number | string;
    last: number | string;
  }>(
    `SELECT collector, agent, agent_version, reporter, count() AS events, toUnixTimestamp64Milli(max(seen_at)) AS last
     FROM ${store.database}.ledger WHERE ${where} GROUP BY collector, agent, agent_version, reporter
     ORDER BY collector, events DESC LIMIT ${PROGRAMS_MAX} BY collector LIMIT 5000`,
    parameters,
  );
  const ships = new Map<string, Ships>();
  for (const { collector, events, last, ...program } of rows) {
    const shipped = { ...program, events: Number(events), last_seen: instantOf(Number(last)) };
    ships.set(collector, [...(ships.get(collector) ?? []), shipped]);
  }
  return ships;
}
