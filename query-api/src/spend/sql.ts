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
  /** Read from a roll-up by day; else from rows, as many as a page is worth. */
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

/** Groups by key and other expressions, each with a name, in the roll-ups' words. */
function groupsSql(source: Source, further: Record<string, string>): Statement {
  const { where, parameters } = whereOf(source);
  const names = Object.entries({ key: keySql(source.by), ...further });
  return {
    sql: `SELECT ${names.map(([name, sql]) => `${sql} AS ${name}`).join(', ')}, ${SUMS_SQL}
      FROM ${source.database}.ledger AS ledger WHERE ${where} GROUP BY ${names.map(([, sql]) => sql).join(', ')}`,
    parameters,
  };
}

/** Sums of some of a value's rows: by the standing they had, and by where their cost comes from, which is never one sum. */
const PARTS: Readonly<Record<string, { of: 'cost' | 'calls'; condition: string }>> = {
  unknown_cost: { of: 'cost', condition: `part.standing_then = 'unknown'` },
  unknown_calls: { of: 'calls', condition: `part.standing_then = 'unknown'` },
  unattributed_cost: { of: 'cost', condition: `part.standing_then = 'unattributed'` },
  unattributed_calls: { of: 'calls', condition: `part.standing_then = 'unattributed'` },
  reported_cost: { of: 'cost', condition: `part.basis = 'reported'` },
  estimated_cost: { of: 'cost', condition: `part.basis = 'estimated'` },
  // What has no basis is a call without a price, whatever it says to have cost.
  unpriced_calls: { of: 'calls', condition: `part.basis NOT IN ('reported', 'estimated')` },
};

/** The dearest values with their sums and parts, and on each of them (`total_…`) what all values come to. */
export function rowsSql(source: Source): Statement {
  const { sql, parameters } = groupsSql(source, { standing_then: 'ledger.standing', basis: 'ledger.cost_basis' });
  const { from, value } = valueSql(source.database, source.by, sql);
  const sums = [
    ...SUM_NAMES.map((name) => `sum(part.${name}) AS ${name}`),
    ...Object.entries(PARTS).map(([name, { of, condition }]) => `sumIf(part.${of}, ${condition}) AS ${name}`),
  ];
  const names = [...SUM_NAMES, ...Object.keys(PARTS)];
  const shown = names.flatMap((name) => [
    `${asText(name, `one.${name}`)} AS ${name}`,
    `${asText(name, `sum(one.${name}) OVER ()`)} AS total_${name}`,
  ]);
  return {
    sql: `SELECT one.value AS value, ${shown.join(', ')}, count() OVER () AS value_count
      FROM (SELECT ${value} AS value, ${sums.join(', ')} FROM ${from} GROUP BY value) AS one
      ORDER BY one.cost DESC, one.calls DESC, one.value LIMIT ${ROWS_MAX} ${LIMITS(source)}`,
    parameters,
  };
}

/** Money travels as text, so that no digit is lost. */
const asText = (name: string, sql: string): string => (name.endsWith('cost') ? `toString(${sql})` : sql);

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
