import { RISK_OF, RULE_CATALOGUE, sentenceOf } from '@lanewatch/detector/contract';
import type { RuleDescription } from '@lanewatch/detector/contract';
import type { FindingItem, Standing } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { registrationOf } from '../lanes/registration.ts';
import { windowScope } from '../ledger/scope.ts';
import { instantOf } from '../ledger/window.ts';
import { findingStatus, severityNow } from './triage.ts';
import type { Judged, Triage } from './triage.ts';

/** Rules that say of a key that the registry does not have it, with the standing that their events had. */
export const ANSWERED_BY_REGISTERING: Readonly<Record<string, Standing>> = Object.fromEntries(
  RULE_CATALOGUE.flatMap((rule: RuleDescription) =>
    rule.answeredByRegistering === undefined ? [] : [[rule.id, rule.answeredByRegistering]],
  ),
);

/** Columns of {@link Judged} as the engine answers them. */
export const JUDGED_SQL = `id, rule, lane, fingerprint, hint, org, severity, toUnixTimestamp64Milli(findings.last_received_at) AS last_received_at`;
export interface JudgedRow extends Omit<Judged, 'lastReceivedMs'> {
  last_received_at: number | string;
}
export const judgedOf = (row: JudgedRow): Judged => ({ ...row, lastReceivedMs: Number(row.last_received_at) });

/** A finding as the engine answers it. */
export interface FindingRow extends JudgedRow {
  credential_id: string;
  risk: number;
  first_seen: number | string;
  last_seen: number | string;
  occurrences: number | string;
  facts: string;
  parameters: string;
  ledger_filter: string;
}

export const COLUMNS_SQL = `${JUDGED_SQL}, credential_id, risk,
  toUnixTimestamp64Milli(findings.first_seen) AS first_seen, toUnixTimestamp64Milli(findings.last_seen) AS last_seen,
  occurrences, facts, parameters, ledger_filter`;

/** The findings of these ids, in no order. */
export function readRows(store: ClickHouse, ids: readonly string[]): Promise<FindingRow[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return store.rows<FindingRow>(
    `SELECT ${COLUMNS_SQL} FROM ${store.database}.findings AS findings FINAL WHERE id IN {ids:Array(String)}`,
    { ids },
  );
}

/** What each lane spent in the window that is shown with findings, as SQL: `spend_lane`, `spent`; to be grouped by lane. Read from the roll-up. */
export function laneSpendSql(store: ClickHouse, nowMs: number): { sql: string; parameters: Record<string, unknown> } {
  const { where, parameters } = windowScope('30d', nowMs);
  return {
    sql: `SELECT lane AS spend_lane, sum(cost_usd) AS spent FROM ${store.database}.ledger WHERE ${where}`,
    parameters,
  };
}

/** What some lanes spent in that window; lanes without an event in it are left out. */
async function readLaneSpend(store: ClickHouse, lanes: readonly string[], nowMs: number): Promise<Map<string, string>> {
  if (lanes.length === 0) return new Map();
  const { sql, parameters } = laneSpendSql(store, nowMs);
  const rows = await store.rows<{ lane: string; spent: string }>(
    `SELECT spend_lane AS lane, toString(spent) AS spent FROM (${sql} AND lane IN {lanes:Array(String)} GROUP BY lane)`,
    { ...parameters, lanes },
  );
  return new Map(rows.map(({ lane, spent }) => [lane, spent]));
}

/** Findings as readers see them. */
export async function itemsOf(store: ClickHouse, rows: readonly FindingRow[], triage: Triage): Promise<FindingItem[]> {
  const spend = await readLaneSpend(store, [...new Set(rows.map(({ lane }) => lane))], triage.nowMs);
  return rows.map((row) => itemOf(row, triage, spend.get(row.lane) ?? '0'));
}

function itemOf(row: FindingRow, triage: Triage, laneCostUsd: string): FindingItem {
  const { status, decision, act } = findingStatus(judgedOf(row), triage);
  const severity = severityNow(row, triage);
  const rule = RULE_CATALOGUE.find(({ id }) => id === row.rule);
  const kept = triage.acts.get(row.id);
  const facts = JSON.parse(row.facts || '{}') as FindingItem['facts'];
  const [firstSeen, occurrences] = [instantOf(Number(row.first_seen)), Number(row.occurrences)];
  return {
    id: row.id,
    rule: row.rule,
    title: rule?.title ?? row.rule,
    condition: rule?.condition ?? '',
    sentence: sentenceOf({ ...row, facts, first_seen: firstSeen, occurrences }),
    lane: row.lane,
    fingerprint: row.fingerprint,
    hint: row.hint,
    org: row.org,
    credential_id: row.credential_id,
    registration:
      status === 'resolved' ? 'not_needed' : registrationOf(row, ANSWERED_BY_REGISTERING[row.rule] ?? 'known'),
    severity,
    risk: severity === row.severity ? Number(row.risk) : RISK_OF[severity],
    status,
    ...actsOf({ status, decision, act }),
    assignee: kept?.assignee ?? '',
    comments: kept?.comments ?? 0,
    version: kept?.version ?? 0,
    first_seen: firstSeen,
    last_seen: instantOf(Number(row.last_seen)),
    occurrences,
    lane_cost_usd: laneCostUsd,
    facts,
    parameters: JSON.parse(row.parameters || '{}') as FindingItem['parameters'],
    ledger_filter: JSON.parse(row.ledger_filter || '{}') as FindingItem['ledger_filter'],
  };
}

/** What made it stand as it does, under the name of that. */
function actsOf({
  status,
  decision,
  act,
}: ReturnType<typeof findingStatus>): Pick<FindingItem, 'resolution' | 'snooze' | 'acknowledged'> {
  const none = { resolution: null, snooze: null, acknowledged: null };
  if (decision !== null)
    return {
      ...none,
      resolution: { at: instantOf(decision.atMs), by: decision.by, as: 'registry', reason: decision.reason },
    };
  if (act === null || act.state_at === null) return none;
  const made = { at: act.state_at.toISOString(), by: act.state_by };
  if (status === 'acknowledged') return { ...none, acknowledged: made };
  if (status === 'snoozed' && act.until !== null)
    return { ...none, snooze: { ...made, until: act.until.toISOString(), reason: act.reason } };
  return { ...none, resolution: { ...made, as: act.resolution || 'fixed', reason: act.reason } };
}
