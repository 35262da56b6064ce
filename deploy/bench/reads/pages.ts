/** What a reader clicks: the page, and the queries that it makes. */
export interface PageTarget {
  name: string;
  /** Path on the dashboard. */
  page: string;
  /** Paths on query-api that the page reads. */
  queries: string[];
}

/** What there is to click on in a ledger: found by asking for it as a page does. */
export interface Found {
  lanes: string[];
  users: string[];
  sessions: string[];
  findings: { id: string; filter: Record<string, string> }[];
}

type Ask = <Answer>(path: string) => Promise<Answer>;

interface LanesAnswer {
  items: { lane: string }[];
}
interface LedgerAnswer {
  items: { user: string; session: string }[];
}
interface FindingsAnswer {
  items: { id: string; ledger_filter: Record<string, string> }[];
}

const ENTITY_PATHS: Record<string, string> = {
  ...{ user: '/users', endpoint: '/endpoints', repo: '/repositories', session: '/sessions' },
};
const SOME = 20;
const some = (values: Iterable<string>) => [...new Set(values)].filter((value) => value !== '').slice(0, SOME);

/** Looks for heavy and light lanes, people, sessions and findings. */
export async function findTargets(ask: Ask): Promise<Found> {
  const lanesBy = (sort: string, order: string) =>
    ask<LanesAnswer>(`/v1/lanes?window=7d&attributed=true&sort=${sort}&order=${order}&limit=${SOME / 2}`);
  const heavy = await lanesBy('events', 'desc');
  const light = await lanesBy('events', 'asc');
  const rows = await ask<LedgerAnswer>('/v1/ledger?limit=200&totals=false');
  const findings = await ask<FindingsAnswer>(`/v1/findings?limit=${SOME}`);
  return {
    lanes: some([...heavy.items, ...light.items].map(({ lane }) => lane)),
    users: some(rows.items.map(({ user }) => user)),
    sessions: some(rows.items.map(({ session }) => session)),
    findings: findings.items.map(({ id, ledger_filter: filter }) => ({ id, filter })),
  };
}

/**
 * Every page over a window, with what it is opened for chosen by `pick`.
 * @param from start of the window, RFC 3339
 */
export function pagesOf(
  found: Found,
  window: string,
  from: string,
  pick: <T>(from: readonly T[]) => T | undefined,
): PageTarget[] {
  const query = (values: Record<string, string>) => new URLSearchParams(values).toString();
  const ledger = (name: string, filter: Record<string, string>): PageTarget => ({
    name: `ledger ${name}`,
    page: `/ledger?${query({ from, ...filter })}`,
    queries: [`/v1/ledger?${query({ from, ...filter, totals: 'false' })}`],
  });
  const lane = encodeURIComponent(pick(found.lanes) ?? 'unattributed');
  const lanes = (filter: Record<string, string>) => query({ window, ...filter });
  const finding = pick(found.findings);
  const by = pick(['lane', 'user', 'agent', 'repo', 'model'])!;
  const byValue = (name: string, column: string, values: string[]) => {
    const value = pick(values);
    return value === undefined ? [] : [ledger(name, { [column]: value })];
  };
  return [
    {
      name: 'landing',
      page: `/?window=${window}`,
      queries: [
        `/v1/overview?window=${window}`,
        `/v1/cases?window=${window}&limit=25`,
        `/v1/lanes?window=${window}&limit=8`,
      ],
    },
    ...[{ sort: 'cost' }, { sort: 'sessions' }, { standing: 'unknown' }, { shared: 'true' }, { q: 'ada' }].map(
      (filter) => ({
        name: 'lanes',
        page: `/keys?${lanes(filter)}`,
        queries: [`/v1/lanes?${lanes(filter)}`, `/v1/overview?window=${window}`],
      }),
    ),
    {
      name: 'lane',
      page: `/lanes/${lane}?window=${window}`,
      queries: ['', '/sharing'].map((part) => `/v1/lanes/${lane}${part}?window=${window}`),
    },
    ledger('newest', {}),
    ...byValue('by user', 'user', found.users),
    ...byValue('by session', 'session', found.sessions),
    ...(finding === undefined
      ? []
      : [
          ledger('by finding', { finding: finding.id }),
          { name: 'finding', page: `/findings/${finding.id}`, queries: [`/v1/findings/${finding.id}`] },
        ]),
    {
      name: 'spend',
      page: `/spend?${query({ by, window })}`,
      queries: [
        `/v1/spend?${query({ by, window })}`,
        '/v1/spend/forecast',
        '/v1/spend/budgets',
        `/v1/spend/savings?window=${window}`,
      ],
    },
    { name: 'findings', page: '/findings', queries: ['/v1/findings?status=unresolved'] },
    { name: 'registry', page: '/credentials', queries: ['/v1/credentials?status=active'] },
    ...entityPages(found, window, pick),
    { name: 'usage', page: `/usage?window=${window}`, queries: [`/v1/usage?window=${window}`] },
  ];
}

/** Lists of what keys are used with and by, one person's page and one run's. */
function entityPages(found: Found, window: string, pick: <T>(from: readonly T[]) => T | undefined): PageTarget[] {
  const opened = (name: string, values: string[], page: string, asked: string, ofWindow: string): PageTarget[] => {
    const value = pick(values);
    if (value === undefined) return [];
    const segment = `${encodeURIComponent(value)}${ofWindow}`;
    return [{ name, page: `${page}/${segment}`, queries: [`${asked}/${segment}`] }];
  };
  return [
    ...['user', 'endpoint', 'repo', 'session'].map((kind) => ({
      name: `${kind}s`,
      page: `${ENTITY_PATHS[kind]}?window=${window}`,
      queries: [`/v1/entities/${kind}?window=${window}`],
    })),
    ...opened('user', found.users, '/users', '/v1/entities/user', `?window=${window}`),
    ...opened('session', found.sessions, '/sessions', '/v1/sessions', ''),
  ];
}
