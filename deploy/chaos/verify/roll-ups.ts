import type { ClickHouseClient } from '@clickhouse/client';
import { DATABASE } from '../system/engine.ts';
import { createCheck, type CheckResult } from './check.ts';

type Settings = Record<string, string | number>;

/**
 * Answers what each aggregate projection of the ledger holds twice, from the projection and from the rows. The statements come
 * from the table itself, so a projection that is added is checked, too.
 */
export async function checkRollUps(client: ClickHouseClient): Promise<CheckResult[]> {
  const answer = await client.query({
    query: `SELECT name, query FROM system.projections
            WHERE database = {database:String} AND table = 'ledger' AND type = 'Aggregate'`,
    query_params: { database: DATABASE },
    format: 'JSONCompactEachRow',
  });
  const projections = await answer.json<[string, string]>();
  if (projections.length === 0) {
    const none = createCheck('roll-ups equal the base rows');
    none.fail('the ledger has no roll-up');
    return [none.result('')];
  }
  return Promise.all(projections.map(([name, statement]) => compare(client, name, statement)));
}

async function compare(client: ClickHouseClient, projection: string, statement: string): Promise<CheckResult> {
  const check = createCheck(`roll-ups (${projection}) equal the base rows`);
  const query = `${statement.replace(/ GROUP BY /, ` FROM ${DATABASE}.ledger GROUP BY `)} ORDER BY ALL`;
  const linesOf = async (settings: Settings) => {
    // As readers send it: the engine would rewrite a comparison with an empty text and then not know the projection's own expression.
    const clickhouse_settings = { ...settings, optimize_empty_string_comparisons: 0 };
    const answer = await client.query({ query, format: 'JSONCompactEachRow', clickhouse_settings });
    return (await answer.text()).split('\n').filter((line) => line !== '');
  };
  // An error when the engine would rather read the rows: then nothing would have been compared.
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
