import { setImmediate } from 'node:timers/promises';
import type { CredentialRecord } from '@lanewatch/ingest/contract';
import { revokedFromMs } from '@lanewatch/ingest/contract';
import type { RegistryDatabase } from './database.ts';
import type { CredentialRow } from './record.ts';
import { change, secretsOf, writeEvent, writeOutbox, writeOutboxAll } from './registry.ts';
import type { SecretRow } from './secrets.ts';

/** Credentials of one change: whoever asks meanwhile waits for no more than these. */
const REPUBLISHED_AT_ONCE = 200;

/**
 * Puts records of some secrets on their way to the topic again, such as after the bus was replaced. In parts: what a death in the middle
 * leaves out is found missing at the next start.
 */
export async function republish(
  db: RegistryDatabase,
  missing: readonly Pick<SecretRow, 'record_key' | 'credential_id'>[],
  parts: { now: () => number; signal?: AbortSignal; onPart?: () => void },
): Promise<void> {
  const { now, signal, onPart } = parts;
  const keys = new Set(missing.map(({ record_key: key }) => key));
  const ids = [...new Set(missing.map(({ credential_id: id }) => id))];
  for (let at = 0; at < ids.length && signal?.aborted !== true; at += REPUBLISHED_AT_ONCE) {
    await change(db, async (transaction) => {
      const part = ids.slice(at, at + REPUBLISHED_AT_ONCE);
      const rows = await transaction.selectFrom('credentials').selectAll().where('id', 'in', part).execute();
      // As they are now: one that was rotated out since it was found missing must not come back as the present one.
      const secrets = Map.groupBy(await secretsOf(transaction, part), ({ credential_id: id }) => id);
      const held = rows.map((row) => ({
        row,
        secrets: (secrets.get(row.id) ?? []).filter(({ record_key: key }) => keys.has(key)),
      }));
      await writeOutboxAll(transaction, held, new Date(now()));
    });
    onPart?.();
    // A database within the process would keep everybody else waiting.
    await setImmediate();
  }
}

/**
 * Brings credentials past records of the topic that are newer than they are, and puts them on their way. One that is revoked there is
 * revoked here too, and a secret that ended sooner there ends sooner here.
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
    const behind = (await transaction.selectFrom('credential_secrets').selectAll().execute()).filter(
      ({ record_key: key, version }) => (onTopic.get(key)?.version ?? 0) > version,
    );
    for (const id of new Set(behind.map(({ credential_id: id }) => id))) {
      const existing = await transaction
        .selectFrom('credentials')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      const secrets = await secretsOf(transaction, [id]);
      const records = secrets.map((secret) => onTopic.get(secret.record_key) ?? null);
      const version = Math.max(existing.version, ...records.map((record) => record?.version ?? 0)) + 1;
      const present = secrets.findIndex(({ replaced_at: replacedAt }) => replacedAt === null);
      const record = records[present] ?? null;
      const isNewer = record !== null && record.version > secrets[present]!.version;
      const revocation = isNewer && existing.revoked_at === null ? revocationIn(record) : null;
      const changed = { version, ...revocation };
      await transaction.updateTable('credentials').set(changed).where('id', '=', id).execute();
      const ended = secrets.map((secret, index) => endedAsOn(records[index] ?? null, secret));
      for (const secret of ended) {
        const { record_key: key, ends_at: endsAt } = secret;
        await transaction
          .updateTable('credential_secrets')
          .set({ ends_at: endsAt })
          .where('record_key', '=', key)
          .execute();
      }
      const row = { ...existing, ...changed };
      if (revocation !== null) {
        const { revoked_by: actor, revoke_reason: detail } = revocation;
        await writeEvent(transaction, { actor, action: 'revoked', credentialId: id, at, detail });
        revoked.push(id);
      }
      await writeOutbox(transaction, row, ended, at);
      overtaken.push(id);
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

/** A secret that was rotated out, with the end that the topic says where that is sooner. */
function endedAsOn(record: CredentialRecord | null, secret: SecretRow): SecretRow {
  if (record === null || secret.ends_at === null || record.version <= secret.version) return secret;
  const endMs = Math.max(revokedFromMs(record), secret.replaced_at?.getTime() ?? 0);
  return endMs < secret.ends_at.getTime() ? { ...secret, ends_at: new Date(endMs) } : secret;
}
