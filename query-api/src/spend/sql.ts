import type { SpendDimension, SpendScope } from '../../contract/index.ts';
import { BOUNDED_SQL } from '../ledger/bounded.ts';
import type { Scope } from '../ledger/scope.ts';
import { filterSql, keySql, valueSql } from './dimensions.ts';
import { periodScope } from './period.ts';
import type { Period } from './period.ts';
import { SUM_NAMES, SUMS_SQL } from './sums.ts';

/** Rows of an answer. */
const ROWS_MAX = 100;

/** A statement with what fills its places. */
export interface Statement {
  sql: string;
  parameters: Record<string, unknown>;
}

/** What is counted, and from where. */
export interface Source {
  database: string;
  by: SpendDimension;
  scope: Partial<SpendScope>;
  period: Period;
  /** Read from the roll-up by day; else from rows, as many as a page is worth. */
  isRolledUp: boolean;
}

const LIMITS = ({ isRolledUp }: Source): string => (isRolledUp ? '' : BOUNDED_SQL);

function whereOf({ database, scope, period, isRolledUp }: Source): Scope {
  const time = periodScope(period, isRolledUp);
  const filter = filterSql(database, scope);
  return {
    where: `${time.where} AND ${filter.where}`,
    parameters: { ...time.parameters, ...filter.parameters },
  };
}

/** Groups by key and other expressions, each with a name, in the roll-up's words. */
function groupsSql(source: Source, further: Record<string, string>): Statement {
  const { where, parameters } = whereOf(source);
  const names = Object.entries({ key: keySql(source.by), ...further });
  return {
    sql: `SELECT ${names.map(([name, sql]) => `${sql} AS ${name}`).join(', ')}, ${SUMS_SQL}
      FROM ${source.database}.ledger AS ledger WHERE ${where} GROUP BY ${names.map(([, sql]) => sql).join(', ')}`,
    parameters,
  };
}

const sumSql = (name: string, condition = ''): string =>
  condition === '' ? `sum(part.${name})` : `sumIf(part.${name}, ${condition})`;

/** The dearest values with their sums, and on each of them (`total_…`, `unknown_…`, `unattributed_…`) what all values come to. */
export function rowsSql(source: Source): Statement {
  const { sql, parameters } = groupsSql(source, { standing_then: 'ledger.standing' });
  const { from, value } = valueSql(source.database, source.by, sql);
  const parts = ['unknown', 'unattributed'].flatMap((standing) =>
    (['cost', 'calls'] as const).map(
      (name) => `${sumSql(name, `part.standing_then = '${standing}'`)} AS ${standing}_${name}`,
    ),
  );
  const ofAll = [
    ...SUM_NAMES.map((name) => [name, `total_${name}`] as const),
    ...['unknown_cost', 'unknown_calls', 'unattributed_cost', 'unattributed_calls'].map(
      (name) => [name, `all_${name}`] as const,
    ),
  ].map(([name, as]) => `${asText(name)(`sum(one.${name}) OVER ()`)} AS ${as}`);
  return {
    sql: `SELECT one.value AS value, ${SUM_NAMES.map((name) => `${asText(name)(`one.${name}`)} AS ${name}`).join(', ')},
        ${ofAll.join(', ')}, count() OVER () AS value_count
      FROM (SELECT ${value} AS value, ${SUM_NAMES.map((name) => `${sumSql(name)} AS ${name}`).join(', ')}, ${parts.join(', ')}
        FROM ${from} GROUP BY value) AS one
      ORDER BY one.cost DESC, one.calls DESC, one.value LIMIT ${ROWS_MAX} ${LIMITS(source)}`,
    parameters,
  };
}

const asText =
  (name: string) =>
  (sql: string): string =>
    name.endsWith('cost') ? `toString(${sql})` : sql;

/** Cost and calls of each of `{shown:Array(String)}` and of all others together (`is_shown` 0), by further expressions. */
export function shownSql(source: Source, shown: readonly string[], further: Record<string, string> = {}): Statement {
  const { sql, parameters } = groupsSql(source, further);
  const { from, value } = valueSql(source.database, source.by, sql);
  const names = Object.keys(further);
  const list = (names: readonly string[]): string => names.map((name) => `, part.${name} AS ${name}`).join('');
  return {
    sql: `SELECT has({shown:Array(String)}, ${value}) AS is_shown, if(is_shown, ${value}, '') AS shown_value${list(names)},
        toString(sum(part.cost)) AS spent, sum(part.calls) AS call_count
      FROM ${from} GROUP BY is_shown, shown_value${names.map((name) => `, part.${name}`).join('')} ${LIMITS(source)}`,
    parameters: { ...parameters, shown },
  };
}

/** What a step of the chart begins with: a UTC day, or the start of so many seconds. */
export function stepSql({ period: { isOfDays, stepMs }, isRolledUp }: Source): string {
  if (isRolledUp || isOfDays || stepMs >= 86_400_000) return 'toDate(seen_at)';
  return `toStartOfInterval(ledger.seen_at, INTERVAL ${stepMs / 1000} SECOND, 'UTC')`;
}
