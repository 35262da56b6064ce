import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { UsageEventInput } from '@lanewatch/ingest/contract';
import { KeyRefusedError, sendEvents } from '../load/send.ts';
import { bootstrap, type Control } from './control.ts';
import { readSecret, replaceFile } from './home.ts';

/** What sends the demo's events. */
export interface DemoCollector {
  /** Sends a batch and returns how many events were accepted. */
  send: (batch: UsageEventInput[]) => Promise<number>;
}

export interface DemoCollectorOptions {
  home: string;
  control: Control;
  ingestUrl: string;
  quit: AbortSignal;
  /** Told why a new key was needed. */
  onRenewal: (reason: string) => void;
}

/** How long a new key may take to reach ingest; refused after that, it was taken back. */
const KEY_ARRIVES_MS = 5_000;
const KEY_PAUSE_MS = 100;
/** New keys for one batch. More would mean that ingest takes none at all. */
const RENEWALS_MAX = 2;

/**
 * The demo's loader is a collector: like any other it keeps its key on its side. But revoking that key is one of the first things
 * that people try, and ends the events of any other collector; so this one asks for a new key and goes on.
 */
export async function openDemoCollector(options: DemoCollectorOptions): Promise<DemoCollector> {
  const { home, control, ingestUrl, quit, onRenewal } = options;
  let key = readSecret(home, 'demo-collector-key') ?? '';
  let issuedAt = -Infinity;
  let renewing: Promise<void> | undefined;

  async function issue(): Promise<void> {
    const { collectorKey } = await bootstrap(control, true);
    if (collectorKey === null) throw new Error('query-api issued no collector key.');
    replaceFile(join(home, 'secrets', 'demo-collector-key'), `${collectorKey}\n`);
    key = collectorKey;
    issuedAt = performance.now();
  }

  /** One new key for all batches that are refused at a time. */
  function renew(reason: string): Promise<void> {
    renewing ??= issue()
      .then(() => {
        onRenewal(reason);
      })
      .finally(() => (renewing = undefined));
    return renewing;
  }

  if (key === '') await issue();
  return {
    async send(batch) {
      for (let renewals = 0; ;) {
        const used = key;
        try {
          return await sendEvents(ingestUrl, used, batch, quit);
        } catch (error) {
          if (!(error instanceof KeyRefusedError)) throw error;
          if (used !== key) continue;
          if (performance.now() - issuedAt < KEY_ARRIVES_MS) {
            await delay(KEY_PAUSE_MS, undefined, { signal: quit });
          } else {
            if (renewals === RENEWALS_MAX) throw error;
            renewals++;
            await renew(error.message);
          }
        }
      }
    },
  };
}
