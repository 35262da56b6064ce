import { runbookOf } from '@lanewatch/detector/contract';
import type { FindingDetail, FindingItem, SimilarFinding } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { COLUMNS_SQL, itemsOf } from './rows.ts';
import type { FindingRow } from './rows.ts';
import { readFinding } from './findings.ts';
import { readTriage } from './triage.ts';

const SIMILAR_MAX = 10;

/** One finding with its history and what belongs to it, or null. */
export async function readFindingDetail(
  store: ClickHouse,
  db: RegistryDatabase,
  id: string,
  nowMs: number,
): Promise<FindingDetail | null> {
  const finding = await readFinding(store, db, id, nowMs);
  if (finding === null) return null;
  const [events, similar] = await Promise.all([readEvents(db, id), readSimilar(store, db, finding, nowMs)]);
  const comments = events.filter(({ act }) => act === 'comment');
  return {
    ...finding,
    history: [...events.filter(({ act }) => act !== 'comment'), ...ofTheRegistry(finding)].sort((one, other) =>
      one.at < other.at ? -1 : Number(one.at > other.at),
    ),
    comment_list: comments.map((event) => ({ id: event.id, at: event.at, by: event.by, text: event.reason })),
    similar,
    runbook: runbookOf(finding),
  };
}

async function readEvents(db: RegistryDatabase, id: string): Promise<FindingDetail['history']> {
  const rows = await db
    .selectFrom('finding_events')
    .selectAll()
    .where('finding_id', '=', id)
    .orderBy('id', 'desc')
    .limit(500)
    .execute();
  return rows.reverse().map((row) => ({
    id: String(row.id),
    at: row.at.toISOString(),
    by: row.actor,
    act: row.act,
    as: row.resolution === '' ? null : row.resolution,
    until: row.until?.toISOString() ?? null,
    assignee: row.assignee,
    reason: row.body,
  }));
}

/** What the registry's last decision did; it is kept beside the acts of people. */
function ofTheRegistry({ resolution, status, last_seen: at }: FindingItem): FindingDetail['history'] {
  const nobody = { as: null, until: null, assignee: null };
  if (status === 'reopened') return [{ id: 'again', at, by: '', act: 'occurred_again', reason: '', ...nobody }];
  if (resolution?.as !== 'registry') return [];
  return [
    { id: 'registry', at: resolution.at, by: resolution.by, act: 'registry', reason: resolution.reason, ...nobody },
  ];
}

/** Findings of the same key first, then of its hint, then of the same rule in its organisation; newest first. */
async function readSimilar(
  store: ClickHouse,
  db: RegistryDatabase,
  finding: FindingItem,
  nowMs: number,
): Promise<SimilarFinding[]> {
  const rows = await store.rows<FindingRow & { kinship: number }>(
    `SELECT ${COLUMNS_SQL}, multiIf(findings.lane = {lane:String}, 0, hint = {hint:String} AND hint != '', 1, 2) AS kinship
     FROM ${store.database}.findings AS findings FINAL
     WHERE id != {id:String} AND (findings.lane = {lane:String} OR (hint = {hint:String} AND hint != '')
       OR (rule = {rule:String} AND org = {org:String} AND org != ''))
     ORDER BY kinship, findings.last_seen DESC, id LIMIT {rows:UInt32}`,
    {
      ...{ lane: finding.lane, hint: finding.hint, id: finding.id },
      rule: finding.rule,
      org: finding.org,
      rows: SIMILAR_MAX,
    },
  );
  const items = await itemsOf(store, rows, await readTriage(db, nowMs, rows));
  const why = ['same_key', 'same_hint', 'same_rule_and_org'] as const;
  return items.map((item, index) => {
    const { id, rule, title, lane, hint, org, severity, status, last_seen } = item;
    return { id, rule, title, lane, hint, org, severity, status, last_seen, why: why[Number(rows[index]!.kinship)]! };
  });
}
