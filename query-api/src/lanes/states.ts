import { CREDENTIALS_BY_KEY, standingNowSql } from '@lanewatch/detector/contract';
import type { StandingSql } from '@lanewatch/detector/contract';
import type { Scope } from '../ledger/scope.ts';
import { LIVE_MS } from '../ledger/window.ts';

/** An endpoint is the address, or the host name where no address was reported; the detector counts the same. */
export const ENDPOINT_SQL = `if(ip != '', ip, host)`;
export const ENDPOINT_COLUMN_SQL = `if(ip != '', 'ip', 'host')`;

/**
 * What can be told of a lane in a window, by the name that it has here. Distinct values are counted exactly and without the empty one:
 * a count must equal the rows that it opens. The roll-up has each of these letter for letter; another spelling would be read from rows.
 */
const AGGREGATES = {
  // Hint and org of one event: only together do the two name a key.
  newest_name: `(argMaxIf(hint, seen_at, hint != ''), argMaxIf(org, seen_at, hint != ''))`,
  newest_org: `argMaxIf(org, seen_at, org != '')`,
  newest_provider: `argMaxIf(if(credential_provider != '', credential_provider, provider), seen_at, credential_provider != '' OR provider != '')`,
  event_count: 'sum(calls)',
  retired_count: `sumIf(calls, standing IN ('revoked', 'expired'))`,
  // A refused attempt is no use of a key; an unknown key without one is nobody's worry yet.
  used_count: `sumIf(calls, outcome != 'denied')`,
  session_count: `uniqExactIf(session, session != '')`,
  user_count: `uniqExactIf(user, user != '')`,
  endpoint_count: `uniqExactIf(${ENDPOINT_SQL}, ${ENDPOINT_SQL} != '')`,
  agent_count: `uniqExactIf(agent, agent != '')`,
  repo_count: `uniqExactIf(repo, repo != '')`,
  model_count: `uniqExactIf(model, model != '')`,
  spent: 'sum(cost_usd)',
  sum_input_uncached: 'sum(tokens_input_uncached)',
  sum_cache_read: 'sum(tokens_cache_read)',
  sum_cache_write: 'sum(tokens_cache_write)',
  sum_output: 'sum(tokens_output)',
  first_at: 'min(seen_at)',
  last_at: 'max(seen_at)',
} as const;
type LaneColumn = keyof typeof AGGREGATES;
export const LANE_COLUMNS = Object.keys(AGGREGATES) as LaneColumn[];

/** What pages tell of the lanes that they show; no order, filter or count of all lanes goes by it, and it takes longer than what those go by. */
export const SHOWN_COLUMNS = [
  ...(['session_count', 'endpoint_count', 'agent_count', 'repo_count', 'model_count'] as const),
  ...(['sum_input_uncached', 'sum_cache_read', 'sum_cache_write', 'sum_output'] as const),
] as const satisfies readonly LaneColumn[];

/** Sums of some lanes and nothing that is known of their keys, as SQL: one row a lane. */
export function laneSumsSql(database: string, where: string, columns: readonly LaneColumn[]): string {
  const sums = columns.map((name) => `${AGGREGATES[name]} AS ${name}`).join(', ');
  return `SELECT lane, ${sums} FROM ${database}.ledger WHERE ${where} GROUP BY lane`;
}

/** What is known of the credential that a lane matches; '' and null where none does. */
const RECORD_COLUMNS = [
  ...['id', 'name', 'hint', 'kind', 'provider', 'org', 'owner', 'environment', 'sharing', 'people_declared'],
  ...['expires_at', 'revoked_at', 'revoked_from', 'expired_from', 'any_network', 'wide_scope'],
] as const;

/** Missing safeguards by name, and how each is told. Networks and scopes count only where we enforce them, on keys of our own. */
const WEAK_FACTS = [
  ['no owner', `record_owner = ''`],
  ['no expiry', 'record_expires_at IS NULL'],
  ['no environment', `record_environment = ''`],
  ['any network', `least(record_kind = 'managed', record_any_network)`],
  ['scope * or admin', `least(record_kind = 'managed', record_wide_scope)`],
] as const;
/** From how many missing safeguards a key is weakly governed; rule R22's default. */
const WEAK_FACTS_MIN = 2;

/** Risk of a standing in tenths, what is live and doubtful above everything else. */
const RISK_SQL = `multiIf(standing IN ('revoked', 'expired') AND retired_count = 0, 10, standing = 'unattributed', 20,
  is_refused, 25, standing = 'ambiguous', 30, standing = 'expired', 40, standing = 'revoked', 50, standing = 'unknown', 60, 0)`;

/**
 * Lanes of a scope with how they stand now, as SQL: one row a lane, the columns asked for and those derived of them. The one definition of
 * standing now, posture and risk for every list, count and filter. Names of further columns:
 *
 * - `fingerprint`, `hint`, `hint_org`: how its events name the key; `lane_hint`, `lane_org`, `lane_provider`: where they don't, the registry's
 * - `match`, `record_key`, `standing`, `record_…`: by the registry as it is
 * - `weak_facts`: what rule R22 counts against the key; `is_weak`: that it is enough to matter
 * - `posture`: reasons, worst first. Lists of texts are dear: what counts or sorts all lanes goes by the flags `is_…` instead
 * - `is_shared`, and `is_overshared` where the key is personal or declared for fewer
 * - `is_unknown_in_use`: unknown, and not denied every time; the others are `is_refused`, and count as no unknown key anywhere
 * - `is_live`: an event within half an hour; `risk`: anything doubtful and live first, unknown before revoked, expired and ambiguous; then
 *   the same without life; keys that were refused every time; unattributed events; retired keys that were only used before; known keys last
 *
 * @param columns beside those that standing and posture need anyway
 */
