import type { SpendSavings, SpendSavingsQuery } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { BOUNDED_SQL, readWithin } from '../ledger/bounded.ts';
import { instantOf } from '../ledger/window.ts';
import { filterSql, isInRollUp } from './dimensions.ts';
import { periodOf, periodScope } from './period.ts';
import type { Period } from './period.ts';
import { savingsOf } from './savings.ts';
import type { ModelUse } from './savings.ts';
import { SUMS_SQL, sumsOf } from './sums.ts';
import type { SumsJson } from './sums.ts';

/** Models told of, the dearest. */
const MODELS_MAX = 30;

interface UseJson extends SumsJson {
  model_name: string;
  maker: string;
  place: string;
}

const TOKENS = 'tokens_input_uncached + tokens_cache_read + tokens_cache_write + tokens_output';

async function readUses(store: ClickHouse, query: SpendSavingsQuery, period: Period): Promise<ModelUse[]> {
  const isRolledUp = period.isOfDays && isInRollUp(query, 'model');
  const time = periodScope(period, isRolledUp);
  const filter = filterSql(store.database, query);
  // Calls without tokens, such as refused ones, would make the mean call smaller than any was.
  const rows = await store.rows<UseJson>(
    `SELECT * REPLACE (toString(cost) AS cost, with_tokens AS calls) FROM (
       SELECT ledger.model AS model_name, ledger.provider AS maker, ledger.served_by AS place,
         sumIf(ledger.calls, ${TOKENS} > 0) AS with_tokens, ${SUMS_SQL}
       FROM ${store.database}.ledger AS ledger WHERE ${time.where} AND ${filter.where} AND ledger.model != ''
       GROUP BY ledger.model, ledger.provider, ledger.served_by HAVING with_tokens > 0
       ORDER BY cost DESC, with_tokens DESC LIMIT ${MODELS_MAX}) ${isRolledUp ? '' : BOUNDED_SQL}`,
    { ...time.parameters, ...filter.parameters },
  );
  return rows.map((row) => ({
    ...{ model: row.model_name, provider: row.maker, served_by: row.place },
    ...sumsOf(row),
  }));
}

/**
 * What a switch of models or a cache would have saved.
 * @throws {ReadTooLargeError} where bounds were given that have too many rows
 */
export async function readSavings(store: ClickHouse, query: SpendSavingsQuery, nowMs: number): Promise<SpendSavings> {
  const answer = async (period: Period): Promise<SpendSavings> => ({
    ...savingsOf(await readUses(store, query, period), query.switch_to, nowMs),
    from: instantOf(period.fromMs),
    to: instantOf(period.untilMs ?? nowMs + 1),
    is_complete: true,
  });
  if (query.from !== undefined) return answer(periodOf(query, nowMs));
  const { result, isComplete } = await readWithin(query.window, nowMs, (_fromMs, window) =>
    answer(periodOf({ window }, nowMs)),
  );
  return { ...result, is_complete: isComplete };
}
