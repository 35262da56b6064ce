import { pageQuerySchema, valueOfSegment } from '@lanewatch/query-api/contract';
import { placeOf } from '#lib/place.ts';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const { limit, cursor } = parseQuery(pageQuerySchema, url.searchParams);
  const session = await locals.api.session(valueOfSegment(params.session), { limit, cursor });
  const { calls, ...summary } = session;
  return {
    session: summary,
    // What the page shows of a call: all columns of all calls would be most of the page's weight.
    calls: calls.items.map((row) => ({
      place: placeOf(row),
      seen_at: row.seen_at,
      lane: row.lane,
      hint: row.hint,
      standing: row.standing,
      model: row.model,
      operation: row.operation,
      outcome: row.outcome,
      status_code: row.status_code,
      tokens_in: row.tokens_input_uncached + row.tokens_cache_read + row.tokens_cache_write,
      tokens_out: row.tokens_output,
      cost_usd: row.cost_usd,
      latency_ms: row.latency_ms,
      reports: row.joins === '' ? 1 : (JSON.parse(row.joins) as unknown[]).length,
    })),
    next_cursor: calls.next_cursor,
  };
};
