import type { Insertable } from 'kysely';
import type { RegistryTransaction } from '../registry/database.ts';
import type { PolicyTables } from './tables.ts';

export type NewNotice = Omit<Insertable<PolicyTables['notices']>, 'id' | 'at'>;

/** Writes notices that were never made. The unique index keeps each from being made twice, whoever tries. @returns how many are new */
export async function writeNotices(
  transaction: RegistryTransaction,
  notices: readonly NewNotice[],
  at: Date,
): Promise<number> {
  if (notices.length === 0) return 0;
  const written = await transaction
    .insertInto('notices')
    .values(notices.map((notice) => ({ ...notice, at })))
    .onConflict((conflict) => conflict.columns(['kind', 'subject', 'threshold', 'key']).doNothing())
    .returning('id')
    .execute();
  return written.length;
}
