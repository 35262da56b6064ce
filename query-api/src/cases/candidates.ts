import { standingNowSql } from '@lanewatch/detector/contract';
import type { Lane } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { LaneFacts } from '../lanes/facts.ts';
import { laneSumsSql } from '../lanes/states.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import { windowStartMs } from '../ledger/window.ts';
import { isCheap } from './group.ts';

/** Findings that the queue looks at, gravest first. */
const FINDINGS_MAX = 20_000;
/** Cheap lanes whose collector is looked up, and how many one request names. */
const CHEAP_LANES_MAX = 500;
const LANES_PER_REQUEST = 100;

/** A finding with what it is judged by, and how its key stands now. */
export interface FindingOfLane {
  id: string;
  rule: string;
  lane: string;
  fingerprint: string;
  hint: string;
  org: string;
  severity: 'low' | 'medium' | 'high' | 'critical';
  standing: Lane['standing'];
  last_received_at: number | string;
  first_ms: number | string;
  last_ms: number | string;
}

/** What filters and score want of a lane in a window. */
export interface LaneFigures {
  lane: string;
  hint: string;
  org: string;
  standing: Lane['standing'];
  posture: string[];
  shared: boolean;
  live: boolean;
  /** US dollars as decimal text. */
  spent: string;
  people: number;
  endpoints: number;
  repos: number;
  collector: string;
}

/** Every finding that may make a case, and the figures of their lanes that have events in the window. */
export interface Candidates {
  findings: FindingOfLane[];
  figures: ReadonlyMap<string, LaneFigures>;
  truncated: boolean;
}

/** All findings with the standing of their keys now, gravest first, as SQL. */
function caseFindingsSql(database: string): string {
  const named = { fingerprint: 'fingerprint', hint: 'hint', org: 'org' };
  const { matched, standing } = standingNowSql(database, named, `fromUnixTimestamp64Milli({now:Int64}, 'UTC')`);
  return `SELECT id, rule, lane, fingerprint, hint, org, severity, last_received_at, first_ms, last_ms, ${standing('matched')} AS standing
    FROM (SELECT *, ${matched} AS matched
    FROM (SELECT id, rule, lane, fingerprint, hint, org, severity, toUnixTimestamp64Milli(findings.last_received_at) AS last_received_at,
        toUnixTimestamp64Milli(findings.first_seen) AS first_ms, toUnixTimestamp64Milli(findings.last_seen) AS last_ms
      FROM ${database}.findings AS findings FINAL ORDER BY risk DESC, findings.first_seen DESC, id DESC LIMIT ${FINDINGS_MAX + 1}))`;
}

/** Figures of all lanes that have a finding, as SQL. */
function caseFiguresSql(database: string, { from }: LaneFacts): string {
  return `SELECT lane, lane_hint AS hint, lane_org AS org, standing, posture, is_shared AS shared, is_live AS live, toString(spent) AS spent_usd,
      user_count AS people
    FROM ${from} WHERE lane IN (SELECT lane FROM ${database}.findings)`;
}

/** What only their score wants of them, as SQL. */
const caseReachSql = (database: string, where: string): string =>
  laneSumsSql(database, `lane IN (SELECT lane FROM ${database}.findings) AND ${where}`, [
    'endpoint_count',
    'repo_count',
  ]);

type FiguresRow = Omit<LaneFigures, 'shared' | 'live' | 'spent' | 'endpoints' | 'repos'> &
  Record<'shared' | 'live', number | boolean> & { spent_usd: string };

/** Reads both; who reported them only of cheap lanes, which are looked up in their rows. */
export async function readCandidates(store: ClickHouse, facts: LaneFacts): Promise<Candidates> {
  const { window, nowMs } = facts;
  const scope = windowScope(window, nowMs);
  const [findings, rows, reach] = await Promise.all([
    store.rows<FindingOfLane>(caseFindingsSql(store.database), { now: nowMs }),
    store.rows<FiguresRow>(caseFiguresSql(store.database, facts), facts.parameters),
    store.rows<{ lane: string } & Record<'endpoint_count' | 'repo_count', number | string>>(
      caseReachSql(store.database, scope.where),
      scope.parameters,
    ),
  ]);
  const reachOf = new Map(reach.map((row) => [row.lane, row]));
  const cheap = rows.filter(({ spent_usd: spent }) => isCheap(spent)).map(({ lane }) => lane);
  const collectors = await readCollectors(store, cheap.slice(0, CHEAP_LANES_MAX), windowStartMs(window, nowMs));
  const figures = rows.map(({ spent_usd: spent, ...row }): LaneFigures => ({
    ...row,
    spent,
    shared: Boolean(Number(row.shared)),
    live: Boolean(Number(row.live)),
    people: Number(row.people),
    endpoints: Number(reachOf.get(row.lane)?.endpoint_count ?? 0),
    repos: Number(reachOf.get(row.lane)?.repo_count ?? 0),
    collector: collectors.get(row.lane) ?? '',
  }));
  return {
    findings: findings.slice(0, FINDINGS_MAX),
    figures: new Map(figures.map((one) => [one.lane, one])),
    truncated: findings.length > FINDINGS_MAX,
  };
}

/** Who reported the newest event of each of these lanes; lanes of own producers are left out. */
async function readCollectors(
  store: ClickHouse,
  lanes: readonly string[],
  fromMs: number,
): Promise<Map<string, string>> {
  const { where, parameters } = rowsSince(fromMs);
  const chunks = Array.from({ length: Math.ceil(lanes.length / LANES_PER_REQUEST) }, (_, index) =>
    lanes.slice(index * LANES_PER_REQUEST, (index + 1) * LANES_PER_REQUEST),
  );
  const answers = await Promise.all(
    chunks.map((names) =>
      store.rows<{ lane: string; reporter_id: string }>(
        `SELECT lane, argMax(collector, seen_at) AS reporter_id FROM ${store.database}.ledger
         WHERE lane IN {lanes:Array(String)} AND ${where} GROUP BY lane HAVING reporter_id != ''`,
        { ...parameters, lanes: names },
      ),
    ),
  );
  return new Map(answers.flat().map(({ lane, reporter_id: id }) => [lane, id]));
}
