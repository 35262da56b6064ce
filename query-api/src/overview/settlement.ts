import type { PartitionLag } from '@lanewatch/ingest/contract';
import type { CollectorTotals } from './collectors.ts';

/** A process that has events in its spool reports every few seconds; after this long it has ended and says no more. */
const SPOOLED_MS_MAX = 5 * 60_000;

/** What was accepted at a moment, and where the usage topic ended after it. */
interface Checkpoint {
  accepted: Map<string, number>;
  endOffsets: Map<number, number>;
}

/**
 * Finds out which of the accepted events are off the bus. What collectors' counts say of it is off for ever once an ingest or a detector
 * was killed before it reported its last few seconds; positions on the bus say it exactly. Everything in a report was on the bus before
 * the report. So once the detectors have committed every partition's end as of later than that, those events are in the ledger, or were
 * dropped as repeated or unreadable. No clock is compared, and traffic that never pauses does not hold it up.
 *
 * Events that an ingest has in its spool are not on the bus: while it says that there are some, its collectors' events stay as they are.
 */
export function createSettlement(
  totals: CollectorTotals,
  lag: () => Promise<PartitionLag[]>,
  now: () => number,
): { look(): Promise<void> } {
  let checkpoint: Checkpoint | null = null;

  function unsettled(): Map<string, number> {
    const accepted = new Map<string, number>();
    for (const [collector, total] of totals.byCollector()) {
      const isSpooled = total.spooledAtMs !== null && now() - total.spooledAtMs < SPOOLED_MS_MAX;
      if (!isSpooled && total.accepted !== total.settled) accepted.set(collector, total.accepted);
    }
    return accepted;
  }

  function settleIfPassed(lags: PartitionLag[]): void {
    if (checkpoint === null) return;
    const { accepted, endOffsets } = checkpoint;
    const isOver = lags.some(({ partition, endOffset }) => endOffset < (endOffsets.get(partition) ?? 0));
    const isPassed = lags.every(
      ({ partition, committedOffset }) => committedOffset >= (endOffsets.get(partition) ?? 0),
    );
    if (isPassed) totals.settle(accepted);
    // A topic that ends before it did was made anew, and the offsets mean something else.
    if (isPassed || isOver) checkpoint = null;
  }

  return {
    /** One look at the bus, when there is something to find out. Rejects when the bus does not answer. */
    async look() {
      const accepted = unsettled();
      if (checkpoint === null && accepted.size === 0) return;
      const lags = await lag();
      settleIfPassed(lags);
      if (checkpoint !== null) return;
      checkpoint = { accepted, endOffsets: new Map(lags.map(({ partition, endOffset }) => [partition, endOffset])) };
      settleIfPassed(lags);
    },
  };
}

/** Looks again and again until it is closed. A look that fails is made good by the next. */
export function keepSettling(
  settlement: { look(): Promise<void> },
  intervalMs: number,
  onFault: (error: unknown) => void,
): { close(): void } {
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    settlement
      .look()
      .catch(onFault)
      .finally(() => (isLooking = false));
  }, intervalMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
