import { createHash } from 'node:crypto';
import { credentialCreateSchema } from '../../contract/index.ts';
import type { CredentialRefuse, Module, Standing } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { ProblemError } from '../http/problem.ts';
import { standingNow } from './standing-now.ts';
import { addInChange } from './add.ts';
import type { LaneAnswer } from './add.ts';
import { answerOf, countDecided, readOpenOn } from './answers.ts';
import type { OpenFinding } from './answers.ts';
import type { RegistryDatabase } from './database.ts';
import { draftCredential } from './draft.ts';
import type { CreateInput } from './draft.ts';
import { change } from './registry.ts';
import { revokeInChange } from './revoke.ts';
import type { RegistryChange } from './registry.ts';
import type { RegistryTransaction } from './database.ts';
import type { CredentialRow } from './record.ts';
import { snapshotOf } from './view.ts';

/** What creating works with. */
export interface RegisterParts {
  db: RegistryDatabase;
  store: ClickHouse;
  modules: readonly Module[];
  nowMs: number;
  /** Hears that the ledger was not asked which findings this answers. */
  onFault: (error: unknown) => void;
}

export interface Registered extends RegistryChange {
  secret: string | null;
  standing: Standing;
  findingsResolved: number;
  findingsLowered: number;
}

/**
 * Registers or issues a credential: checks, writes, and resolves what it answers. The ledger is asked which findings that
 * touches; when it does not answer the registration still holds, and only the count in the answer stays at zero.
 * @param alsoIn what else its transaction holds
 * @throws {ProblemError} for a request that can't be used or a key that is there already
 */
export async function registerCredential(
  parts: RegisterParts,
  input: CreateInput,
  actor: string,
  alsoIn: (transaction: RegistryTransaction, added: RegistryChange) => Promise<void> = async () => undefined,
): Promise<Registered> {
  return register(parts, input, actor, async (transaction, add) => {
    const added = await add();
    await alsoIn(transaction, added);
    return added;
  });
}

/**
 * Puts a key that nobody registered on record as revoked, all or nothing: there is no moment in which it counts as known.
 * @throws {ProblemError} for names that can't be used, and `conflict` for a key that is there already
 */
export async function refuseKey(parts: RegisterParts, key: CredentialRefuse, actor: string): Promise<Registered> {
  const { reason, ...named } = key;
  const name = `Refused: ${named.hint || named.fingerprint?.slice(0, 12)}`;
  const input = credentialCreateSchema.parse({ ...named, name, kind: 'registered' });
  return register(parts, input, actor, async (transaction, add) => {
    const { row, outboxId } = await add();
    await transaction.deleteFrom('outbox').where('id', '=', String(outboxId)).execute();
    return revokeInChange(transaction, { id: row.id, actor, reason, nowMs: parts.nowMs });
  });
}

/**
 * {@link registerCredential}, once for the same request under the same key.
 * @returns the credential that the key made before, where it did
 * @throws {ProblemError} also `conflict` when the key was used for another request
 */
export async function registerOnce(
  parts: RegisterParts,
  input: CreateInput,
  actor: string,
  key: string,
): Promise<Registered | { repeated: CredentialRow }> {
  const requestSha256 = createHash('sha256').update(JSON.stringify(input)).digest('hex');
  let repeated: CredentialRow | null = null;
  const registered = await register(parts, input, actor, async (transaction, add) => {
    repeated = await madeBefore(transaction, actor, key, requestSha256);
    if (repeated !== null) return null;
    const added = await add();
    const made = { actor, key, request_sha256: requestSha256, credential_id: added.row.id, at: new Date(parts.nowMs) };
    await transaction.insertInto('idempotency_keys').values(made).execute();
    return added;
  });
  return registered ?? { repeated: repeated! };
}

async function register<Added extends RegistryChange | null>(
  parts: RegisterParts,
  input: CreateInput,
  actor: string,
  within: (transaction: RegistryTransaction, add: () => Promise<RegistryChange>) => Promise<Added>,
): Promise<Registered | Extract<Added, null>> {
  const draft = draftCredential(input, actor, parts.nowMs, parts.modules);
  const open = await openBefore(parts, draft.row);
  let answer: LaneAnswer = { decided: [], unsettled: [] };
  let standing: Standing = 'known';
  const added = await change(parts.db, (transaction) =>
    within(transaction, () =>
      addInChange(transaction, draft, (sameHint) => {
        const registry = snapshotOf(0, [...sameHint.filter(({ id }) => id !== draft.row.id), draft.row]);
        answer = answerOf(draft.row, registry, open, parts.nowMs);
        standing = standingNow(draft.row, registry, parts.nowMs).standing;
        return answer;
      }),
    ),
  );
  if (added === null) return added as Extract<Added, null>;
  return {
    ...added,
    secret: draft.secret,
    standing,
    findingsResolved: countDecided(open, answer, 'resolved'),
    findingsLowered: countDecided(open, answer, 'lowered'),
  };
}

/** Open findings that a credential could answer; none where the ledger does not say. */
export function openBefore(
  parts: Pick<RegisterParts, 'db' | 'store' | 'onFault'>,
  row: CredentialRow,
): Promise<OpenFinding[]> {
  const { fingerprint, hint, org } = row;
  return readOpenOn(parts.store, parts.db, { fingerprints: [fingerprint], hint, org }).catch((error: unknown) => {
    parts.onFault(error);
    return [];
  });
}

async function madeBefore(
  transaction: RegistryTransaction,
  actor: string,
  key: string,
  requestSha256: string,
): Promise<CredentialRow | null> {
  const made = await transaction
    .selectFrom('idempotency_keys')
    .innerJoin('credentials', 'credentials.id', 'idempotency_keys.credential_id')
    .selectAll('credentials')
    .select('idempotency_keys.request_sha256')
    .where('idempotency_keys.actor', '=', actor)
    .where('idempotency_keys.key', '=', key)
    .executeTakeFirst();
  if (made === undefined) return null;
  const { request_sha256: before, ...row } = made;
  if (before !== requestSha256) {
    throw new ProblemError('conflict', `This Idempotency-Key was used for another request, which made ${row.id}.`);
  }
  return row;
}