export function lanesSql(database: string, scope: Pick<Scope, 'where'>, columns: readonly LaneColumn[]): string {
  const wanted = new Set<LaneColumn>([
    'newest_name',
    'retired_count',
    'used_count',
    'user_count',
    'last_at',
    ...columns,
  ]);
  const aggregates = [...wanted].map((name) => `${AGGREGATES[name]} AS ${name}`).join(', ');
  const names = [...wanted].join(', ');
  const { matched, standing } = standingOf(database);
  const record = `dictGet('${database}.${CREDENTIALS_BY_KEY}', (${RECORD_COLUMNS.map((name) => `'${name}'`).join(', ')}), record_key)`;
  const recordColumns = RECORD_COLUMNS.map((name, index) => `record.${index + 1} AS record_${name}`).join(', ');
  const org = wanted.has('newest_org') ? `if(newest_org != '', newest_org, record_org)` : 'record_org';
  const provider = wanted.has('newest_provider')
    ? `if(newest_provider != '', newest_provider, record_provider)`
    : 'record_provider';
  return `SELECT *,
      arrayFilter(reason -> reason != '', [
        multiIf(standing = 'unattributed', 'no_key_named', is_refused, 'refused', standing = 'unknown', 'unknown_key',
          standing = 'ambiguous', 'ambiguous_hint',
          standing = 'known', '', retired_count = 0, 'retired', standing = 'revoked', 'revoked_in_use', 'expired_in_use'),
        multiIf(is_overshared, 'shared_too_broadly', is_shared, 'shared', ''),
        if(is_weak, 'weakly_governed', '')]) AS posture,
      standing_risk + 100 * least(standing_risk >= 30, is_live) + (standing != 'known') + is_shared + is_weak AS risk
    FROM (SELECT *,
      standing IN ('revoked', 'expired') AND retired_count > 0 AS is_retired_in_use,
      standing != 'unattributed' AS is_attributed,
      standing = 'unknown' AND used_count = 0 AS is_refused,
      standing = 'unknown' AND NOT is_refused AS is_unknown_in_use,
      least(is_attributed, user_count >= 2) AS is_shared,
      least(is_shared, record_key != '', greatest(record_sharing = 'personal', user_count > record_people_declared)) AS is_overshared,
      last_at >= fromUnixTimestamp64Milli({live_from:Int64}, 'UTC') AS is_live,
      ${RISK_SQL} AS standing_risk,
      if(hint != '', hint, record_hint) AS lane_hint, ${org} AS lane_org, ${provider} AS lane_provider,
      least(record_key != '', ${WEAK_FACTS.map(([, holds]) => `(${holds})`).join(' + ')} >= ${WEAK_FACTS_MIN}) AS is_weak,
      if(record_key = '', [], arrayFilter(fact -> fact != '', [${WEAK_FACTS.map(([fact, holds]) => `if(${holds}, '${fact}', '')`).join(', ')}])) AS weak_facts
    FROM (SELECT lane, ${names}, fingerprint, hint, hint_org, record_key, ${recordColumns}, standing, match
    FROM (SELECT lane, ${names}, fingerprint, hint, hint_org, tupleElement(matched, 2) AS record_key, ${record} AS record,
      tupleElement(matched, 1) AS matched_by, if(matched_by = 'unattributed', 'none', matched_by) AS match,
      ${standing('matched')} AS standing
    FROM (SELECT lane, ${names}, fingerprint, hint, hint_org, ${matched} AS matched
    FROM (${namedSql(`SELECT lane, ${aggregates} FROM ${database}.ledger WHERE ${scope.where} GROUP BY lane`, `${names}, `)})))))`;
}

/**
 * Lanes of a scope with their standing now and nothing else: `lane`, `standing`, `is_refused` (unknown, and denied every time).
 * @param among SQL of the lanes that matter: standing is decided for these alone, because names are the dear part of the roll-up
 */
export function standingsSql(database: string, { where }: Pick<Scope, 'where'>, among?: string): string {
  const { matched, standing } = standingOf(database);
  const only = among === undefined ? '' : ` AND lane IN (${among})`;
  const { newest_name, used_count } = AGGREGATES;
  const lanes = `SELECT lane, ${newest_name} AS newest_name, ${used_count} AS used_count FROM ${database}.ledger
    WHERE ${where}${only} GROUP BY lane`;
  return `SELECT lane, ${standing('matched')} AS standing, standing = 'unknown' AND used_count = 0 AS is_refused
    FROM (SELECT lane, used_count, ${matched} AS matched FROM (${namedSql(lanes, 'used_count, ')}))`;
}

/** How the events of lanes name their key: `lane`, `fingerprint`, `hint`, `hint_org`, and what else is named. */
function namedSql(lanes: string, further: string): string {
  return `SELECT lane, ${further}if(lane = 'unattributed' OR startsWith(lane, 'hint_'), '', lane) AS fingerprint,
      tupleElement(newest_name, 1) AS hint, tupleElement(newest_name, 2) AS hint_org FROM (${lanes})`;
}

function standingOf(database: string): StandingSql {
  const named = { fingerprint: 'fingerprint', hint: 'hint', org: 'hint_org' };
  return standingNowSql(database, named, `fromUnixTimestamp64Milli({now:Int64}, 'UTC')`);
}

/** The parameters that {@link lanesSql} has beside those of its scope. */
export function lanesParameters(nowMs: number): Record<string, unknown> {
  return { now: nowMs, live_from: nowMs - LIVE_MS };
}
