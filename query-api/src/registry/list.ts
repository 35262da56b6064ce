import { sql } from 'kysely';
import type { Expression, SqlBool } from 'kysely';
import { laneOf } from '@lanewatch/ingest/contract';
import { z } from 'zod';
import type { CredentialsPage, credentialsQuerySchema } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { cursorInstant, decodeCursor, encodeCursor } from '../cursor.ts';
import type { CollectorTotals } from '../overview/collectors.ts';
import type { RegistryDatabase } from './database.ts';
import { itemOf, statusAt } from './record.ts';
import type { CredentialRow } from './record.ts';

const cursorShape = z.tuple([cursorInstant, z.string().max(64)]);

/** A page of credentials, newest first, and the totals of the whole registry. Throws CursorError. */
export async function listCredentials(
  parts: { db: RegistryDatabase; store: ClickHouse; collectors: CollectorTotals; nowMs: number },
  all: readonly CredentialRow[],
  query: z.output<typeof credentialsQuerySchema>,
): Promise<CredentialsPage> {
  const at = new Date(parts.nowMs);
  let select = parts.db.selectFrom('credentials').selectAll();
  if (query.kind !== undefined) select = select.where('kind', '=', query.kind);
  if (query.status === 'revoked') select = select.where('revoked_at', 'is not', null);
  if (query.status === 'expired') select = select.where('revoked_at', 'is', null).where('expires_at', '<=', at);
  if (query.status === 'active') {
    select = select
      .where('revoked_at', 'is', null)
      .where(({ eb, or }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]));
  }
  const needle = query.q?.trim() ?? '';
  if (needle !== '') {
    // position() takes the text as it is; LIKE would read % and _ as wildcards.
    const holds = (column: 'name' | 'hint' | 'owner' | 'org'): Expression<SqlBool> =>
      sql<boolean>`position(lower(${needle}) in lower(${sql.ref(column)})) > 0`;
    select = select.where(({ or }) => or([holds('name'), holds('hint'), holds('owner'), holds('org')]));
  }
  if (query.cursor !== undefined) {
    const [createdMs, id] = decodeCursor(query.cursor, cursorShape);
    const createdAt = new Date(createdMs);
    select = select.where(({ eb, or, and }) =>
      or([eb('created_at', '<', createdAt), and([eb('created_at', '=', createdAt), eb('id', '<', id)])]),
    );
  }
  const rows = await select
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute();
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const lastUsed = await readLastUsed(parts.store, parts.collectors, page);
  const totals = { total: all.length, active: 0, expired: 0, revoked: 0 };
  for (const row of all) totals[statusAt(row, parts.nowMs)]++;
  return {
    items: page.map((row) => itemOf(row, lastUsed.get(row.id) ?? null, parts.nowMs)),
    next_cursor:
      rows.length > page.length && last !== undefined ? encodeCursor([last.created_at.getTime(), last.id]) : null,
    totals,
  };
}

/**
 * When each credential was seen last, epoch milliseconds: on its lanes, on rows that matched it when they were written,
 * and as a collector. Credentials never seen are absent.
 */
export async function readLastUsed(
  store: ClickHouse,
  collectors: CollectorTotals,
  rows: CredentialRow[],
): Promise<Map<string, number>> {
  const lastUsed = new Map<string, number>();
  if (rows.length === 0) return lastUsed;
  const note = (id: string, atMs: number): void => {
    if (atMs > (lastUsed.get(id) ?? 0)) lastUsed.set(id, atMs);
  };
  const idsByLane = new Map<string, string[]>();
  for (const { id, fingerprint, hint, org } of rows) {
    const lanes = [fingerprint, hint !== '' && org !== '' && fingerprint === '' ? laneOf('', hint, org) : ''];
    for (const lane of lanes) if (lane !== '') idsByLane.set(lane, [...(idsByLane.get(lane) ?? []), id]);
  }
  const matchedByHint = rows.filter(({ hint, org }) => hint !== '' && org !== '').map(({ id }) => id);
  const [byLane, byId] = await Promise.all([
    readLatest(store, 'lane', [...idsByLane.keys()]),
    readLatest(store, 'credential_id', matchedByHint),
  ]);
  for (const { value, last } of byLane) for (const id of idsByLane.get(value) ?? []) note(id, Number(last));
  for (const { value, last } of byId) note(value, Number(last));
  const totals = collectors.byCollector();
  for (const { id } of rows) note(id, totals.get(id)?.lastReceivedMs ?? 0);
  return lastUsed;
}

/** Values per request, so that their names fit into it. */
const VALUES_PER_REQUEST = 100;

async function readLatest(
  store: ClickHouse,
  column: 'lane' | 'credential_id',
  values: string[],
): Promise<{ value: string; last: number | string }[]> {
  const chunks = Array.from({ length: Math.ceil(values.length / VALUES_PER_REQUEST) }, (_, index) =>
    values.slice(index * VALUES_PER_REQUEST, (index + 1) * VALUES_PER_REQUEST),
  );
  const answers = await Promise.all(
    chunks.map((chunk) =>
      store.rows<{ value: string; last: number | string }>(
        `SELECT ${column} AS value, toUnixTimestamp64Milli(max(seen_at)) AS last FROM ${store.database}.ledger
         WHERE has({values:Array(String)}, ${column}) GROUP BY ${column}`,
        { values: chunk },
      ),
    ),
  );
  return answers.flat();
}
