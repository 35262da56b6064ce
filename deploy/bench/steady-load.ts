import { setTimeout as delay } from 'node:timers/promises';
import { median, requireLoad } from './bench.ts';

export interface Latencies {
  p50: number;
  p99: number;
}

/**
 * Asks at a steady rate, whatever the answers take, and measures each from its sending to its end; milliseconds.
 * @param plan requests a second for so many seconds, those of a tick sent at once
 * @throws Error when one fails, or when the rate was not reached
 */
export async function latenciesAt(
  plan: { requestsPerSecond: number; seconds: number; tickMs: number },
  ask: () => Promise<void>,
): Promise<Latencies> {
  const { requestsPerSecond, seconds, tickMs } = plan;
  const took: number[] = [];
  const failures: unknown[] = [];
  const open: Promise<void>[] = [];
  const measured = async () => {
    const sentMs = performance.now();
    await ask();
    took.push(performance.now() - sentMs);
  };
  const startedMs = performance.now();
  for (let dueMs = startedMs; dueMs < startedMs + seconds * 1000 && failures.length === 0; dueMs += tickMs) {
    await delay(Math.max(0, dueMs - performance.now()));
    for (let at = 0; at < (requestsPerSecond * tickMs) / 1000; at++)
      open.push(measured().catch((error: unknown) => void failures.push(error)));
  }
  await Promise.all(open);
  if (failures.length > 0) throw failures[0];
  requireLoad((took.length * 1000) / (performance.now() - startedMs), requestsPerSecond);
  const sorted = took.toSorted((a, b) => a - b);
  return { p50: median(sorted), p99: sorted[Math.ceil(sorted.length * 0.99) - 1]! };
}
