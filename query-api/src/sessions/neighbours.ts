import type { Session } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { instantSql } from '../ledger/filter.ts';
import { rowsSince } from '../ledger/scope.ts';
import { instantOf } from '../ledger/window.ts';

/** How far from a session others are looked for. */
const REACH_MS = 30 * 24 * 3_600_000;

type Lane = Session['lanes'][number];

/** What came before and after a session on one of its lanes: the nearest calls of others. The ledger is sorted by lane and time. */
export async function readNeighbours(
  store: ClickHouse,
  session: string,
  { lane, first_seen, last_seen }: Pick<Lane, 'lane' | 'first_seen' | 'last_seen'>,
): Promise<Pick<Lane, 'before' | 'after'>> {
  const nearest = async (
    bound: string,
    direction: 'ASC' | 'DESC',
    parameters: Record<string, unknown>,
  ): Promise<Lane['before']> => {
    const [row] = await store.rows<{ session: string; at: number | string }>(
      `SELECT toString(ledger.session) AS session, toUnixTimestamp64Milli(ledger.seen_at) AS at FROM ${store.database}.ledger AS ledger
       WHERE ledger.lane = {lane:String} AND ledger.session NOT IN ('', {session:String}) AND ${bound}
       ORDER BY ledger.seen_at ${direction} LIMIT 1`,
      { ...parameters, lane, session },
    );
    return row === undefined ? null : { session: row.session, at: instantOf(Number(row.at)) };
  };
  const firstMs = Date.parse(first_seen);
  const lastMs = Date.parse(last_seen);
  const reach = rowsSince(firstMs - REACH_MS, 'since', 'ledger.');
  const later = rowsSince(lastMs + 1, 'since', 'ledger.');
  const [before, after] = await Promise.all([
    nearest(`ledger.seen_at < ${instantSql('edge')} AND ${reach.where}`, 'DESC', {
      ...reach.parameters,
      edge: firstMs,
    }),
    nearest(`ledger.seen_at < ${instantSql('edge')} AND ${later.where}`, 'ASC', {
      ...later.parameters,
      edge: lastMs + REACH_MS,
    }),
  ]);
  return { before, after };
}
