import type { ClickHouseClient } from '@clickhouse/client';
import { BACKTESTS_TABLE } from '../../contract/index.ts';
import type { BacktestProgress } from './backtests.ts';

/** The table with the state of each backtest. */
export function backtestsTable(client: ClickHouseClient, database: string, now: () => number) {
  const table = `${database}.${BACKTESTS_TABLE}`;
  let latestMs = 0;
  return {
    async write({ request, state, rowsDone, rowsTotal, result, problem, startedMs }: BacktestProgress): Promise<void> {
      // The newest row counts, so no two are of one instant.
      latestMs = Math.max(now(), latestMs + 1);
      await client.insert({
        table,
        values: [
          {
            ...{ id: request.id, rule: request.settings.rule, state, request: JSON.stringify(request), problem },
            ...{ rows_done: rowsDone, rows_total: rowsTotal, result: result === null ? '' : JSON.stringify(result) },
            ...{ started_at: new Date(startedMs).toISOString(), updated_at: new Date(latestMs).toISOString() },
          },
        ],
        format: 'JSONEachRow',
        clickhouse_settings: { date_time_input_format: 'best_effort', wait_end_of_query: 1 },
      });
    },
    async isOver(id: string): Promise<boolean> {
      const answer = await client.query({
        query: `SELECT count() AS rows FROM ${table} WHERE id = {id:String} AND state != 'running'`,
        query_params: { id },
        format: 'JSONEachRow',
      });
      return Number((await answer.json<{ rows: string }>())[0]?.rows ?? 0) > 0;
    },
  };
}
