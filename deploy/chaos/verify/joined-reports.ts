import type { ClickHouseClient } from '@clickhouse/client';
import { DATABASE } from '../system/engine.ts';
import { TWICE_REPORTED } from '../workload/events.ts';
import { createCheck, type CheckResult } from './check.ts';

/** Requests of which both reports are there, and what their rows come to, corrections included. */
const REQUESTS = `SELECT request_id, sum(calls) AS calls, sum(toInt64(tokens_output)) AS output, sum(cost_usd) AS cost,
    maxIf(tokens_output, joins = '') AS output_told, maxIf(cost_usd, joins = '') AS cost_told
  FROM ${DATABASE}.ledger WHERE startsWith(request_id, '${TWICE_REPORTED}')
  GROUP BY request_id HAVING countIf(joins = '') = 2`;

/** How many requests with two reports do not count once yet. */
export async function unjoinedRequests(client: ClickHouseClient): Promise<number> {
  const answer = await client.query({
    query: `SELECT count() FROM (${REQUESTS}) WHERE calls != 1`,
    format: 'JSONCompactEachRow',
  });
  const [row] = await answer.json<[string | number]>();
  return Number(row?.[0] ?? 0);
}

/** Every request that two have reported counts once, with its tokens and cost, and no correction is stored twice. */
export async function checkJoined(client: ClickHouseClient): Promise<CheckResult[]> {
  const rowsOf = async <Row>(query: string): Promise<Row[]> =>
    (await client.query({ query, format: 'JSONCompactEachRow' })).json<Row>();
  const once = createCheck('a request with two reporters counts once');
  const requests = await rowsOf<[string, string, string, string, string, string]>(REQUESTS);
  for (const [id, calls, output, cost, outputTold, costTold] of requests)
    if (Number(calls) !== 1 || Number(output) !== Number(outputTold) || Number(cost) !== Number(costTold))
      once.fail(`${id}: ${calls} calls, ${output} of ${outputTold} tokens, ${cost} of ${costTold} dollars`);
  const stored = createCheck('each correction is stored once');
  const corrections = await rowsOf<[string, string]>(
    `SELECT id, count() FROM ${DATABASE}.ledger WHERE joins != '' GROUP BY id`,
  );
  for (const [id, count] of corrections) if (Number(count) !== 1) stored.fail(`${id}: ${count} times`);
  return [once.result(`${requests.length} requests`), stored.result(`${corrections.length} corrections`)];
}
