import { sql } from 'kysely';
import type { Expression, SqlBool } from 'kysely';
import { z } from 'zod';
import type { CredentialsPage, credentialsQuerySchema } from '../../contract/index.ts';
import { cursorInstant, decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { RegistryDatabase } from './database.ts';
import { itemOf, statusAt } from './record.ts';
import type { CredentialRow, LastUse } from './record.ts';

const cursorShape = z.tuple([cursorInstant, z.string().max(64)]);

/**
 * A page of credentials, newest first, and the totals of the whole registry. Throws CursorError.
 * @param parts.lastUses tells when each of some credentials was used last
 */
export async function listCredentials(
  parts: {
    db: RegistryDatabase;
    lastUses: (rows: CredentialRow[]) => Promise<(id: string) => LastUse>;
    nowMs: number;
  },
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
  const lastUseOf = await parts.lastUses(page);
  const totals = { total: all.length, active: 0, expired: 0, revoked: 0 };
  for (const row of all) totals[statusAt(row, parts.nowMs)]++;
  return {
    items: page.map((row) => itemOf(row, lastUseOf(row.id), parts.nowMs)),
    next_cursor:
      rows.length > page.length && last !== undefined ? encodeCursor([last.created_at.getTime(), last.id]) : null,
    totals,
  };
}
