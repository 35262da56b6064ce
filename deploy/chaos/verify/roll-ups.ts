import type { ClickHouseClient } from '@clickhouse/client';
import { DATABASE } from '../system/engine.ts';
import { createCheck, type CheckResult } from './check.ts';

/** The projection's own statement; with other aggregates ClickHouse would have to read the rows. */
const BY_LANE_HOUR = `SELECT lane, toStartOfHour(seen_at) AS hour, standing, count(), sum(cost_usd),
  sum(tokens_input_uncached), sum(tokens_cache_read), sum(tokens_cache_write), sum(tokens_output),
  uniq(session), uniq(user), uniq(ip), min(seen_at), max(seen_at)
  FROM ${DATABASE}.ledger GROUP BY lane, hour, standing ORDER BY lane, hour, standing`;
const BY_PARTITION = `SELECT kafka_partition, max(kafka_offset) FROM ${DATABASE}.ledger GROUP BY kafka_partition ORDER BY kafka_partition`;

/** Answers the same questions from the projections and from the rows; the engine has to say which it used. */
export async function checkRollUps(client: ClickHouseClient): Promise<CheckResult[]> {
  return [
    await compare(client, 'roll-ups by lane and hour equal the base rows', 'by_lane_hour', BY_LANE_HOUR),
    await compare(client, 'resume points equal the base rows', 'by_kafka_partition', BY_PARTITION),
  ];
}

async function compare(
  client: ClickHouseClient,
  name: string,
  projection: string,
  query: string,
): Promise<CheckResult> {
  const check = createCheck(name);
  const linesOf = async (settings: Record<string, string | number>) => {
    const answer = await client.query({ query, format: 'JSONCompactEachRow', clickhouse_settings: settings });
    return (await answer.text()).split('\n').filter((line) => line !== '');
  };
  // The first fails by itself when the projection can't answer.
  const rolledUp = await linesOf({
    optimize_use_projections: 1,
    force_optimize_projection: 1,
    force_optimize_projection_name: projection,
    preferred_optimize_projection_name: projection,
  });
  const computed = await linesOf({ optimize_use_projections: 0, optimize_use_implicit_projections: 0 });
  for (let index = 0; index < Math.max(rolledUp.length, computed.length); index++)
    if (rolledUp[index] !== computed[index])
      check.fail(`projection ${rolledUp[index] ?? 'has none'}, rows ${computed[index] ?? 'have none'}`);
  if (computed.length === 0) check.fail('there is nothing to compare');
  return check.result(`${computed.length} groups`);
}
