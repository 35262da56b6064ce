import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { statusAt } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';
import { change, writeEvent } from '../registry/registry.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import { replaceSecretIn } from '../registry/rotate.ts';
import type { Rotation } from '../registry/rotate.ts';
import type { PolicyTables } from './tables.ts';

export type CollectionRow = Selectable<PolicyTables['collections']>;

/**
 * Opens a collection: a replacement that the owner of a key may ask for once. Nothing is made yet, and nothing about the key changes.
 * @returns false when one is open already
 */
export async function openCollection(
  transaction: RegistryTransaction,
  row: CredentialRow,
  terms: { graceMs: number; lastMs: number },
  by: { actor: string; at: Date },
): Promise<boolean> {
  const last = new Date(Math.min(terms.lastMs, row.expires_at?.getTime() ?? Infinity));
  const opened = await transaction
    .insertInto('collections')
    .values({
      ...{ id: randomUUID(), credential_id: row.id, record_key: row.record_key },
      ...{ opened_at: by.at, opened_by: by.actor, grace_ms: String(Math.round(terms.graceMs)), last_date: last },
      ...{ status: 'open', ended_at: null },
    })
    .onConflict((conflict) => conflict.column('credential_id').where('status', '=', 'open').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (opened === undefined) return false;
  await writeEvent(transaction, {
    ...{ actor: by.actor, action: 'replacement_offered', credentialId: row.id, at: by.at },
    detail: `A new secret waits for its owner until ${last.toISOString()}.`,
  });
  return true;
}

/**
 * Makes the new secret of an open collection, for its owner: the one time that it exists in the clear. The old one drains for its
 * grace, and not past the last date.
 * @throws {ProblemError} `not_found`; `conflict` when it was collected, missed or withdrawn, or the key was rotated or retired since
 */
export function collect(
  db: RegistryDatabase,
  collection: { id: string; actor: string; nowMs: number },
): Promise<Rotation> {
  const { id, actor, nowMs } = collection;
  return change(db, async (transaction) => {
    const row = await transaction
      .selectFrom('collections')
      .selectAll()
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) throw new ProblemError('not_found', 'Nothing to collect has this id.');
    if (row.status !== 'open') throw new ProblemError('conflict', ENDED[row.status]);
    const key = await transaction
      .selectFrom('credentials')
      .selectAll()
      .where('id', '=', row.credential_id)
      .executeTakeFirstOrThrow();
    if (key.record_key !== row.record_key) throw new ProblemError('conflict', ENDED.withdrawn);
    const graceMs = Math.max(0, Math.min(Number(row.grace_ms), row.last_date.getTime() - nowMs));
    const rotation = await replaceSecretIn(transaction, {
      ...{ id: row.credential_id, act: 'rotated', actor, nowMs },
      input: { grace_seconds: graceMs / 1_000, reason: 'Collected by its owner, as the policy on rotation asks.' },
    });
    await endCollection(transaction, row, { status: 'collected', actor, at: new Date(nowMs) });
    return rotation;
  });
}

const ENDED = {
  collected: 'It was collected already: a secret is shown once. If it was lost, have the key rotated.',
  missed: 'Its last date has passed and the key ended. Have another key issued.',
  withdrawn: 'There is nothing to collect any more: the key was rotated or ended since.',
} as const;

/** Notes how a collection ended. */
export async function endCollection(
  transaction: RegistryTransaction,
  row: CollectionRow,
  end: { status: 'collected' | 'missed' | 'withdrawn'; actor: string; at: Date },
): Promise<void> {
  await transaction
    .updateTable('collections')
    .set({ status: end.status, ended_at: end.at, ended_by: end.actor })
    .where('id', '=', row.id)
    .where('status', '=', 'open')
    .execute();
}

/** Why an open collection has no point any more; null while it has one. Pure. */
export function isStale(collection: CollectionRow, key: CredentialRow, nowMs: number): boolean {
  return key.record_key !== collection.record_key || statusAt(key, nowMs) !== 'active';
}

/** Open collections after an id, by id. */
export function openCollections(
  db: RegistryDatabase | RegistryTransaction,
  afterId: string,
  limit: number,
): Promise<CollectionRow[]> {
  return db
    .selectFrom('collections')
    .selectAll()
    .where('status', '=', 'open')
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute();
}
