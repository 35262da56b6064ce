import type { Bus } from '@lanewatch/ingest/contract';
import type { Logger } from 'pino';
import type { ClickHouse } from '../clickhouse.ts';
import type { RegistryView } from '../registry/view.ts';
import { followBudgets } from './budgets.ts';
import type { Budgets } from './budgets.ts';
import { publishVerifyEvents } from './events.ts';
import type { VerifyEvents } from './events.ts';
import { createVerifier } from './verifier.ts';
import type { Verifier } from './verifier.ts';

/** What answers whether keys may do a thing. */
export interface Verifying {
  verifier: Verifier;
  verifyEvents: VerifyEvents;
  budgets: Budgets;
}

/**
 * Starts it over the registry in memory.
 * @param parts.topic of usage events
 */
export function startVerify(parts: {
  store: ClickHouse;
  registry: RegistryView;
  bus: Bus;
  topic: string;
  now: () => number;
  logger: Logger;
}): Verifying & { close(): Promise<void> } {
  const { store, registry, bus, topic, now, logger } = parts;
  const budgets = followBudgets({
    ...{ store, registry, now },
    onFault: (error) => logger.warn({ err: error }, 'spend against budgets not read'),
  });
  const verifyEvents = publishVerifyEvents({
    ...{ bus, topic, now },
    onFault: (error) => logger.warn({ err: error }, 'the bus does not take events of verify, trying again'),
    onLoss: (events) => logger.error({ events }, 'events of verify were lost: the bus did not take them in time'),
  });
  const verifier = createVerifier({
    ...{ registry, budgets, events: verifyEvents, now },
    onFault: (error) => logger.debug({ err: error }, 'the registry is not read anew; verify goes on from memory'),
  });
  return {
    verifier,
    verifyEvents,
    budgets,
    async close() {
      budgets.close();
      verifier.close();
      await verifyEvents.close();
    },
  };
}
