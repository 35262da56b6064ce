import { credentialRecordSchema } from '@lanewatch/ingest/contract';
import { sql } from 'kysely';
import type { FieldChange } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import { ProblemError } from '../http/problem.ts';
import { LOCKS } from './database.ts';
import type { RegistryDatabase, RegistryTransaction } from './database.ts';
import type { CredentialRow } from './record.ts';
import { isLive, recordOfSecret } from './secrets.ts';
import type { SecretRow } from './secrets.ts';

/** A change that is committed; it is on the bus once the outbox row of this id is sent. */
export interface RegistryChange {
  row: CredentialRow;
  outboxId: number;
}

/**
 * Runs a registry change. Changes wait for each other, so that outbox ids grow in commit order and a reader that saw the
 * newest id has seen all before it.
 */
export function change<Result>(
  db: RegistryDatabase,
  work: (transaction: RegistryTransaction) => Promise<Result>,
): Promise<Result> {
  return db.transaction().execute(async (transaction) => {
    await sql`SELECT pg_advisory_xact_lock(${LOCKS.registry})`.execute(transaction);
    return work(transaction);
  });
}

/** A credential to be changed, and its secrets. */
export interface Held {
  row: CredentialRow;
  secrets: readonly SecretRow[];
}

/**
 * Reads a credential inside a change.
 * @param version the one that whoever changes it has seen; undefined when they don't say
 * @throws {ProblemError} `not_found`, or `conflict` when somebody changed it since
 */
export async function holdCredential(transaction: RegistryTransaction, id: string, version?: number): Promise<Held> {
  const row = await transaction.selectFrom('credentials').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new ProblemError('not_found', 'No credential has this id.');
  if (version !== undefined) refuseOutdated(row, version);
  return { row, secrets: await secretsOf(transaction, [id]) };
}

/** Throws `conflict` for a change that was made on another version than the present one. */
export function refuseOutdated(row: CredentialRow, version: number): void {
  if (version === row.version) return;
  throw new ProblemError(
    'conflict',
    `It was changed since: you saw version ${version}, it is at ${row.version} now. Look at it again and repeat the change.`,
    [{ path: 'version', message: `is ${row.version} now` }],
  );
}

/** Secrets of some credentials, newest first. */
export function secretsOf(db: RegistryDatabase | RegistryTransaction, ids: string[]): Promise<SecretRow[]> {
  return db
    .selectFrom('credential_secrets')
    .selectAll()
    .where('credential_id', 'in', ids)
    .orderBy('created_at', 'desc')
    .orderBy('version', 'desc')
    .execute();
}

/**
 * Puts the records of a credential's secrets on their way, at the version of the credential. The present one goes last: whoever waits
 * for its id has all of them.
 * @param secrets those whose record changed: all that are live, and one that just ended
 * @returns id of the last outbox row
 * @throws when readers of the topic would refuse a record, which undoes the change: what is committed can be published
 */
export const writeOutbox = (
  transaction: RegistryTransaction,
  row: CredentialRow,
  secrets: readonly SecretRow[],
  at: Date,
): Promise<number> => writeOutboxAll(transaction, [{ row, secrets }], at);

/** The same for several credentials, in their order, with as many statements as for one of each version. */
export async function writeOutboxAll(
  transaction: RegistryTransaction,
  changed: readonly Held[],
  at: Date,
): Promise<number> {
  const records = changed.flatMap(({ row, secrets }) =>
    secrets
      .toSorted((one, other) => Number(one.replaced_at === null) - Number(other.replaced_at === null))
      .map((secret) => ({
        row,
        secret,
        record: recordOfSecret(row, { ...secret, version: row.version }, at.getTime()),
      })),
  );
  if (records.length === 0) return 0;
  const written = await transaction
    .insertInto('outbox')
    .values(
      records.map(({ row, record }) => ({
        credential_id: row.id,
        record: JSON.stringify(credentialRecordSchema.parse(record)),
        created_at: at,
        sent_at: null,
      })),
    )
    .returning('id')
    .execute();
  for (const [version, ofVersion] of Map.groupBy(records, ({ row }) => row.version)) {
    await transaction
      .updateTable('credential_secrets')
      .set({ version })
      .where(
        'record_key',
        'in',
        ofVersion.map(({ secret }) => secret.record_key),
      )
      .execute();
  }
  return Math.max(...written.map(({ id }) => Number(id)));
}

/** The secrets whose records say something that may still change. */
export const liveOf = (secrets: readonly SecretRow[], atMs: number): SecretRow[] =>
  secrets.filter((secret) => isLive(secret, atMs));

/** Notes in the audit trail what was done to a credential. */
export async function writeEvent(
  transaction: RegistryTransaction,
  event: { actor: string; action: string; credentialId: string; at: Date; detail?: string; changes?: FieldChange[] },
): Promise<void> {
  const { credentialId, ...act } = event;
  await appendAudit(transaction, { ...act, subject: { kind: 'credential', id: credentialId } });
}

/** What was decided about findings of some rules on a lane. */
export interface LaneDecision {
  lane: string;
  rules: readonly string[];
  status: 'resolved' | 'lowered';
  reason: string;
}

/** Writes decisions; the last one about a rule on a lane counts. */
export async function writeDecisions(
  transaction: RegistryTransaction,
  decisions: readonly LaneDecision[],
  by: { credentialId: string; actor: string; at: Date },
): Promise<void> {
  for (const { lane, rules, status, reason } of decisions) {
    for (const rule of rules) {
      const decided = { status, at: by.at, by: by.actor, reason, credential_id: by.credentialId };
      await transaction
        .insertInto('triage')
        .values({ lane, rule, ...decided })
        .onConflict((conflict) => conflict.columns(['lane', 'rule']).doUpdateSet(decided))
        .execute();
    }
  }
}

/** The oldest change that is still told, and the newest, which is the registry's version; 0 before the first. */
export async function outboxReach(db: RegistryDatabase): Promise<{ oldest: number; newest: number }> {
  const reach = await db
    .selectFrom('outbox')
    .select(({ fn }) => [fn.min('id').as('oldest'), fn.max('id').as('newest')])
    .executeTakeFirst();
  return { oldest: Number(reach?.oldest ?? 0), newest: Number(reach?.newest ?? 0) };
}

/** The newest change; 0 before the first. */
export const registryVersion = async (db: RegistryDatabase): Promise<number> => (await outboxReach(db)).newest;
