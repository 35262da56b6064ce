import * as contract from '@lanewatch/query-api/contract';
import type { z } from 'zod';
import { page } from './fake-lists.ts';
import { bounds, isLive, lanesOf } from './lanes.ts';
import type { Organisation } from './organisation.ts';

type Query = z.infer<typeof contract.casesQuerySchema>;
const STATE_OF: Partial<Record<contract.FindingStatus, contract.CaseState>> = {
  open: 'open',
  reopened: 'open',
  acknowledged: 'acknowledged',
  snoozed: 'snoozed',
};

/** `GET /v1/cases`. Ordered by risk and spend: the score's own formula is query-api's. */
export function casesPage(org: Organisation, query: Query, nowMs: number): contract.CasesPage {
  const lanes = new Map(lanesOf(org, query.window, nowMs).map((lane) => [lane.lane, lane]));
  const undecided = org.findings.filter(({ status }) => STATE_OF[status] !== undefined);
  const all = [...Map.groupBy(undecided, ({ lane }) => lane)].map(([name, findings]) => {
    const [worst] = findings.toSorted((a, b) => b.risk - a.risk);
    const state = (['open', 'acknowledged', 'snoozed'] as const).find((one) =>
      findings.some(({ status }) => STATE_OF[status] === one),
    )!;
    return {
      ...caseOf(org, lanes.get(name), worst!, findings.length, nowMs),
      state,
      reasons: lanes.get(name)?.posture ?? [],
    };
  });
  const count = (state: contract.CaseState) => all.filter((one) => one.state === state).length;
  const isUrgent = (one: (typeof all)[number]) => one.severity === 'critical' || (one.live && one.standing !== 'known');
  const wanted = all
    .filter((one) => one.state === query.state)
    .filter((one) => query.standing === undefined || one.standing === query.standing)
    .filter((one) => query.shared === undefined || one.people > 1 === query.shared)
    .filter((one) => query.live === undefined || one.live === query.live)
    .filter((one) => query.urgent === undefined || isUrgent(one) === query.urgent)
    .filter((one) => query.org === undefined || one.org === query.org)
    .filter((one) => query.reason === undefined || one.reasons.some(({ reason }) => reason === query.reason))
    .sort((a, b) => b.score - a.score || a.lane.localeCompare(b.lane));
  return contract.casesPageSchema.parse({
    ...page(wanted, query),
    ...{ window: query.window, ...bounds(query.window, nowMs), entries: wanted.length, lanes: wanted.length },
    states: { open: count('open'), acknowledged: count('acknowledged'), snoozed: count('snoozed') },
    urgent: all.filter((one) => one.state === 'open' && isUrgent(one)).length,
    urgent_trend: [0, 1],
    truncated: false,
  });
}

function caseOf(
  org: Organisation,
  lane: contract.Lane | undefined,
  worst: contract.FindingItem,
  findings: number,
  nowMs: number,
): contract.Case {
  const newest = org.rows.find((row) => row.lane === worst.lane);
  const spend = Number(lane?.cost_usd ?? 0) / 100;
  const severity = worst.risk * 0.8;
  const live = newest !== undefined && isLive(newest, nowMs);
  return {
    lane: worst.lane,
    hint: worst.hint,
    org: lane?.org ?? worst.org,
    standing: lane?.standing ?? 'unknown',
    match: lane?.match ?? 'none',
    registration: lane?.registration ?? worst.registration,
    score: severity + spend + (live ? 12 : 0),
    score_parts: { severity, standing: 0, live: live ? 12 : 0, spend, reach: 0 },
    severity: worst.severity,
    rule: worst.rule,
    title: worst.title,
    finding: worst.id,
    findings,
    assignee: worst.assignee,
    first_seen: worst.first_seen,
    last_seen: worst.last_seen,
    cost_usd: lane?.cost_usd ?? '0',
    people: lane?.users ?? 0,
    endpoints: lane?.endpoints ?? 0,
    repos: lane?.repos ?? 0,
    sessions: lane?.sessions ?? 0,
    live,
    latest:
      newest === undefined
        ? null
        : {
            session: newest.session,
            session_live: isLive(newest, nowMs),
            user: newest.user,
            ip: newest.ip,
            agent: newest.agent,
            agent_version: newest.agent_version,
            model: newest.model,
          },
    group: null,
  };
}

/** `GET /v1/lanes/{lane}/callers` */
export function callersOf(org: Organisation, lane: string, nowMs: number): contract.Callers {
  const fromMs = nowMs - 7 * 86_400_000;
  const rows = org.rows.filter((row) => row.lane === lane && Date.parse(row.seen_at) >= fromMs);
  const items = [
    ...Map.groupBy(rows, ({ user, ip, agent, environment, repo }) =>
      JSON.stringify([user, ip, agent, environment, repo]),
    ),
  ].map(([, own]) => {
    const { user, ip, agent, environment, repo, seen_at } = own[0]!;
    return { user, ip, agent, environment, repo, calls: own.length, last_seen: seen_at };
  });
  return contract.callersSchema.parse({
    ...{ from: new Date(fromMs).toISOString(), to: new Date(nowMs).toISOString() },
    ...{ callers: items.length, calls: rows.length, items: items.slice(0, 50) },
  });
}

/** `GET /v1/lanes/{lane}/sharing`: one step that has everything, and nothing before it. */
export function sharingOf(org: Organisation, lane: string, nowMs: number): contract.LaneSharing {
  const rows = org.rows.filter((row) => row.lane === lane);
  const count = (of: (row: contract.LedgerItem) => string) =>
    new Set(rows.map(of).filter((value) => value !== '')).size;
  return contract.laneSharingSchema.parse({
    steps: [
      {
        at: new Date(nowMs).toISOString(),
        ...{ user: count(({ user }) => user), endpoint: count(({ ip, host }) => ip || host) },
        ...{ agent: count(({ agent }) => agent), repo: count(({ repo }) => repo), model: count(({ model }) => model) },
      },
    ],
    seen_before: { user: [], endpoint: [], agent: [], repo: [], model: [] },
  });
}
