import { PROXY_POLICY_KEY } from '@lanewatch/ingest/contract';
import type { Bus, ProxyPolicy, ProxyRefusal, TopicSpec } from '@lanewatch/ingest/contract';
import type { RegistryDatabase } from '../registry/database.ts';
import { readPolicies } from './settings.ts';

const POLL_MS = 5_000;
const RETRY_MS = 1_000;

export interface ProxyPolicyPublisher {
  /** Tells that a policy was committed. */
  wake(): void;
  close(): Promise<void>;
}

/**
 * Carries what holds for requests through the observing proxy to the bus: whole, at the start and whenever it differs from what this
 * process sent last. Of two processes the one that read before a change may send after it; it sees the difference at its next look.
 */
export function publishProxyPolicy(parts: {
  db: RegistryDatabase;
  bus: Bus;
  topic: TopicSpec;
  onFault: (error: unknown) => void;
}): ProxyPolicyPublisher {
  const { db, bus, topic, onFault } = parts;
  let sent = '';
  let isClosed = false;
  let isWoken = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;

  async function publish(): Promise<void> {
    const text = JSON.stringify(await readProxyPolicy(db));
    if (text === sent) return;
    await bus.publish(topic.name, [{ key: PROXY_POLICY_KEY, value: Buffer.from(text, 'utf8') }]);
    sent = text;
  }

  function run(): void {
    isWoken = running !== null;
    if (isClosed || running !== null) return;
    clearTimeout(timer);
    running = publish()
      .then(
        () => POLL_MS,
        (error: unknown) => {
          if (!isClosed) onFault(error);
          return RETRY_MS;
        },
      )
      .then((waitMs) => {
        running = null;
        if (!isClosed) timer = setTimeout(run, isWoken ? 0 : waitMs);
      });
  }
  run();

  return {
    wake: run,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
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
