import type { Bus, TopicSpec } from '@lanewatch/ingest/contract';
import { credentialRecordKey, credentialRecordSchema } from '@lanewatch/ingest/contract';
import type { RegistryDatabase } from './database.ts';
import { republish } from './registry.ts';

/**
 * Compares the credentials topic with the registry and puts on their way whatever is missing there or older: after a bus
 * was replaced or emptied, every process still learns the whole allowlist.
 * @returns how many records are republished
 */
export async function reconcileTopic(db: RegistryDatabase, bus: Bus, topic: TopicSpec, nowMs: number): Promise<number> {
  const onTopic = new Map<string, number>();
  const view = await bus.followLatest(topic.name, (record) => {
    if (record.key === null) return;
    const parsed = parse(record.value);
    // The last record of a key counts, as it does for compaction, whatever an earlier one said.
    onTopic.set(record.key, parsed?.version ?? 0);
  });
  try {
    await view.caughtUp();
  } finally {
    await view.close();
  }
  // What still waits in the outbox is on its way by itself.
  const rows = await db
    .selectFrom('credentials')
    .selectAll()
    .where('id', 'not in', db.selectFrom('outbox').select('credential_id').where('sent_at', 'is', null))
    .execute();
  const missing = rows.filter((row) => (onTopic.get(credentialRecordKey(row)) ?? 0) < row.version);
  if (missing.length > 0) await republish(db, missing, nowMs);
  return missing.length;
}

function parse(value: Buffer): { version: number } | null {
  try {
    return credentialRecordSchema.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return null;
  }
}
