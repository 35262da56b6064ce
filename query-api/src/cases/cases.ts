import { RULE_CATALOGUE } from '@lanewatch/detector/contract';
import { z } from 'zod';
import type { Case, CasesPage, casesQuerySchema, Lane } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { findingStatus, readTriage, severityNow } from '../findings/triage.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { registrationOf } from '../lanes/registration.ts';
import type { LaneFacts } from '../lanes/facts.ts';
import { laneOfRow, readFactRows } from '../lanes/rows.ts';
import { instantOf, trendStartsMs, windowStartMs } from '../ledger/window.ts';
import { readBanner } from '../overview/banner.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { laneCases } from './build.ts';
import type { Judge, LaneCase } from './build.ts';
import type { Candidates } from './candidates.ts';
import { entriesOf, spentBy } from './group.ts';
import type { Entry } from './group.ts';

export type CasesQuery = z.output<typeof casesQuerySchema>;

/** Lanes that one entry names. */
const GROUP_LANES_MAX = 100;
/** Score in billionths, last occurrence and lane of an entry's first member. */
const cursorShape = z.tuple([z.number().int().min(0), z.number().int(), z.string().max(128)]);
const placeOf = ({ score, lastMs, lane }: LaneCase): [number, number, string] => [
  Math.round(score * 1e9),
  lastMs,
  lane,
];

/** Whether a case needs somebody at once: its gravest finding is critical, or its key is not known and in use right now. Pure. */
function isUrgent({ severity, standing, figures }: LaneCase): boolean {
  return severity === 'critical' || ((figures?.live ?? false) && standing !== 'known' && standing !== 'unattributed');
}

/** How many cases had begun before each of some instants; all of them by the last. Pure. */
function begunBy(cases: readonly LaneCase[], untilMs: readonly number[]): number[] {
  const lastMs = untilMs.at(-1);
  return untilMs.map((ms) => (ms === lastMs ? cases.length : cases.filter(({ firstMs }) => firstMs < ms).length));
}

/** Whether a filter of the query leaves a case in. Pure. */
function isWanted(one: LaneCase, query: CasesQuery, me: string): boolean {
  const { figures } = one;
  const isAssigned = { none: one.assignee === '', me: one.assignee === me }[query.assignee ?? ''];
  return (
    (query.standing === undefined || one.standing === query.standing) &&
    (query.shared === undefined || (figures?.shared ?? false) === query.shared) &&
    (query.live === undefined || (figures?.live ?? false) === query.live) &&
    (query.attributed === undefined || (one.standing !== 'unattributed') === query.attributed) &&
    (query.reason === undefined || (figures?.posture.includes(query.reason) ?? false)) &&
    (query.org === undefined || one.org === query.org) &&
    (query.urgent === undefined || isUrgent(one) === query.urgent) &&
    (query.assignee === undefined || (isAssigned ?? one.assignee === query.assignee))
  );
}

/**
 * A page of the queue. What lanes have findings and what is known of them comes in a few sums over all of them; only the lanes of the page
 * are read whole. Throws CursorError.
 * @param read hands out the candidates, which may be shared between requests: what people decided is read anew each time
 */
export async function readCases(
  store: ClickHouse,
  db: RegistryDatabase,
  read: () => Promise<Candidates>,
  query: CasesQuery,
  { facts, me }: { facts: LaneFacts; me: string },
): Promise<CasesPage> {
  const { nowMs } = facts;
  const [candidates, judge] = await Promise.all([read(), readJudge(db, nowMs)]);
  const cases = laneCases(candidates, judge);
  const urgent = cases.open.filter(isUrgent);
  const wanted = cases[query.state].filter((one) => isWanted(one, query, me));
  const all = entriesOf(wanted);
  const entries = query.group === undefined ? all : membersOf(all, query.group);
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor, cursorShape);
  const rest = after === null ? entries : entries.filter(({ members: [first] }) => isAfter(placeOf(first!), after));
  const page = rest.slice(0, query.limit);
  const last = page.at(-1)?.members[0];
  const { lanes, latest } = await readPage(store, page, facts);
  return {
    window: query.window,
    from: instantOf(windowStartMs(query.window, nowMs)),
    to: instantOf([...lanes.values()].reduce((toMs, lane) => Math.max(toMs, Date.parse(lane.last_seen) + 1), nowMs)),
    items: page.map((entry) => itemOf(entry, lanes, latest)),
    next_cursor: rest.length > page.length && last !== undefined ? encodeCursor(placeOf(last)) : null,
    entries: entries.length,
    lanes: entries.reduce((sum, { members }) => sum + members.length, 0),
    states: {
      open: cases.open.length,
      acknowledged: cases.acknowledged.length,
      snoozed: cases.snoozed.length,
    },
    urgent: urgent.length,
    urgent_trend: begunBy(urgent, trendStartsMs(query.window, nowMs).slice(1).concat(nowMs)),
    truncated: candidates.truncated,
  };
}

