import { RISK_OF } from '@lanewatch/detector/contract';
import { z } from 'zod';
import { UNRESOLVED_STATUSES } from '../../contract/index.ts';
import type { FindingItem, FindingsPage, findingsQuerySchema } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { CursorError, decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { FindingTriageTable } from '../registry/schema.ts';
import { readLowered } from './lowered.ts';
import { narrowedIds } from './narrow.ts';
import { COLUMNS_SQL, itemsOf, judgedOf, laneSpendSql, readRows } from './rows.ts';
import type { FindingRow, JudgedRow } from './rows.ts';
import { findingStatus, readTriage, severityNow } from './triage.ts';
import type { Triage, TriageDecision } from './triage.ts';

export type FindingsQuery = z.output<typeof findingsQuerySchema>;

/** One finding, or null. */
export async function readFinding(
  store: ClickHouse,
  db: RegistryDatabase,
  id: string,
  nowMs: number,
): Promise<FindingItem | null> {
  return (await readFindings(store, db, [id], nowMs))[0] ?? null;
}

/** The findings of these ids, in no order; those that are none are left out. */
export async function readFindings(
  store: ClickHouse,
  db: RegistryDatabase,
  ids: readonly string[],
  nowMs: number,
): Promise<FindingItem[]> {
  const rows = await readRows(store, ids);
  return itemsOf(store, rows, await readTriage(db, nowMs, rows));
}

/** What findings are sorted by, as SQL that holds it exactly; first_seen and id tell equals apart. */
const SORTS = {
  severity: {
    // As severe as it counts now, which for a key that was registered without owner or organisation is less than what is stored.
    key: `toInt64(if(id IN {lowered:Array(String)}, least(risk, ${RISK_OF.medium}), risk))`,
    type: 'Int64',
    direction: 'DESC',
  },
  age: { key: 'toInt64(0)', type: 'Int64', direction: 'ASC' },
  spend: { key: 'toDecimal128(spend.spent, 9)', type: 'Decimal(38, 9)', direction: 'DESC' },
} as const;

/**
 * The order, its value, first_seen, id. Occurrences as such move none of them but the spend. What does move between two pages is not where it
 * was: a finding that rises past this place is on the first page, and one that an event of earlier time makes older can come once more.
 */
const cursorShape = z.tuple([
  z.enum(['severity', 'age', 'spend']),
  z.string().regex(/^-?\d{1,29}(\.\d{1,9})?$/),
  z.number().int(),
  z.string().max(64),
]);
type Place = z.infer<typeof cursorShape>;
const SCAN_ROWS = 500;
/** A status is decided here and not in the store, so a page looks at this many rows at most before it ends early. */
const SCANS_PER_PAGE_MAX = 20;

/**
 * A page of findings.
 * @param me e-mail of whoever asks
 * @throws CursorError
 */
export async function listFindings(
  store: ClickHouse,
  db: RegistryDatabase,
  query: FindingsQuery,
  { nowMs, me }: { nowMs: number; me: string },
): Promise<Omit<FindingsPage, 'counts'>> {
  const isWanted = wantedBy(query);
  const [ids, lowered] = await Promise.all([
    narrowedIds(db, query, me),
    query.sort === 'severity' ? readLowered(store, db, nowMs) : [],
  ]);
  let position = query.cursor === undefined ? null : decodeCursor(query.cursor, cursorShape);
  if (position !== null && position[0] !== query.sort) throw new CursorError();
  let lastShown = position;
  const shown: FindingRow[] = [];
  const triage = { decisions: new Map<string, TriageDecision>(), acts: new Map<string, FindingTriageTable>(), nowMs };
  const answer = async (cursor: Place | null): Promise<Omit<FindingsPage, 'counts'>> => ({
    items: await itemsOf(store, shown, triage),
    next_cursor: cursor === null ? null : encodeCursor(cursor),
  });
  for (let scan = 0; scan < SCANS_PER_PAGE_MAX; scan++) {
    const rows = await readPage(store, query, { ids, lowered, position, nowMs });
    const known = await readTriage(db, nowMs, rows);
    for (const [key, decision] of known.decisions) triage.decisions.set(key, decision);
    for (const [id, act] of known.acts) triage.acts.set(id, act);
    for (const row of rows) {
      position = [query.sort, row.place, Number(row.first_seen), row.id];
      if (!isWanted(row, known)) continue;
      // Only a finding that the next page shows makes one worth offering.
      if (shown.length === query.limit) return answer(lastShown);
      shown.push(row);
      lastShown = position;
    }
    if (rows.length < SCAN_ROWS) return answer(null);
  }
  return answer(position);
}

/** What of a filter only triage tells. */
export function wantedBy(query: FindingsQuery): (row: JudgedRow, triage: Triage) => boolean {
  const statuses: readonly string[] | null =
    query.status === undefined ? null : query.status === 'unresolved' ? UNRESOLVED_STATUSES : [query.status];
  return (row, triage) =>
    (statuses === null || statuses.includes(findingStatus(judgedOf(row), triage).status)) &&
    (query.severity === undefined || severityNow(row, triage) === query.severity) &&
    (query.assignee !== 'none' || (triage.acts.get(row.id)?.assignee ?? '') === '');
}

/** What of a filter the store can tell. Registering lowers to medium, so that medium ones may be stored as more. */
export function storedFilter(
  query: Pick<FindingsQuery, 'severity' | 'rule' | 'lane' | 'org'>,
  ids: readonly string[] | null,
): { where: string; parameters: Record<string, unknown> } {
  const conditions = ['1'];
  const parameters: Record<string, unknown> = {};
  for (const name of ['rule', 'lane', 'org'] as const) {
    if (query[name] === undefined) continue;
    conditions.push(`findings.${name} = {${name}:String}`);
    parameters[name] = query[name];
  }
  if (query.severity !== undefined) {
    conditions.push('severity IN {severities:Array(String)}');
    parameters['severities'] = query.severity === 'medium' ? ['medium', 'high', 'critical'] : [query.severity];
  }
  if (ids !== null) {
    conditions.push('id IN {ids:Array(String)}');
    parameters['ids'] = ids;
  }
  return { where: conditions.join(' AND '), parameters };
}

function readPage(
  store: ClickHouse,
  query: FindingsQuery,
  at: { ids: readonly string[] | null; lowered: readonly string[]; position: Place | null; nowMs: number },
): Promise<(FindingRow & { place: string })[]> {
  const { ids, lowered, position, nowMs } = at;
  const { key, type, direction } = SORTS[query.sort];
  const { where, parameters } = storedFilter(query, ids);
  const spend = laneSpendSql(store, nowMs);
  const after =
    position === null
      ? '1'
      : `(${key}, toUnixTimestamp64Milli(findings.first_seen), id) ${direction === 'ASC' ? '>' : '<'} ({value:${type}}, {first_seen:Int64}, {id:String})`;
  return store.rows<FindingRow & { place: string }>(
    `SELECT ${COLUMNS_SQL}, toString(${key}) AS place FROM ${store.database}.findings AS findings FINAL
     ${query.sort === 'spend' ? `LEFT JOIN (${spend.sql} GROUP BY lane) AS spend ON spend.spend_lane = findings.lane` : ''}
     WHERE ${where} AND ${after}
     ORDER BY ${key} ${direction}, findings.first_seen ${direction}, id ${direction} LIMIT {scan_rows:UInt32}`,
    {
      ...parameters,
      ...(query.sort === 'spend' ? spend.parameters : {}),
      ...(query.sort === 'severity' ? { lowered } : {}),
      scan_rows: SCAN_ROWS,
      ...(position === null ? {} : { value: position[1], first_seen: position[2], id: position[3] }),
    },
  );
}
