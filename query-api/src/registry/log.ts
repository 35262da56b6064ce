import { z } from 'zod';
import type { CredentialLog, CredentialLogItem } from '../../contract/index.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { RegistryDatabase } from './database.ts';

const cursorShape = z.tuple([z.number().int().min(1)]);

/** A page of what was done to a credential, newest first. Throws CursorError. */
export async function readLog(
  db: RegistryDatabase,
  id: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<CredentialLog> {
  let select = db.selectFrom('registry_events').selectAll().where('credential_id', '=', id);
  if (query.cursor !== undefined) select = select.where('id', '<', String(decodeCursor(query.cursor, cursorShape)[0]));
  const rows = await select
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute();
  const items = rows.slice(0, query.limit).map((row): CredentialLogItem => ({
    id: Number(row.id),
    at: row.at.toISOString(),
    ...{ actor: row.actor, action: row.action, detail: row.detail, changes: row.changes },
  }));
  return { items, next_cursor: rows.length > items.length ? encodeCursor([items.at(-1)!.id]) : null };
}
