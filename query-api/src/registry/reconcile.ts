import type { Bus, CredentialRecord, TopicSpec } from '@lanewatch/ingest/contract';
import { credentialRecordSchema } from '@lanewatch/ingest/contract';
import type { RegistryDatabase } from './database.ts';
import { overtake } from './overtake.ts';
import { change } from './registry.ts';
import type { SecretRow } from './secrets.ts';

/** What a comparison of topic and registry put right. */
export interface Reconciliation {
  /** Secrets whose record the topic lacks, or has in an older version: `republish` puts them on their way. */
  missing: Pick<SecretRow, 'record_key' | 'credential_id'>[];
  /** Ids of credentials that the topic had in a newer version, and which of them it had as revoked. */
  overtaken: string[];
  revoked: string[];
  /** Ids of credentials that only the topic had, such as those issued after the backup that a registry was restored from. */
  withdrawn: string[];
}

/**
 * Compares the credentials topic with the registry. What is missing there or older is told: after a bus was replaced or emptied, every
 * process is to learn the whole allowlist again, which may take minutes. What only the topic has is withdrawn: such keys would
 * stay known and go on shipping events, in no list and beyond revocation. What is newer there was changed after the backup that the
 * registry was restored from: a revocation is taken over, because readers of the topic hold on to it and a revoked key must stay
 * revoked; otherwise the registry's record gets a version that they take.
 */
export async function reconcileTopic(
  db: RegistryDatabase,
  bus: Bus,
  topic: TopicSpec,
  nowMs: number,
): Promise<Reconciliation> {
  const onTopic = await readTopic(bus, topic);
  const withdrawn = await withdrawUnlisted(db, bus, topic, onTopic);
  const { overtaken, revoked } = await overtake(db, onTopic, nowMs);
  // What still waits in the outbox is on its way by itself.
  const secrets = await db
    .selectFrom('credential_secrets')
    .select(['record_key', 'credential_id', 'version'])
    .where('credential_id', 'not in', db.selectFrom('outbox').select('credential_id').where('sent_at', 'is', null))
    .execute();
  const missing = secrets.filter((secret) => {
    const record = onTopic.get(secret.record_key) ?? null;
    return record === null || isWithdrawn(record) || record.version < secret.version;
  });
  return { missing, overtaken, revoked, withdrawn };
}

/**
 * A withdrawn record is revoked without a time, which no revocation is, and keeps its version: should its own registry come
 * back, such as after a start with another database, that one's record of the same version takes its place.
 */
const withdrawnOf = (record: CredentialRecord): CredentialRecord => ({
  ...record,
  status: 'revoked',
  revoked_at: null,
  grace_ends_at: null,
});
const isWithdrawn = ({ status, revoked_at: at }: CredentialRecord): boolean => status === 'revoked' && at === null;

async function withdrawUnlisted(
  db: RegistryDatabase,
  bus: Bus,
  topic: TopicSpec,
  onTopic: ReadonlyMap<string, CredentialRecord | null>,
): Promise<string[]> {
  const usable = [...onTopic].flatMap(([key, record]) =>
    record === null || record.status === 'revoked' ? [] : [{ key, record }],
  );
  if (usable.length === 0) return [];
  // Inside a change, so that no key gets registered and published between looking and withdrawing.
  return change(db, async (transaction) => {
    const listed = await transaction.selectFrom('credential_secrets').select('record_key').execute();
    const keys = new Set(listed.map(({ record_key: key }) => key));
    const unlisted = usable.filter(({ key }) => !keys.has(key));
    if (unlisted.length > 0) {
      await bus.publish(
        topic.name,
        unlisted.map(({ key, record }) => ({ key, value: Buffer.from(JSON.stringify(withdrawnOf(record)), 'utf8') })),
      );
    }
    return unlisted.map(({ record }) => record.id);
  });
}

/**
 * The record of each key that counts: the last one, but for an older version that came after a newer, which readers do not take. Null for
 * a last one that can't be read, whatever an earlier one said.
 */
async function readTopic(bus: Bus, topic: TopicSpec): Promise<Map<string, CredentialRecord | null>> {
  const onTopic = new Map<string, CredentialRecord | null>();
  const view = await bus.followLatest(topic.name, ({ key, value }) => {
    if (key === null) return;
    const record = parse(value);
    const held = onTopic.get(key) ?? null;
    if (record === null || held === null || held.version <= record.version) onTopic.set(key, record);
  });
  try {
    await view.caughtUp();
  } finally {
    await view.close();
  }
  return onTopic;
}

function parse(value: Buffer): CredentialRecord | null {
  try {
    return credentialRecordSchema.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return null;
  }
}
