import { LEDGER_COLUMNS } from './ledger-row.ts';

/** What analysts query: a view or table with its columns, documented where they write. */
export interface PublishedTable {
  name: string;
  comment: string;
  /** Comments by column; those of a table are in the engine already. */
  columns: Readonly<Record<string, string>>;
}

const OF_ROWS = Object.fromEntries(LEDGER_COLUMNS.map(({ name, comment }) => [name, comment]));

/** Views of the ledger for analysts, in the order in which they are shown. Their SQL is the detector's: src/ledger/analyst-views.ts. */
export const ANALYST_VIEWS: readonly PublishedTable[] = [
  {
    name: 'usage',
    comment:
      'One row per report of a request; where several report one, further rows take back what is too much, so sum(calls) counts requests',
    columns: {
      ...OF_ROWS,
      day: 'UTC day of seen_at',
      endpoint: 'Address of the endpoint, else its host name',
      person: 'Who used the key; empty when nobody is named',
      tokens: 'All four kinds of tokens together',
      requests_limit: 'Requests that the provider allows the key in its time; NULL where the answer did not tell',
      requests_remaining: 'What was left of them',
      tokens_limit: 'Tokens that the provider allows the key in its time; NULL where the answer did not tell',
      tokens_remaining: 'What was left of them',
    },
  },
  {
    name: 'lanes',
    comment: 'One row per key as observed, over all that is stored',
    columns: {
      lane: OF_ROWS['lane']!,
      fingerprint: OF_ROWS['fingerprint']!,
      hint: OF_ROWS['hint']!,
      org: 'Organisation last named on it',
      provider: 'Who issued the key, else whose models it is used for',
      standing: 'How the key stands in the registry now',
      match: 'How sure that is: proven, probable, ambiguous or none',
      credential_id: 'Registry id of the one credential that matches now',
      name: 'What people call that credential',
      owner: 'Who answers for it',
      project: 'Project it belongs to',
      team: 'Team of the owner',
      environment: 'Environment it is for',
      calls: 'Requests',
      cost_usd: 'Cost in US dollars',
      tokens: 'All four kinds of tokens together',
      people: 'Distinct people named',
      endpoints: 'Distinct endpoints',
      agents: 'Distinct agents',
      sessions: 'Distinct sessions',
      repos: 'Distinct repositories',
      models: 'Distinct models',
      first_seen: 'First request',
      last_seen: 'Last request',
    },
  },
  {
    name: 'sessions',
    comment: 'One row per session and key',
    columns: {
      session: OF_ROWS['session']!,
      lane: OF_ROWS['lane']!,
      hint: OF_ROWS['hint']!,
      person: 'Who used the key, of those named last',
      agent: OF_ROWS['agent']!,
      repo: OF_ROWS['repo']!,
      started_at: 'First request',
      ended_at: 'Last request',
      calls: 'Requests',
      failed: 'Requests that did not succeed',
      models: 'Models used',
      tokens: 'All four kinds of tokens together',
      cost_usd: 'Cost in US dollars',
    },
  },
];

/** Tables that analysts read as they are; each has a row per state, so they are read with FINAL, which the SQL desk sees to. */
export const ANALYST_TABLES: readonly Pick<PublishedTable, 'name' | 'comment'>[] = [
  { name: 'findings', comment: 'One row per finding: a rule that holds on a lane' },
  { name: 'credentials', comment: 'One row per secret of the registry, the allowlist' },
];
