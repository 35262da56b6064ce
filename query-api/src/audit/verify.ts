import type { ChainHead, ChainState } from '../../contract/index.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { walkChain } from './chain.ts';
import type { Break } from './chain.ts';

const PAGE = 1_000;

/**
 * Checks the whole trail, a page at a time: every hash, every link, and the places that the stored head, receipts and the caller know.
 * @param known places that the caller has from elsewhere, such as from a receipt that was kept outside
 */
export async function verifyAudit(
  db: RegistryDatabase,
  nowMs: number,
  known: readonly ChainHead[] = [],
): Promise<ChainState> {
  // Read before the rows: what is appended meanwhile lies behind it.
  const stored = await db.selectFrom('audit_head').select(['seq', 'hash']).executeTakeFirst();
  const receipts = await db.selectFrom('export_receipts').select(['head_seq as seq', 'head_hash as hash']).execute();
  const heads = [...known, ...(stored === undefined ? [] : [stored]), ...receipts].map(({ seq, hash }) => ({
    seq: Number(seq),
    hash,
  }));
  const walk = walkChain(heads);
  const broken = (await walkRows(db, walk)) ?? walk.end();
  return {
    ...{ holds: broken === null, rows: walk.head.seq, head: walk.head, broken },
    checked_at: new Date(nowMs).toISOString(),
  };
}

async function walkRows(db: RegistryDatabase, walk: ReturnType<typeof walkChain>): Promise<Break | null> {
  let after = -1;
  for (;;) {
    const rows = await db
      .selectFrom('audit_trail')
      .select(['seq', 'entry', 'hash'])
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(PAGE)
      .execute();
    for (const row of rows) {
      const broken = walk.next({ ...row, seq: Number(row.seq) });
      if (broken !== null) return broken;
    }
    if (rows.length < PAGE) return null;
    after = Number(rows.at(-1)!.seq);
  }
}
