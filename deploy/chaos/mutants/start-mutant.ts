/**
 * The detector's own process with its bus or its ledger wrapped so that one guarantee is broken. Only for proving that the crash
 * suite notices.
 */
import { openBus, type Bus } from '@lanewatch/ingest/contract';
import { loadConfig, type DetectorConfig } from '../../../detector/src/config.ts';
import type { Ledger } from '../../../detector/src/ledger/ledger.ts';
import { openLedger } from '../../../detector/src/ledger/open.ts';
import { runDetector } from '../../../detector/src/run.ts';

export interface Mutation {
  bus?(bus: Bus, config: DetectorConfig): Bus;
  ledger?(ledger: Ledger, config: DetectorConfig): Ledger;
}

export async function startMutant(mutation: Mutation): Promise<void> {
  const config = loadConfig(process.env);
  await runDetector(config, {
    detection: true,
    async openBus(url, options) {
      const bus = await openBus(url, options);
      return mutation.bus?.(bus, config) ?? bus;
    },
    async openLedger(options) {
      const ledger = await openLedger(options);
      return mutation.ledger?.(ledger, config) ?? ledger;
    },
  });
}
