import * as contract from '@lanewatch/query-api/contract';
import type { LedgerItem, LedgerQuery, LedgerTerm } from '@lanewatch/query-api/contract';
import { page } from './fake-lists.ts';
import { sum } from './lanes.ts';
import type { Organisation } from './organisation.ts';

/** `GET /v1/ledger` and what is counted of its rows. */

const endpointOf = (row: LedgerItem) => row.ip || row.host;

function fitsTerm(row: LedgerItem, term: LedgerTerm): boolean {
  if (term.kind === 'number') {
    const has = Number(row[term.field as 'cost_usd']);
    const value = Number(term.value);
    const { comparison } = term;
    if (comparison === '=') return has === value;
    return comparison.startsWith('>')
      ? has > value || (comparison === '>=' && has === value)
      : has < value || (comparison === '<=' && has === value);
  }
  const has = term.field === 'endpoint' ? endpointOf(row) : String(row[term.field as 'user']);
  return term.isPrefix ? has.startsWith(term.value) : has === term.value;
}

/** Terms without a minus that name one field mean any of them. */
function fitsTyped(row: LedgerItem, q: string | undefined): boolean {
  const { terms } = contract.parseLedgerFilter(q ?? '');
  const alike = Map.groupBy(terms, (term) => (term.not || term.kind === 'number' ? term.from : term.field));
  return [...alike.values()].every((any) => any.some((term) => fitsTerm(row, term) !== term.not));
}

function ledgerRows(org: Organisation, query: Partial<LedgerQuery>): LedgerItem[] {
  return org.rows.filter(
    (row) =>
      contract.LEDGER_FILTER_COLUMNS.every((column) => query[column]?.includes(String(row[column])) ?? true) &&
      (query.endpoint?.includes(endpointOf(row)) ?? true) &&
      (query.without ?? []).every((column) => row[column] === '') &&
      (query.finding === undefined || row.findings.includes(query.finding)) &&
      (query.flag === undefined || row.flags.includes(query.flag)) &&
      (query.joins === undefined || row.joins.includes(JSON.stringify(query.joins))) &&
      (query.from === undefined || row.seen_at >= query.from) &&
      (query.to === undefined || row.seen_at < query.to) &&
      (query.stored_after === undefined || row.stored_at > query.stored_after) &&
      (query.place === undefined || `${row.kafka_partition}/${row.kafka_offset}/${row.record_index}` === query.place) &&
      fitsTyped(row, query.q),
  );
}

export function ledgerPage(org: Organisation, query: LedgerQuery): contract.LedgerPage {
  const rows = ledgerRows(org, query);
  const totals = { events: rows.length, cost_usd: sum(rows), sessions: new Set(rows.map((row) => row.session)).size };
  return contract.ledgerPageSchema.parse({
    ...page(query.order === 'asc' ? rows.toReversed() : rows, query),
    totals: query.cursor === undefined && query.totals !== false ? totals : null,
  });
}

const HOUR_MS = 3_600_000;

export function ledgerHistogram(
  org: Organisation,
  query: Partial<LedgerQuery>,
  nowMs: number,
): contract.LedgerHistogram {
  const rows = ledgerRows(org, query);
  const hourOf = (row: LedgerItem) => Math.floor(Date.parse(row.seen_at) / HOUR_MS) * HOUR_MS;
  const steps = [...Map.groupBy(rows, hourOf)].sort(([a], [b]) => a - b);
  return contract.ledgerHistogramSchema.parse({
    from: query.from ?? rows.at(-1)?.seen_at ?? new Date(nowMs).toISOString(),
    to: query.to ?? new Date(nowMs + 1000).toISOString(),
    step_ms: HOUR_MS,
    steps: steps.map(([at, own]) => ({
      at: new Date(at).toISOString(),
      events: own.length,
      failed_events: own.filter(({ outcome }) => outcome !== 'success').length,
      cost_usd: sum(own),
    })),
  });
}
