import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { Signature, SigningKey } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import { canonicalJson } from '../audit/canonical-json.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { change } from '../registry/registry.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import { seal, unseal } from '../seal.ts';

/** The pair that receipts are signed with, without its private half. */
export async function readSigningKey(db: RegistryDatabase): Promise<SigningKey> {
  const row = await db
    .selectFrom('signing_key')
    .select(['key_id', 'public_key', 'created_at', 'created_by'])
    .executeTakeFirst();
  return { key: row === undefined ? null : { ...row, created_at: row.created_at.toISOString() } };
}

/**
 * The one-time set-up of key signing: makes the pair.
 * @throws {ProblemError} `conflict` the second time
 */
export async function setUpSigning(
  db: RegistryDatabase,
  authSecret: string,
  by: { actor: string; nowMs: number },
): Promise<SigningKey> {
  const pair = generateKeyPairSync('ed25519');
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
  const privateKey = seal(pair.privateKey.export({ type: 'pkcs8', format: 'der' }), authSecret, 'signing key');
  const at = new Date(by.nowMs);
  await change(db, async (transaction) => {
    const there = await transaction.selectFrom('signing_key').select('key_id').executeTakeFirst();
    if (there !== undefined) {
      throw new ProblemError('conflict', `Key signing was set up already, with key ${there.key_id}. It is done once.`);
    }
    await transaction
      .insertInto('signing_key')
      .values({
        ...{ key_id: keyId, public_key: publicKey.toString('base64'), private_key: privateKey },
        ...{ created_at: at, created_by: by.actor },
      })
      .execute();
    const subject = { kind: 'setting', id: 'signing_key' } as const;
    await appendAudit(transaction, { at, actor: by.actor, action: 'signing.set_up', subject, detail: keyId });
  });
  return readSigningKey(db);
}

/** Signs a receipt or evidence, over its canonical JSON; null while there is no pair. */
export async function signatureOf(
  transaction: RegistryTransaction,
  unsigned: object,
  authSecret: string,
): Promise<Signature | null> {
  const row = await transaction.selectFrom('signing_key').selectAll().executeTakeFirst();
  if (row === undefined) return null;
  const key = createPrivateKey({
    key: unseal(row.private_key, authSecret, 'signing key'),
    format: 'der',
    type: 'pkcs8',
  });
  const value = sign(null, Buffer.from(canonicalJson(unsigned)), key).toString('base64');
  return { algorithm: 'Ed25519', key_id: row.key_id, public_key: row.public_key, value };
}
