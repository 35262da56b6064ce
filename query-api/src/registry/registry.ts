import { credentialRecordSchema } from '@lanewatch/ingest/contract';
import type { CredentialRecord } from '@lanewatch/ingest/contract';
import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import { ProblemError } from '../http/problem.ts';
import { LOCKS } from './database.ts';
import type { RegistryDatabase } from './database.ts';
import type { CredentialDraft } from './draft.ts';
import { insertableOf, recordOf } from './record.ts';
import type { CredentialRow } from './record.ts';
import type { RegistryTables } from './schema.ts';

/** A change that is committed; it is on the bus once the outbox row of this id is sent. */
export interface RegistryChange {
  row: CredentialRow;
  outboxId: number;
}

/** A lane whose findings of some rules a registration answers. */
export interface LaneResolution {
  lane: string;
  rules: readonly string[];
  reason: string;
}

/** What a new credential means for the lanes it touches. */
export interface LaneAnswer {
  /** Known from now on. */
  resolved: LaneResolution[];
  /** Lanes that the credential makes ambiguous: what was decided on them no longer holds. */
  unsettled: string[];
}

/**
 * Runs a registry change. Changes wait for each other, so that outbox ids grow in commit order and a reader that saw the
 * newest id has seen all before it.
 */
export function change<Result>(
  db: RegistryDatabase,
  work: (transaction: Transaction<RegistryTables>) => Promise<Result>,
): Promise<Result> {
  return db.transaction().execute(async (transaction) => {
    await sql`SELECT pg_advisory_xact_lock(${LOCKS.registry})`.execute(transaction);
    return work(transaction);
  });
}

/**
 * Writes a new credential, its outbox row and what it resolves, all or nothing.
 * @throws {ProblemError} `conflict` when the key is registered already, whatever became of it: a revoked key stays revoked
 */
export function addCredential(
  db: RegistryDatabase,
  draft: CredentialDraft,
  answerOf: (existing: CredentialRow[]) => LaneAnswer,
): Promise<RegistryChange> {
  return change(db, async (transaction) => {
    const { row } = draft;
    const existing = await transaction
      .selectFrom('credentials')
      .selectAll()
      .where('record_key', '=', row.record_key)
      .executeTakeFirst();
    if (existing !== undefined) throw duplicateProblem(existing, row.fingerprint !== '');
    await transaction.insertInto('credentials').values(insertableOf(row)).execute();
    const sameHint = row.hint === '' ? [] : await credentialsWithHint(transaction, row.hint);
    const { resolved, unsettled } = answerOf(sameHint);
    for (const resolution of resolved) await writeResolution(transaction, resolution, row);
    if (unsettled.length > 0) await transaction.deleteFrom('triage').where('lane', 'in', unsettled).execute();
    await writeEvent(
      transaction,
      row.created_by,
      row.kind === 'managed' ? 'issued' : 'registered',
      row.id,
      row.created_at,
    );
    return { row, outboxId: await writeOutbox(transaction, row, row.created_at) };
  });
}

/**
 * Revokes for ever.
 * @throws {ProblemError} `not_found`, or `conflict` when it is revoked already
 */
export function revokeCredential(
  db: RegistryDatabase,
  revocation: { id: string; actor: string; reason: string; nowMs: number },
): Promise<RegistryChange> {
  return change(db, async (transaction) => {
    const existing = await transaction
      .selectFrom('credentials')
      .selectAll()
      .where('id', '=', revocation.id)
      .executeTakeFirst();
    if (existing === undefined) throw new ProblemError('not_found', 'No credential has this id.');
    if (existing.revoked_at !== null) {
      throw new ProblemError('conflict', `It was revoked at ${existing.revoked_at.toISOString()} already.`);
    }
    const at = new Date(revocation.nowMs);
    const row: CredentialRow = {
      ...existing,
      revoked_at: at,
      revoked_by: revocation.actor,
      revoke_reason: revocation.reason,
      version: existing.version + 1,
    };
    await transaction
      .updateTable('credentials')
      .set({ revoked_at: at, revoked_by: row.revoked_by, revoke_reason: row.revoke_reason, version: row.version })
      .where('id', '=', row.id)
      .execute();
    await writeEvent(transaction, revocation.actor, 'revoked', row.id, at, revocation.reason);
    return { row, outboxId: await writeOutbox(transaction, row, at) };
  });
}

