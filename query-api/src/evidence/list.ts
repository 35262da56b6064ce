import { z } from 'zod';
import type { Evidence, EvidencePage } from '../../contract/index.ts';
import { cursorInstant, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';

const cursorShape = z.tuple([cursorInstant, z.string().max(64)]);

/** A page of captured evidence, newest first. Throws CursorError. */
export async function readEvidencePage(
  db: RegistryDatabase,
  query: { limit: number; cursor?: string | undefined },
): Promise<EvidencePage> {
  let select = db.selectFrom('evidence').select(['id', 'captured_at', 'evidence']);
  if (query.cursor !== undefined) {
    const [capturedMs, id] = decodeCursor(query.cursor, cursorShape);
    const at = new Date(capturedMs);
    select = select.where((where) =>
      where.or([where('captured_at', '<', at), where.and([where('captured_at', '=', at), where('id', '<', id)])]),
    );
  }
  const rows = await select
    .orderBy('captured_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute();
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(({ evidence: { id, captured_at, captured_by, key, runs_total, calls, receipt } }) => ({
      ...{ id, captured_at, captured_by, key, runs_total, calls },
      ...{ export_id: receipt.id, file_name: receipt.file_name },
    })),
    next_cursor: rows.length > page.length && last ? encodeCursor([last.captured_at.getTime(), last.id]) : null,
  };
}

/** One piece of evidence. @throws {ProblemError} `not_found` */
export async function readEvidence(db: RegistryDatabase, id: string): Promise<Evidence> {
  const row = await db.selectFrom('evidence').select('evidence').where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new ProblemError('not_found', 'No evidence has this id.');
  return row.evidence;
}
