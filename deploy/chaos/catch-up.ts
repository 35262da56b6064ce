import type { LedgerView } from './system/ledger-view.ts';
import { until } from './until.ts';
import type { Collectors } from './workload/collectors.ts';
import type { EventSource, PlannedEvent } from './workload/events.ts';

/** After this long another event per partition is sent. */
const MARKERS_AGAIN_MS = 5_000;

/**
 * One event per partition, posted like all others, and waited for in the ledger: partitions are read in order, so everything
 * that the bus had before it has been dealt with by then. When they don't arrive, others are sent: a broken detector may have
 * lost the first, and the checks are to say so, not this.
 */
export function catchUp(
  ledger: Pick<LedgerView, 'stored'>,
  collectors: Pick<Collectors, 'post'>,
  source: EventSource,
): (deadlineMs: number) => Promise<void> {
  return async (deadlineMs) => {
    const batches: PlannedEvent[][] = [];
    let postedMs = -Infinity;
    await until('an event of every partition to be in the ledger', deadlineMs, async () => {
      if (performance.now() - postedMs > MARKERS_AGAIN_MS) {
        const markers = source.markers();
        await collectors.post(markers);
        batches.push(markers);
        postedMs = performance.now();
      }
      for (const batch of batches) {
        const ids = batch.map(({ input }) => input.id);
        if ((await ledger.stored(batch[0]!.input.source, ids)) === ids.length) return true;
      }
      return false;
    });
  };
}
