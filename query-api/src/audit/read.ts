import { sql } from 'kysely';
import type { SelectQueryBuilder } from 'kysely';
import { z } from 'zod';
import type { AuditFilter, AuditPage, AuditItem } from '../../contract/index.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { RegistryTables } from '../registry/schema.ts';
import { itemOf } from './chain.ts';

const cursorShape = z.tuple([z.number().int().min(1)]);

/** A page of the trail, newest first. Throws CursorError. */
export async function readAudit(
  db: RegistryDatabase,
  filter: AuditFilter,
  page: { limit: number; cursor?: string | undefined },
): Promise<AuditPage> {
  const before = page.cursor === undefined ? null : decodeCursor(page.cursor, cursorShape)[0];
  const rows = await readBelow(db, filter, before, page.limit + 1);
  const items = rows.slice(0, page.limit);
  return { items, next_cursor: rows.length > items.length ? encodeCursor([items.at(-1)!.seq]) : null };
}

const EXPORT_PAGE = 1_000;

/** All of a filter, newest first, a page at a time. */
export async function* eachAudit(db: RegistryDatabase, filter: AuditFilter): AsyncGenerator<AuditItem[]> {
  let before: number | null = null;
  for (;;) {
    const rows: AuditItem[] = await readBelow(db, filter, before, EXPORT_PAGE);
    if (rows.length > 0) yield rows;
    if (rows.length < EXPORT_PAGE) return;
    before = rows.at(-1)!.seq;
  }
}

async function readBelow(
  db: RegistryDatabase,
  filter: AuditFilter,
  before: number | null,
  limit: number,
): Promise<AuditItem[]> {
  let select = filtered(db.selectFrom('audit_trail').select(['entry', 'hash']), filter);
  if (before !== null) select = select.where('seq', '<', before);
  return (await select.orderBy('seq', 'desc').limit(limit).execute()).map(itemOf);
}

type Select<Row> = SelectQueryBuilder<RegistryTables, 'audit_trail', Row>;

function filtered<Row>(given: Select<Row>, filter: AuditFilter): Select<Row> {
  let select = given;
  for (const name of ['actor', 'subject_kind', 'subject', 'credential_id'] as const) {
    const value = filter[name];
    if (value !== undefined) select = select.where(name, '=', value);
  }
  if (filter.action !== undefined) select = select.where(sql<boolean>`starts_with(action, ${filter.action})`);
  // Instants of the trail are all written alike, so that their texts sort as they do.
  if (filter.from !== undefined) select = select.where('at', '>=', new Date(filter.from).toISOString());
  if (filter.to !== undefined) select = select.where('at', '<', new Date(filter.to).toISOString());
  return select;
}
