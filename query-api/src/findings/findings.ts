import { RISK_OF, RULE_CATALOGUE } from '@lanewatch/detector/contract';
import { z } from 'zod';
import type { FindingItem, findingsQuerySchema, Standing } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { cursorInstant, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { registrationOf } from '../lanes/registration.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { instantOf } from '../ledger/window.ts';
import { findingStatus, readTriage, severityNow } from './triage.ts';
import type { Triage } from './triage.ts';

/** Rules that say of a key that the registry does not have it, with the standing that their events had. */
export const ANSWERED_BY_REGISTERING: Readonly<Record<string, Standing>> = { R01: 'unknown', R02: 'ambiguous' };

interface FindingRow {
  id: string;
  rule: string;
  lane: string;
  fingerprint: string;
  hint: string;
  org: string;
  credential_id: string;
  severity: FindingItem['severity'];
  risk: number;
  first_seen: number;
  last_seen: number;
  last_received_at: number;
  occurrences: number;
  facts: string;
  parameters: string;
  ledger_filter: string;
}

const COLUMNS_SQL = `id, rule, lane, fingerprint, hint, org, credential_id, severity, risk,
  toUnixTimestamp64Milli(findings.first_seen) AS first_seen, toUnixTimestamp64Milli(findings.last_seen) AS last_seen,
  toUnixTimestamp64Milli(findings.last_received_at) AS last_received_at,
  occurrences, facts, parameters, ledger_filter`;

function itemOf(row: FindingRow, triage: Triage): FindingItem {
  const { status, decision } = findingStatus({ ...row, lastReceivedMs: Number(row.last_received_at) }, triage);
  const severity = severityNow(row, triage);
  const rule = RULE_CATALOGUE.find(({ id }) => id === row.rule);
  return {
    id: row.id,
    rule: row.rule,
    title: rule?.title ?? row.rule,
    condition: rule?.condition ?? '',
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
    resolution: decision === null ? null : { at: instantOf(decision.atMs), by: decision.by, reason: decision.reason },
    first_seen: instantOf(Number(row.first_seen)),
    last_seen: instantOf(Number(row.last_seen)),
    occurrences: Number(row.occurrences),
    facts: JSON.parse(row.facts || '{}') as FindingItem['facts'],
    parameters: JSON.parse(row.parameters || '{}') as FindingItem['parameters'],
    ledger_filter: JSON.parse(row.ledger_filter || '{}') as FindingItem['ledger_filter'],
  };
}

/** One finding, or null. */
export async function readFinding(store: ClickHouse, db: RegistryDatabase, id: string): Promise<FindingItem | null> {
  const [row] = await store.rows<FindingRow>(
    `SELECT ${COLUMNS_SQL} FROM ${store.database}.findings AS findings FINAL WHERE id = {id:String}`,
    { id },
  );
  return row === undefined ? null : itemOf(row, await readTriage(db, [row]));
}

/**
 * risk, first_seen, id. Occurrences as such move none of them. What does move between two pages is not where it was: a finding that rises
 * past this place is on the first page, and one that an event of earlier time makes older can come once more.
 */
const cursorShape = z.tuple([z.number().int().min(0).max(255), cursorInstant, z.string().max(64)]);
const SCAN_ROWS = 500;
/** A status is decided here and not in the store, so a page looks at this many rows at most before it ends early. */
const SCANS_PER_PAGE_MAX = 20;

const STATUSES_OF = {
  open: ['open'],
  resolved: ['resolved'],
  reopened: ['reopened'],
  unresolved: ['open', 'reopened'],
} as const;

/** A page of findings, highest risk first, then newest. Throws CursorError. */
export async function listFindings(
  store: ClickHouse,
  db: RegistryDatabase,
  query: z.output<typeof findingsQuerySchema>,
): Promise<{ items: FindingItem[]; next_cursor: string | null }> {
  const statuses: readonly string[] | null = query.status === undefined ? null : STATUSES_OF[query.status];
  let position = query.cursor === undefined ? null : decodeCursor(query.cursor, cursorShape);
  let lastShown = position;
  const items: FindingItem[] = [];
  for (let scan = 0; scan < SCANS_PER_PAGE_MAX; scan++) {
    const rows = await readPage(store, query, position);
    const triage = await readTriage(db, rows);
    for (const row of rows) {
      position = [Number(row.risk), Number(row.first_seen), row.id];
      const item = itemOf(row, triage);
      if (statuses !== null && !statuses.includes(item.status)) continue;
      // Only a finding that the next page shows makes one worth offering.
      if (items.length === query.limit) return { items, next_cursor: encodeCursor(lastShown ?? []) };
      items.push(item);
      lastShown = position;
    }
    if (rows.length < SCAN_ROWS) return { items, next_cursor: null };
  }
  return { items, next_cursor: encodeCursor(position ?? []) };
}

function readPage(
  store: ClickHouse,
  query: z.output<typeof findingsQuerySchema>,
  position: readonly [number, number, string] | null,
): Promise<FindingRow[]> {
  const conditions = ['1'];
  const parameters: Record<string, unknown> = { scan_rows: SCAN_ROWS };
  for (const name of ['severity', 'rule', 'lane'] as const) {
    if (query[name] === undefined) continue;
    conditions.push(`${name} = {${name}:String}`);
    parameters[name] = query[name];
  }
  if (position !== null) {
    conditions.push(
      `(risk, toUnixTimestamp64Milli(findings.first_seen), id) < ({risk:UInt8}, {first_seen:Int64}, {id:String})`,
    );
    [parameters['risk'], parameters['first_seen'], parameters['id']] = position;
  }
  return store.rows<FindingRow>(
    `SELECT ${COLUMNS_SQL} FROM ${store.database}.findings AS findings FINAL WHERE ${conditions.join(' AND ')}
     ORDER BY risk DESC, findings.first_seen DESC, id DESC LIMIT {scan_rows:UInt32}`,
    parameters,
  );
}
