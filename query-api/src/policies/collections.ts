import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import { appendAuditAll } from '../audit/append.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { statusAt } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';
import { change } from '../registry/registry.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import { replaceSecretIn } from '../registry/rotate.ts';
import type { Rotation } from '../registry/rotate.ts';
import { DAY_MS } from './rules.ts';
import type { PolicyTables } from './tables.ts';

export type CollectionRow = Selectable<PolicyTables['collections']>;

/** A replacement that the owner of a key may ask for. */
export interface Offer {
  row: CredentialRow;
  graceMs: number;
  /** Last instant at which it may be asked for. */
  lastMs: number;
}

/**
 * Opens collections: replacements that owners of keys may ask for once. Nothing is made yet, and nothing about the keys changes.
 * @returns ids of the keys that have one now and had none open
 */
export async function openCollections(
  transaction: RegistryTransaction,
  offers: readonly Offer[],
  by: { actor: string; at: Date },
): Promise<ReadonlySet<string>> {
  if (offers.length === 0) return new Set();
  const rows = offers.map(({ row, graceMs, lastMs }) => ({
    ...{ id: randomUUID(), credential_id: row.id, record_key: row.record_key },
    ...{ opened_at: by.at, opened_by: by.actor, grace_ms: String(Math.round(graceMs)) },
    last_date: new Date(Math.min(lastMs, row.expires_at?.getTime() ?? Infinity)),
    ...({ status: 'open', ended_at: null } as const),
  }));
  const opened = await transaction
    .insertInto('collections')
    .values(rows)
    .onConflict((conflict) => conflict.column('credential_id').where('status', '=', 'open').doNothing())
    .returning('id')
    .execute();
  const ids = new Set(opened.map(({ id }) => id));
  const fresh = rows.filter(({ id }) => ids.has(id));
  await appendAuditAll(
    transaction,
    fresh.map(({ credential_id: id, last_date: last }) => ({
      ...{ ...by, action: 'replacement_offered', subject: { kind: 'credential', id } },
      detail: `A new secret waits for its owner until ${last.toISOString()}.`,
    })),
  );
  return new Set(fresh.map(({ credential_id: id }) => id));
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

/** The last warning comes so long before a key ends, and never less, whatever the clock did meanwhile. */
const LAST_WARNING_MS = DAY_MS;

/** How long before its last date a warning comes; of a collection that is open for a short time a quarter of that is enough. Pure. */
export const leadOf = ({ opened_at: opened, last_date: last }: CollectionRow): number =>
  Math.min(LAST_WARNING_MS, Math.max(0, last.getTime() - opened.getTime()) / 4);

/**
 * Open collections after an id, by id.
 * @param attentionAt only those that something is to be done about at that instant: never told of, near their last date, or without a
 *   point any more; null for all
 */
export function readOpenCollections(
  db: RegistryDatabase | RegistryTransaction,
  { afterId, limit, attentionAt }: { afterId: string; limit: number; attentionAt: Date | null },
): Promise<CollectionRow[]> {
  let select = db
    .selectFrom('collections')
    .innerJoin('credentials', 'credentials.id', 'collections.credential_id')
    .selectAll('collections')
    .where('collections.status', '=', 'open')
    .where('collections.id', '>', afterId);
  if (attentionAt !== null) {
    select = select.where(
      sql<boolean>`(
        credentials.record_key <> collections.record_key OR credentials.revoked_at IS NOT NULL OR credentials.expires_at <= ${attentionAt}
        OR collections.last_date - LEAST(make_interval(secs => ${LAST_WARNING_MS / 1_000}), (collections.last_date - collections.opened_at) / 4) <= ${attentionAt}
        OR NOT EXISTS (SELECT 1 FROM notices WHERE notices.subject = collections.credential_id
          AND notices.kind = 'rotation.offered' AND notices.key = collections.id))`,
    );
  }
  return select.orderBy('collections.id').limit(limit).execute();
}
