import type { LedgerQuery } from '@lanewatch/query-api/contract';

type FilterColumn = Exclude<
  keyof LedgerQuery,
  'limit' | 'cursor' | 'totals' | 'order' | 'q' | keyof typeof OTHER_NAMES
>;

/** Every column that rows can be filtered by, with its name for people. */
const COLUMN_NAMES: Record<FilterColumn, string> = {
  session: 'session',
  lane: 'lane',
  hint: 'hint',
  fingerprint: 'fingerprint',
  standing: 'standing',
  match: 'match',
  org: 'org',
  user: 'user',
  endpoint: 'endpoint',
  ip: 'address',
  host: 'host',
  agent: 'agent',
  agent_version: 'agent version',
  request_id: 'request id',
  response_id: 'answer id',
  repo: 'repository',
  branch: 'branch',
  provider: 'provider',
  served_by: 'served by',
  model: 'model',
  module: 'module',
  environment: 'environment',
  action: 'action',
  operation: 'operation',
  outcome: 'outcome',
  status_code: 'status code',
  cost_basis: 'cost basis',
  credential_id: 'credential',
  credential_provider: 'key provider',
  credential_kind: 'key kind',
  collector: 'collector',
  reporter: 'reporter',
  source: 'source',
  id: 'event id',
};

const OTHER_NAMES = {
  ...{
    without: 'without',
    finding: 'finding',
    flag: 'flag',
    from: 'from',
    to: 'until',
    place: 'place on the bus',
    joins: 'joins',
    stored_after: 'stored after',
  },
} as const;

/** The filters in force, one chip per value. */
export function chipsOf(query: LedgerQuery): { name: string; label: string; value: string; text?: string }[] {
  return [...Object.entries(COLUMN_NAMES), ...Object.entries(OTHER_NAMES)].flatMap(([name, label]) => {
    const given = query[name as keyof LedgerQuery];
    const values = given === undefined ? [] : Array.isArray(given) ? given : [String(given)];
    return values.map((value) => {
      const chip = { name, label, value };
      return name === 'without' ? { ...chip, text: COLUMN_NAMES[value as FilterColumn] } : chip;
    });
  });
}