/** Puts records on their way to the topic again, such as after the bus was replaced. */
export function republish(db: RegistryDatabase, rows: CredentialRow[], nowMs: number): Promise<void> {
  return change(db, async (transaction) => {
    for (const row of rows) await writeOutbox(transaction, row, new Date(nowMs));
  });
}

/**
 * Brings credentials past records of the topic that are newer than they are, and puts them on their way. One that is revoked there is
 * revoked here too.
 * @param onTopic records by record key
 * @returns ids of all of them, and of those that were not revoked here
 */
export function overtake(
  db: RegistryDatabase,
  onTopic: ReadonlyMap<string, CredentialRecord | null>,
  nowMs: number,
): Promise<{ overtaken: string[]; revoked: string[] }> {
  const at = new Date(nowMs);
  return change(db, async (transaction) => {
    const overtaken: string[] = [];
    const revoked: string[] = [];
    for (const existing of await transaction.selectFrom('credentials').selectAll().execute()) {
      const record = onTopic.get(existing.record_key) ?? null;
      if (record === null || record.version <= existing.version) continue;
      const revocation = existing.revoked_at === null ? revocationIn(record) : null;
      const changed = { version: record.version + 1, ...revocation };
      await transaction.updateTable('credentials').set(changed).where('id', '=', existing.id).execute();
      const row = { ...existing, ...changed };
      if (revocation !== null) {
        await writeEvent(transaction, row.revoked_by, 'revoked', row.id, at, row.revoke_reason);
        revoked.push(row.id);
      }
      await writeOutbox(transaction, row, at);
      overtaken.push(row.id);
    }
    return { overtaken, revoked };
  });
}

type Revocation = Pick<CredentialRow, 'revoked_at' | 'revoked_by' | 'revoke_reason' | 'grace_ends_at'>;

function revocationIn({ revoked_at: at, grace_ends_at: graceEndsAt }: CredentialRecord): Revocation | null {
  if (at === null) return null;
  return {
    revoked_at: new Date(at),
    revoked_by: 'lanewatch',
    revoke_reason: 'Revoked on the credentials topic, which was newer than this registry.',
    grace_ends_at: graceEndsAt === null ? null : new Date(graceEndsAt),
  };
}

/** The newest change; 0 before the first. */
export async function registryVersion(db: RegistryDatabase): Promise<number> {
  const newest = await db
    .selectFrom('outbox')
    .select(({ fn }) => fn.max('id').as('id'))
    .executeTakeFirst();
  return Number(newest?.id ?? 0);
}

async function credentialsWithHint(transaction: Transaction<RegistryTables>, hint: string): Promise<CredentialRow[]> {
  return transaction.selectFrom('credentials').selectAll().where('hint', '=', hint).execute();
}

/** Throws when readers of the topic would refuse the record, which undoes the change: what is committed can be published. */
async function writeOutbox(transaction: Transaction<RegistryTables>, row: CredentialRow, at: Date): Promise<number> {
  const written = await transaction
    .insertInto('outbox')
    .values({
      credential_id: row.id,
      record: JSON.stringify(credentialRecordSchema.parse(recordOf(row, at.getTime()))),
      created_at: at,
      sent_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return Number(written.id);
}

async function writeResolution(
  transaction: Transaction<RegistryTables>,
  { lane, rules, reason }: LaneResolution,
  row: CredentialRow,
): Promise<void> {
  for (const rule of rules) {
    const decided = {
      status: 'resolved',
      at: row.created_at,
      by: row.created_by,
      reason,
      credential_id: row.id,
    } as const;
    await transaction
      .insertInto('triage')
      .values({ lane, rule, ...decided })
      .onConflict((conflict) => conflict.columns(['lane', 'rule']).doUpdateSet(decided))
      .execute();
  }
}

async function writeEvent(
  transaction: Transaction<RegistryTables>,
  actor: string,
  action: string,
  credentialId: string,
  at: Date,
  detail = '',
): Promise<void> {
  await transaction
    .insertInto('registry_events')
    .values({ at, actor, action, credential_id: credentialId, detail })
    .execute();
}

function duplicateProblem(existing: CredentialRow, byFingerprint: boolean): ProblemError {
  const path = byFingerprint ? 'fingerprint' : 'hint';
  const what = byFingerprint ? 'This fingerprint' : 'This hint with this org';
  const end = existing.revoked_at === null ? '' : ', and revoked; a revoked key can’t be restored';
  return new ProblemError('conflict', `${what} is registered as “${existing.name}” (${existing.id})${end}.`, [
    { path, message: `is registered as ${existing.id}` },
  ]);
}
