import { setTimeout as delay } from 'node:timers/promises';
import type { Ready } from '../../e2e/installation.ts';
import { toInput } from '../to-input.ts';
import { workload } from '../workload.ts';

const EVENTS_PER_REQUEST = 100;
const EVENTS_MAX = 100_000_000;

/** Sends events of now at a rate until told to stop. Returns the rate that it came to. */
export async function keepArriving(ready: Ready, eventsPerSecond: number, signal: AbortSignal): Promise<number> {
  const startMs = performance.now();
  const events = workload({ events: EVENTS_MAX, keys: 2_000, endMs: Date.now() });
  const pauseMs = (EVENTS_PER_REQUEST / eventsPerSecond) * 1000;
  let sent = 0;
  for (let dueMs = startMs; !signal.aborted; dueMs += pauseMs) {
    const lines: string[] = [];
    while (lines.length < EVENTS_PER_REQUEST) {
      const { value } = events.next();
      if (value === undefined) break;
      const now = Date.now();
      lines.push(
        JSON.stringify(toInput({ ...value, id: `${startMs}-${sent + lines.length}`, time: now, received_at: now })),
      );
    }
    const response = await fetch(`${ready.ingest_url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${ready.collector_key}` },
      body: lines.join('\n'),
    });
    if (!response.ok) throw new Error(`ingest answered ${response.status}: ${await response.text()}`);
    await response.body?.cancel();
    sent += lines.length;
    await delay(Math.max(0, dueMs + pauseMs - performance.now()));
  }
  return (sent * 1000) / (performance.now() - startMs);
}
