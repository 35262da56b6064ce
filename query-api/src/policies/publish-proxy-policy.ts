import { PROXY_POLICY_KEY } from '@lanewatch/ingest/contract';
import type { Bus, ProxyPolicy, ProxyRefusal, TopicSpec } from '@lanewatch/ingest/contract';
import type { RegistryDatabase } from '../registry/database.ts';
import { recurring } from '../recurring.ts';
import type { Recurring } from '../recurring.ts';
import { readPolicies } from './settings.ts';

/**
 * Carries what holds for requests through the observing proxy to the bus: whole, at the start and whenever it differs from what this
 * process sent last. Of two processes the one that read before a change may send after it; it sees the difference at its next look.
 */
export function publishProxyPolicy(parts: {
  db: RegistryDatabase;
  bus: Bus;
  topic: TopicSpec;
  onFault: (error: unknown) => void;
}): Recurring {
  const { db, bus, topic, onFault } = parts;
  let sent = '';

  async function publish(): Promise<void> {
    const text = JSON.stringify(await readProxyPolicy(db));
    if (text === sent) return;
    await bus.publish(topic.name, [{ key: PROXY_POLICY_KEY, value: Buffer.from(text, 'utf8') }]);
    sent = text;
  }

  return recurring(publish, onFault);
}

async function readProxyPolicy(db: RegistryDatabase): Promise<ProxyPolicy> {
  const set = await readPolicies(db);
  const rows = [set.row('proxy_refusal'), ...set.overrides('proxy_refusal')].filter((row) => row !== null);
  return {
    places: rows.map(({ project, mode, settings }) => ({
      project,
      mode,
      refuse: settings['refuse'] as ProxyRefusal[],
    })),
  };
}