async function readJudge(db: RegistryDatabase, nowMs: number): Promise<Judge> {
  const triage = await readTriage(db, nowMs);
  return (finding) => {
    const { status } = findingStatus({ ...finding, lastReceivedMs: Number(finding.last_received_at) }, triage);
    if (status === 'resolved') return null;
    return {
      state: status === 'reopened' ? 'open' : status,
      severity: severityNow(finding, triage),
      assignee: triage.acts.get(finding.id)?.assignee ?? '',
    };
  };
}

/** Each member of a group as an entry of its own. */
function membersOf(entries: readonly Entry<LaneCase>[], key: string): Entry<LaneCase>[] {
  const members = entries.find((entry) => entry.key === key)?.members ?? [];
  return members.map((member) => ({ key: member.lane, by: 'lane', members: [member] }));
}

function isAfter(place: [number, number, string], after: readonly [number, number, string]): boolean {
  if (place[0] !== after[0]) return place[0] < after[0];
  if (place[1] !== after[1]) return place[1] < after[1];
  return place[2] > after[2];
}

/** The page's lanes as they are, and the newest event of each. */
async function readPage(
  store: ClickHouse,
  page: readonly Entry<LaneCase>[],
  facts: LaneFacts,
): Promise<{ lanes: Map<string, Lane>; latest: Map<string, Case['latest']> }> {
  const names = page.flatMap(({ members: [first] }) => (first?.figures ? [first.lane] : []));
  const { window, nowMs } = facts;
  const rows = await readFactRows(store, facts, names);
  const lanes = [...rows.values()].map((row) => laneOfRow(row, 0, window));
  const latest = await readBanner(store, lanes, windowStartMs(window, nowMs), nowMs);
  return {
    lanes: new Map(lanes.map((lane) => [lane.lane, lane])),
    latest: new Map(
      latest.map(({ lane, session, session_live, user, ip, agent, agent_version, model }) => [
        lane,
        { session, session_live, user, ip, agent, agent_version, model },
      ]),
    ),
  };
}

function itemOf(
  { key, by, members }: Entry<LaneCase>,
  lanes: ReadonlyMap<string, Lane>,
  latest: ReadonlyMap<string, Case['latest']>,
): Case {
  const first = members[0]!;
  const lane = lanes.get(first.lane);
  const { worst } = first;
  return {
    lane: first.lane,
    hint: first.hint,
    org: first.org,
    standing: first.standing,
    match: lane?.match ?? 'none',
    registration:
      lane?.registration ?? registrationOf({ fingerprint: worst.fingerprint, org: first.org }, first.standing),
    score: first.score,
    score_parts: first.parts,
    severity: first.severity,
    rule: first.rule,
    title: RULE_CATALOGUE.find(({ id }) => id === first.rule)?.title ?? first.rule,
    finding: worst.id,
    findings: first.findings.length,
    assignee: first.assignee,
    first_seen: instantOf(first.firstMs),
    last_seen: instantOf(first.lastMs),
    cost_usd: first.spent,
    people: first.figures?.people ?? 0,
    endpoints: first.figures?.endpoints ?? 0,
    repos: first.figures?.repos ?? 0,
    sessions: lane?.sessions ?? 0,
    live: first.figures?.live ?? false,
    latest: latest.get(first.lane) ?? null,
    group:
      by === 'lane'
        ? null
        : {
            key,
            by,
            size: members.length,
            cost_usd: spentBy(members),
            lanes: members.slice(0, GROUP_LANES_MAX).map((member) => member.lane),
          },
  };
}
