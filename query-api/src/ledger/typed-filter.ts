import { parseLedgerFilter } from '../../contract/index.ts';
import type { LedgerQuery, LedgerTerm, NumberField, TextField } from '../../contract/index.ts';
import { kindSql } from '../entities/kinds.ts';
import { ENDPOINT_SQL } from '../lanes/states.ts';
import { fieldProblem } from '../http/problem.ts';
import type { Scope } from './scope.ts';
import { spellingsOf } from './spelling.ts';

type Filters = Omit<LedgerQuery, 'limit' | 'cursor' | 'totals' | 'order'>;

/**
 * A query whose typed filter is read: terms that a parameter says as well become that parameter, so that what is known of these holds for
 * typed ones, too.
 * @throws {ProblemError} naming the first place that can't be understood
 */
export function withTypedTerms(query: Filters): { query: Filters; terms: LedgerTerm[] } {
  if (query.q === undefined) return { query, terms: [] };
  const { terms, problems } = parseLedgerFilter(query.q);
  const [problem] = problems;
  if (problem !== undefined) throw fieldProblem('q', `at sign ${problem.from + 1} ${problem.message}`);
  const { q: _q, ...rest } = query;
  const merged: Filters = rest;
  const kept = terms.filter((term) => {
    if (term.kind !== 'text' || term.not || term.isPrefix || term.field === 'finding' || term.field === 'flag')
      return true;
    merged[term.field] = [...new Set([...(merged[term.field] ?? []), term.value])];
    return false;
  });
  return { query: merged, terms: kept };
}

const TOKENS_SQL = 'tokens_input_uncached + tokens_cache_read + tokens_cache_write + tokens_output';
const numberSql = (field: NumberField): string => (field === 'tokens' ? `(${TOKENS_SQL})` : `ledger.\`${field}\``);
const textSql = (field: Exclude<TextField, 'finding' | 'flag'>): string =>
  field === 'endpoint' ? ENDPOINT_SQL : `ledger.\`${field}\``;

/** Conditions of terms that no parameter says; values are parameters only. */
export function typedConditions(terms: readonly LedgerTerm[]): {
  conditions: string[];
  parameters: Scope['parameters'];
} {
  const parameters: Scope['parameters'] = {};
  const conditions = terms.map((term, index) => {
    const name = `t_${index}`;
    parameters[name] = term.value;
    return `${term.not ? 'NOT ' : ''}(${conditionOf(term, name, parameters)})`;
  });
  return { conditions, parameters };
}

function conditionOf(term: LedgerTerm, name: string, parameters: Scope['parameters']): string {
  if (term.kind === 'number') {
    const type = term.field === 'cost_usd' ? 'Decimal(18, 9)' : 'UInt64';
    return `${numberSql(term.field)} ${term.comparison} {${name}:${type}}`;
  }
  if (term.field === 'finding' || term.field === 'flag') {
    return term.isPrefix
      ? `arrayExists(one -> startsWith(one, {${name}:String}), ${term.field}s)`
      : `has(${term.field}s, {${name}:String})`;
  }
  if (term.isPrefix) {
    // `user:*` asks for any value at all.
    return term.value === '' ? `${textSql(term.field)} != ''` : `startsWith(${textSql(term.field)}, {${name}:String})`;
  }
  parameters[name] = term.field === 'endpoint' ? [term.value] : spellingsOf(term.field, [term.value]);
  return term.field === 'endpoint'
    ? kindSql('endpoint').isOneOf(name)
    : `${textSql(term.field)} IN {${name}:Array(String)}`;
}
