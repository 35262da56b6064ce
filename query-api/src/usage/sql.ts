import { USAGE_MEASURES } from '../../contract/index.ts';
import type { UsageDimension, UsageMeasure, UsageQuery } from '../../contract/index.ts';
import { BOUNDED_SQL } from '../ledger/bounded.ts';
import { periodScope } from '../spend/period.ts';
import type { Period } from '../spend/period.ts';
import type { Statement } from '../spend/sql.ts';

/** What each measure counts, corrections included. The ledger's own filters say the same, so that a count opens its rows. */
const COUNTED: Record<UsageMeasure, string> = {
  calls: 'sum(ledger.calls)',
  executions: `sumIf(ledger.calls, ledger.action = 'execution')`,
  failed_authentications: `sumIf(ledger.calls, ledger.outcome = 'denied')`,
  agent_calls: `sumIf(ledger.calls, ledger.agent != '')`,
};

/** Values with the most of a measure that are told one by one. */
const RANKED: Partial<Record<UsageMeasure, number>> = { calls: 30, executions: 10, failed_authentications: 10 };

export interface Source {
  database: string;
  period: Period;
  filters: Pick<UsageQuery, 'module' | 'environment'>;
}

const stepSql = (stepMs: number): string =>
  `toUnixTimestamp(toStartOfInterval(ledger.seen_at, INTERVAL ${stepMs / 1000} SECOND, 'UTC'))`;

function groupsSql({ database, period, filters }: Source, by: UsageDimension | null): Statement {
  const { where, parameters } = periodScope(period, false);
  const conditions = [where];
  for (const name of ['module', 'environment'] as const) {
    if (filters[name] === undefined) continue;
    conditions.push(`ledger.${name} = {f_${name}:String}`);
    parameters[`f_${name}`] = filters[name];
  }
  const value = by === null ? '' : `toString(ledger.${by}) AS value, `;
  const counts = USAGE_MEASURES.map((measure) => `${COUNTED[measure]} AS ${measure}`).join(', ');
  return {
    sql: `SELECT ${value}${stepSql(period.stepMs)} AS step, ${counts}
      FROM ${database}.ledger AS ledger WHERE ${conditions.join(' AND ')} GROUP BY ${by === null ? '' : 'value, '}step`,
    parameters,
  };
}

/** Counts of everything by step. */
export function totalsSql(source: Source): Statement {
  const { sql, parameters } = groupsSql(source, null);
  return { sql: `${sql} ${BOUNDED_SQL}`, parameters };
}

/** Values with the most of some measure, each with its steps; on each of them how many values there are. */
export function rowsSql(source: Source, by: UsageDimension): Statement {
  const { sql, parameters } = groupsSql(source, by);
  const sums = USAGE_MEASURES.map((measure) => `sum(one.${measure}) AS ${measure}`).join(', ');
  const step = ['step', ...USAGE_MEASURES].map((name) => `one.${name}`).join(', ');
  const ranks = Object.keys(RANKED).map((name) => `row_number() OVER (ORDER BY ${name} DESC, value) AS by_${name}`);
  const isShown = Object.entries(RANKED).map(([name, most]) => `by_${name} <= ${most} AND ${name} > 0`);
  return {
    sql: `SELECT * FROM (SELECT *, ${ranks.join(', ')}, count() OVER () AS value_count,
          countIf(value NOT IN ('', 'unattributed')) OVER () AS named_count
        FROM (SELECT one.value AS value, ${sums}, groupArray((${step})) AS steps FROM (${sql}) AS one GROUP BY one.value HAVING calls > 0))
      WHERE ${isShown.join(' OR ')} ORDER BY calls DESC, value ${BOUNDED_SQL}`,
    parameters,
  };
}
