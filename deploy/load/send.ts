import { setTimeout as delay } from 'node:timers/promises';
import type { UsageEventInput } from '@lanewatch/ingest/contract';
import { z } from 'zod';

const countsSchema = z.object({ accepted: z.number().int(), rejected: z.number().int() });

/** Waits between tries of a batch; together two minutes, which outlasts a restart of ingest. */
const RETRY_PAUSES_MS = [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000];
const REQUEST_TIMEOUT_MS = 30_000;

/** Ingest refused a batch in a way that sending it again does not change. */
class RefusedError extends Error {}

/** Ingest takes nothing by this key: it is unknown, revoked, expired, or not for events. */
export class KeyRefusedError extends RefusedError {}

/**
 * Sends events as one NDJSON request and returns how many were accepted. A batch that found ingest busy, away or restarting is
 * sent again: identity makes that harmless.
 * @throws KeyRefusedError, or RefusedError on a body that ingest does not take; the last failure when the tries are used up
 */
export async function sendEvents(
  ingestUrl: string,
  collectorKey: string,
  events: UsageEventInput[],
  quit?: AbortSignal,
): Promise<number> {
  const body = events.map((event) => JSON.stringify(event)).join('\n');
  for (const pauseMs of [...RETRY_PAUSES_MS, null]) {
    try {
      const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      const response = await fetch(`${ingestUrl}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${collectorKey}`, 'content-type': 'application/x-ndjson' },
        body,
        signal: quit ? AbortSignal.any([quit, timeout]) : timeout,
      });
      const text = await response.text();
      if (response.ok) {
        const counts = countsSchema.parse(JSON.parse(text));
        if (counts.rejected > 0)
          throw new RefusedError(`Ingest refused ${counts.rejected} events: ${text.slice(0, 400)}`);
        return counts.accepted;
      }
      if (response.status === 401 || response.status === 403) {
        throw new KeyRefusedError(`Ingest refused the collector key with ${response.status}: ${text.slice(0, 400)}`);
      }
      const mayPass = response.status >= 500 || response.status === 429;
      if (!mayPass) throw new RefusedError(`Ingest answered ${response.status}: ${text.slice(0, 400)}`);
      if (pauseMs === null) throw new Error(`Ingest answers ${response.status} for minutes: ${text.slice(0, 400)}`);
    } catch (error) {
      if (error instanceof RefusedError || pauseMs === null || quit?.aborted) throw error;
    }
    await delay(pauseMs ?? 0, undefined, quit ? { signal: quit } : {});
  }
  throw new Error('unreachable: the last try throws');
}
