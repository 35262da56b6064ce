import { TIME_MAX_MS, TIME_MIN_MS } from '@lanewatch/ingest/contract';
import { LEDGER_FILTER_COLUMNS } from '../../contract/index.ts';
import type { LedgerQuery } from '../../contract/index.ts';
import { kindSql } from '../entities/kinds.ts';
import { fieldProblem } from '../http/problem.ts';
import { rowsSince } from './scope.ts';
import type { Scope } from './scope.ts';
import { spellingsOf } from './spelling.ts';
import { typedConditions, withTypedTerms } from './typed-filter.ts';

/** What of a query says which rows are meant. */
export type LedgerFilters = Omit<LedgerQuery, 'limit' | 'cursor' | 'totals' | 'order'>;

const STATUS_CODE_MAX = 65_535;

export const instantSql = (name: string): string => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`;

/**
 * The WHERE clause of a ledger query. Column names come from the contract's closed list; values are parameters only.
 * @throws {ProblemError} for a status code that is no number, or a typed filter that can't be understood
 */
export function ledgerFilter(asked: LedgerFilters): Scope {
  const { query, terms } = withTypedTerms(asked);
  const { conditions, parameters } = typedConditions(terms);
  for (const column of LEDGER_FILTER_COLUMNS) {
    const values = query[column];
    if (values === undefined) continue;
    const numeric = column === 'status_code';
    parameters[`f_${column}`] = numeric ? values.map(statusCodeOf) : spellingsOf(column, values);
    // IN, because the filters per granule that the ledger has of its columns do not know `has`.
    conditions.push(`ledger.\`${column}\` IN {f_${column}:Array(${numeric ? 'UInt16' : 'String'})}`);
  }
  if (query.endpoint !== undefined) {
    parameters['f_endpoint'] = query.endpoint;
    conditions.push(kindSql('endpoint').isOneOf('f_endpoint'));
  }
  for (const column of query.without ?? []) {
    conditions.push(`ledger.\`${column}\` = ${column === 'status_code' ? '0' : "''"}`);
  }
  if (query.finding !== undefined) {
    parameters['f_finding'] = query.finding;
    conditions.push('has(findings, {f_finding:String})');
  }
  if (query.flag !== undefined) {
    parameters['f_flag'] = query.flag;
    conditions.push('has(flags, {f_flag:String})');
  }
  if (query.from !== undefined) {
    const { where, parameters: bounds } = rowsSince(storableMs(query.from), 'f_from', 'ledger.');
    conditions.push(where);
    Object.assign(parameters, bounds);
  }
  if (query.to !== undefined) {
    parameters['f_to'] = storableMs(query.to);
    conditions.push(`ledger.seen_at < ${instantSql('f_to')}`);
  }
  if (query.joins !== undefined) {
    // As it stands in the JSON there.
    parameters['f_joins'] = JSON.stringify(query.joins);
    conditions.push('position(ledger.joins, {f_joins:String}) > 0');
  }
  if (query.stored_after !== undefined) {
    parameters['f_stored'] = storableMs(query.stored_after);
    conditions.push(`ledger.stored_at > ${instantSql('f_stored')}`);
  }
  if (query.place !== undefined) {
    const [partition, offset, index] = query.place.split('/').map(Number);
    Object.assign(parameters, { f_partition: partition, f_offset: offset, f_index: index });
    conditions.push(
      'kafka_partition = {f_partition:UInt32} AND kafka_offset = {f_offset:UInt64} AND record_index = {f_index:UInt32}',
    );
  }
  return { where: conditions.length === 0 ? '1' : conditions.join(' AND '), parameters };
}

/** Bounds beyond what the ledger holds are moved to its edge, where the engine would wrap around. */
export function storableMs(instant: string): number {
  return Math.min(Math.max(Date.parse(instant), TIME_MIN_MS), TIME_MAX_MS);
}

function statusCodeOf(text: string): number {
  const code = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(code <= STATUS_CODE_MAX)) throw fieldProblem('status_code', 'must be a whole number such as 429');
  return code;
}
