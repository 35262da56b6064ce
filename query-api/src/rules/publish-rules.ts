import { ruleSettingsKey } from '@lanewatch/detector/contract';
import type { Bus, TopicSpec } from '@lanewatch/ingest/contract';
import type { RegistryDatabase } from '../registry/database.ts';
import { recurring } from '../recurring.ts';
import type { Recurring } from '../recurring.ts';
import { EFFECTIVE_IN_MS } from './set-rule.ts';

/**
 * Carries committed rule settings to the bus. Sent twice they are the same record, so nobody has to keep others out. A version that waited
 * longer than it was ahead of its time is put off: events from before it reached the detectors must not count as held against it.
 */
export function publishRules(parts: {
  db: RegistryDatabase;
  bus: Bus;
  topic: TopicSpec;
  now: () => number;
  onFault: (error: unknown) => void;
}): Recurring {
  const { db, bus, topic, now, onFault } = parts;
  async function publish(): Promise<void> {
    const rows = await db
      .selectFrom('rule_settings')
      .selectAll()
      .where('sent_at', 'is', null)
      .orderBy('effective_from')
      .execute();
    for (const { rule, version, settings, effective_from: from } of rows) {
      const isLate = from.getTime() < now() + EFFECTIVE_IN_MS / 2;
      const effective = isLate ? new Date(now() + EFFECTIVE_IN_MS) : from;
      const sent = { ...settings, effective_from: effective.toISOString() };
      const where = db.updateTable('rule_settings').where('rule', '=', rule).where('version', '=', version);
      if (isLate) await where.set({ effective_from: effective, settings: JSON.stringify(sent) }).execute();
      await bus.publish(topic.name, [{ key: ruleSettingsKey(sent), value: Buffer.from(JSON.stringify(sent), 'utf8') }]);
      await where.set({ sent_at: new Date(now()) }).execute();
    }
  }

  return recurring(publish, onFault);
}
