import type { EntityKind, LedgerItem } from '@lanewatch/query-api/contract';

type Shown = Exclude<keyof LedgerItem, 'findings' | 'flags' | 'sent_as' | 'rate_limits'>;
/** A column of the table: its head, how its values are drawn, and whose pages they lead to. */
export interface LedgerColumn {
  name: Shown;
  head: string;
  kind: 'time' | 'key' | 'standing' | 'entity' | 'text' | 'number' | 'money';
  entity?: EntityKind;
}

const entity = (name: Shown, head: string, of: EntityKind): LedgerColumn => ({
  name,
  head,
  kind: 'entity',
  entity: of,
});
const text = (name: Shown, head: string): LedgerColumn => ({ name, head, kind: 'text' });
const number = (name: Shown, head: string): LedgerColumn => ({ name, head, kind: 'number' });

/** Every column that a table can have, in its order. The time comes first and always. */
export const LEDGER_COLUMNS: readonly LedgerColumn[] = [
  { name: 'hint', head: 'Key', kind: 'key' },
  { name: 'standing', head: 'Then', kind: 'standing' },
  entity('user', 'Person', 'user'),
  entity('agent', 'Agent', 'agent'),
  text('agent_version', 'Version'),
  entity('session', 'Session', 'session'),
  entity('model', 'Model', 'model'),
  entity('repo', 'Repository', 'repo'),
  text('branch', 'Branch'),
  entity('org', 'Organization', 'org'),
  entity('ip', 'Address', 'endpoint'),
  text('host', 'Host'),
  text('module', 'Module'),
  text('environment', 'Environment'),
  text('provider', 'Provider'),
  text('served_by', 'Served by'),
  text('operation', 'Operation'),
  text('action', 'Action'),
  text('outcome', 'Outcome'),
  number('status_code', 'Status'),
  number('tokens_input_uncached', 'Tokens in'),
  number('tokens_cache_read', 'Cache read'),
  number('tokens_cache_write', 'Cache write'),
  number('tokens_output', 'Tokens out'),
  number('latency_ms', 'Took, ms'),
  { name: 'cost_usd', head: 'Cost', kind: 'money' },
  text('cost_basis', 'Cost basis'),
  text('match', 'Match'),
  text('credential_provider', 'Key provider'),
  text('credential_kind', 'Key kind'),
  text('reporter', 'Reporter'),
  text('collector', 'Collector'),
  text('request_id', 'Request'),
  text('response_id', 'Answer'),
  text('source', 'Source'),
  text('id', 'Event id'),
];

const DEFAULTS = ['hint', 'standing', 'user', 'agent', 'session', 'model', 'repo', 'org', 'outcome', 'cost_usd'];

/** The columns that a cookie names, in the table's order; the usual ones where it names none that exists. */
export function columnsOf(kept: string | undefined): LedgerColumn[] {
  const named = new Set((kept ?? '').split(/[\s.]+/));
  const chosen = LEDGER_COLUMNS.filter(({ name }) => named.has(name));
  return chosen.length > 0 ? chosen : LEDGER_COLUMNS.filter(({ name }) => DEFAULTS.includes(name));
}

/** What the table needs of a row: its address, and the columns chosen. */
export type ShownRow = { place: string } & Pick<LedgerItem, 'seen_at' | 'lane'> & Partial<LedgerItem>;

export function shownOf(row: LedgerItem, place: string, columns: readonly LedgerColumn[]): ShownRow {
  const cells = columns.map(({ name }) => [name, row[name]]);
  return { ...Object.fromEntries(cells), place, seen_at: row.seen_at, lane: row.lane } as ShownRow;
}
