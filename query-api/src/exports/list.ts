import { z } from 'zod';
import type { ExportReceipt } from '../../contract/index.ts';
import { cursorInstant, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';

const cursorShape = z.tuple([cursorInstant, z.string().max(64)]);

/** A page of receipts, newest first. Throws CursorError. */
export async function readReceipts(
  db: RegistryDatabase,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ items: ExportReceipt[]; next_cursor: string | null }> {
  let select = db.selectFrom('export_receipts').select(['id', 'made_at', 'receipt']);
  if (query.cursor !== undefined) {
    const [madeMs, id] = decodeCursor(query.cursor, cursorShape);
    const at = new Date(madeMs);
    select = select.where((where) =>
      where.or([where('made_at', '<', at), where.and([where('made_at', '=', at), where('id', '<', id)])]),
    );
  }
  const rows = await select
    .orderBy('made_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute();
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(({ receipt }) => receipt),
    next_cursor: rows.length > page.length && last ? encodeCursor([last.made_at.getTime(), last.id]) : null,
  };
}

/** One receipt. @throws {ProblemError} `not_found` */
export async function readReceipt(db: RegistryDatabase, id: string): Promise<ExportReceipt> {
  const row = await db.selectFrom('export_receipts').select('receipt').where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new ProblemError('not_found', 'No export has this id, or its file was never finished.');
  return row.receipt;
}
