import { readFindingsVersion, triageVersion } from '../findings/version.ts';
import { BRIEFLY } from '../clickhouse.ts';
import { LOCKS } from '../registry/database.ts';
import type { Database } from '../registry/database.ts';
import { registryVersion } from '../registry/registry.ts';
import { readChannelRows } from './channels.ts';
import { collectNotices } from './collect.ts';
import type { CollectParts } from './collect.ts';
import { deliverTo } from './deliver.ts';
import type { DeliverParts } from './deliver.ts';

export interface Notifier {
  /** Looks once, at once; for tests, and after a channel was changed. */
  round(): Promise<void>;
  close(): Promise<void>;
}

/** Tells channels of findings: one replica at a time looks for what is to be told, puts it down, and sends what is due. */
export function startNotifier(
  parts: DeliverParts & CollectParts & { database: Database },
  options: { everyMs: number; onFault: (error: unknown) => void },
): Notifier {
  const { database, db, store, now } = parts;
  let seen = '';
  let running: Promise<void> | null = null;

  async function work(): Promise<void> {
    const channels = await readChannelRows(db);
    if (channels.length === 0) return;
    const versions = await Promise.all([readFindingsVersion(store, BRIEFLY), triageVersion(db), registryVersion(db)]);
    const present = JSON.stringify([versions, channels.map(({ id, version, baselined_at: at }) => [id, version, at])]);
    if (present !== seen) {
      await collectNotices(parts, channels, now());
      seen = present;
    }
  }

  async function deliver(): Promise<void> {
    const channels = (await readChannelRows(db)).filter(({ enabled }) => enabled);
    await Promise.all(channels.map((channel) => deliverTo(parts, channel)));
  }

  async function round(): Promise<void> {
    await database.exclusively(LOCKS.notifier, async () => {
      await work();
      await deliver();
    });
  }

  /** Rounds do not overlap. */
  function next(): Promise<void> {
    running ??= round().finally(() => (running = null));
    return running;
  }
  const timer =
    options.everyMs === 0 ? undefined : setInterval(() => void next().catch(options.onFault), options.everyMs);
  timer?.unref();
  return {
    round: next,
    async close() {
      clearInterval(timer);
      await running?.catch(() => undefined);
    },
  };
}
