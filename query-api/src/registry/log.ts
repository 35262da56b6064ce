import type { CredentialLog } from '../../contract/index.ts';
import { readAudit } from '../audit/read.ts';
import type { RegistryDatabase } from './database.ts';

/** A page of what was done to a credential, newest first. Throws CursorError. */
export async function readLog(
  db: RegistryDatabase,
  id: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<CredentialLog> {
  const { items, next_cursor } = await readAudit(db, { credential_id: id }, query);
  return {
    items: items.map(({ seq, at, actor, action, detail, changes }) => ({
      id: seq,
      ...{ at, actor, action, detail, changes },
    })),
    next_cursor,
  };
}
