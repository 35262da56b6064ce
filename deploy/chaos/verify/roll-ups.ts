import type { ClickHouseClient } from '@clickhouse/client';
import { DATABASE } from '../system/engine.ts';
import { createCheck, type CheckResult } from './check.ts';

/**
 * Answers what each aggregate projection of the ledger holds twice, from its own states and from the rows. The statements come
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
  const { query: merged, ambiguous } = await mergedStates(client, projection);
  const linesOf = async (query: string) => {
    const answer = await client.query({
      query: `${query} ORDER BY ALL`,
      format: 'JSONCompactEachRow',
      clickhouse_settings: { optimize_use_projections: 0, optimize_use_implicit_projections: 0 },
    });
    const rows = await answer.json<unknown[]>();
    return rows.map((row) => JSON.stringify(row.filter((_value, column) => !ambiguous.has(column))));
  };
  const rolledUp = await linesOf(merged);
  const computed = await linesOf(statement.replace(/ GROUP BY /, ` FROM ${DATABASE}.ledger GROUP BY `));
  for (let index = 0; index < Math.max(rolledUp.length, computed.length); index++)
    if (rolledUp[index] !== computed[index])
      check.fail(`projection ${rolledUp[index] ?? 'has none'}, rows ${computed[index] ?? 'have none'}`);
  if (computed.length === 0) check.fail('there is nothing to compare');
  return check.result(`${computed.length} groups`);
}

/**
 * The query that adds a projection's states up. They are read as they lie in the parts: asked for the same by an ordinary query, the engine
 * goes by what is less to read, which in a small ledger are the rows. Ambiguous are the columns of the latest row: of two with the same time
 * either may be it.
 */
async function mergedStates(
  client: ClickHouseClient,
  projection: string,
): Promise<{ query: string; ambiguous: Set<number> }> {
  const source = `mergeTreeProjection('${DATABASE}', 'ledger', '${projection}')`;
  const answer = await client.query({ query: `DESCRIBE ${source}`, format: 'JSONCompactEachRow' });
  const columns = (await answer.json<[string, string]>()).map(([name, type]) => {
    const quoted = `\`${name.replaceAll(/[\\`]/g, '\\$&')}\``;
    const [, aggregate] = /^AggregateFunction\(([^,()]+)/.exec(type) ?? [];
    return aggregate === undefined ? quoted : `${aggregate}Merge(${quoted})`;
  });
  const ambiguous = new Set(columns.flatMap((column, index) => (column.startsWith('argMax') ? [index] : [])));
  return { query: `SELECT ${columns.join(', ')} FROM ${source} GROUP BY ALL`, ambiguous };
}
