import { sql as part } from 'kysely';
import type { SqlEstimate, SqlRequest } from '../../contract/index.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { SQL_SECONDS_MAX, type AnalystEngine } from './analyst.ts';
import { problemOf } from './problems.ts';

/** Rows of a granule, the engine's own default, with which our tables are made. */
const GRANULE_ROWS = 8_192;
/** Rows a second before any query of size was run: a group-by of one column and one sum on two cores. */
const ROWS_PER_SECOND = 20_000_000;
/** Runs that tell how fast queries are here: smaller ones take their time for other things than reading. */
const TELLING_ROWS = 500_000;
const TELLING_RUNS = 50;
/** Planning may run parts of a query, such as one within it that gives a single value. */
const PLAN_SECONDS_MAX = 5;
/** The engine's code for what took longer. */
const TOO_LONG = '159';

interface PlanNode {
  'Node Type': string;
  Indexes?: { 'Selected Granules'?: number }[];
  Plans?: PlanNode[];
}

/**
 * What a query would cost. The engine plans it and does not run it: rows are those of the parts and granules that its indexes leave, in a
 * roll-up where it is answered from one.
 * @throws {ProblemError} for a query that can't or may not run
 */
export async function estimateQuery(
  engine: AnalystEngine,
  db: RegistryDatabase,
  { sql, parameters }: Pick<SqlRequest, 'sql' | 'parameters'>,
): Promise<SqlEstimate> {
  const [planned, perSecond] = await Promise.all([
    plannedRows(engine, sql, parameters).catch((error: unknown) => {
      if ((error as { code?: string }).code === TOO_LONG) return null;
      throw problemOf(error, sql);
    }),
    rowsPerSecond(db),
  ]);
  return {
    rows: planned,
    seconds: planned === null ? null : planned / perSecond,
    seconds_max: SQL_SECONDS_MAX,
  };
}

/** Whether a text selects, which alone has a plan: DESCRIBE, SHOW and EXPLAIN itself read nothing of size. Pure. */
export const isSelect = (sql: string): boolean =>
  // There is one way only to read each comment, so that no text keeps the process busy.
  /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/|\()*(?:select|with|from)\b/i.test(sql);

async function plannedRows(
  engine: AnalystEngine,
  sql: string,
  parameters: SqlRequest['parameters'],
): Promise<number | null> {
  if (!isSelect(sql)) return null;
  const [plans, tables] = await Promise.all([
    engine.rows<{ explain: string }>(`EXPLAIN json = 1, indexes = 1 ${sql}`, parameters, PLAN_SECONDS_MAX),
    engine.rows<{ rows: string | number }>(`EXPLAIN ESTIMATE ${sql}`, parameters, PLAN_SECONDS_MAX),
  ]);
  const granules = plans.flatMap(({ explain }) =>
    (JSON.parse(explain) as { Plan: PlanNode }[]).map(({ Plan }) => granulesOf(Plan)),
  );
  const byPlan = granules.reduce((sum, one) => sum + one, 0) * GRANULE_ROWS;
  // Exact for whole tables, and without roll-ups: what is less is nearer.
  const byTables = tables.reduce((sum, { rows }) => sum + Number(rows), 0);
  return Math.min(byPlan, byTables);
}

function granulesOf({ Indexes, Plans = [] }: PlanNode): number {
  const own = Indexes?.at(-1)?.['Selected Granules'] ?? 0;
  return Plans.reduce((sum, plan) => sum + granulesOf(plan), own);
}

/** How fast the last queries of size were, the middle of them. */
async function rowsPerSecond(db: RegistryDatabase): Promise<number> {
  const runs = db
    .selectFrom('sql_history')
    .select(part<number>`rows_read::float8 / greatest(elapsed_ms, 1) * 1000`.as('rate'))
    .where('rows_read', '>=', TELLING_ROWS)
    .where('problem', '=', '')
    .orderBy('id', 'desc')
    .limit(TELLING_RUNS);
  const found = await db
    .selectFrom(runs.as('run'))
    .select(part<number | null>`percentile_cont(0.5) within group (order by run.rate)`.as('rate'))
    .executeTakeFirst();
  return found?.rate ?? ROWS_PER_SECOND;
}
