import type { UsageEvent } from '../contract/index.ts';
import { sum } from './answers.ts';
import type { CollectorTallies } from './collector-tally.ts';
import type { DecodeContext, HttpFormat } from './formats/format.ts';
import type { Metrics } from './metrics.ts';
import { receive, type Received } from './receive.ts';

/** What taking a body needs of the service, over whichever protocol it came. */
export interface TakeOptions {
  publisher: { publish(events: UsageEvent[]): Promise<void> };
  tallies: Pick<CollectorTallies, 'add'>;
  metrics: Metrics;
}

/**
 * Decodes a body, publishes its events and counts all of it; returns once they are durable.
 * @param collector id of the credential that ships it
 * @throws ApiProblem when the body as a whole cannot be read, or nothing can hold its events
 */
export async function take(
  format: HttpFormat,
  body: Buffer,
  context: DecodeContext,
  collector: string,
  { publisher, tallies, metrics }: TakeOptions,
): Promise<Received> {
  const received = await receive(format, body, context, collector);
  await publisher.publish(received.events);
  const tally = {
    accepted: received.events.length,
    rejected: received.rejected,
    ignored: sum(received.ignored),
    redacted: received.redactions,
  };
  tallies.add(collector, tally, context.receivedAt);
  metrics.events.inc({ collector, format: format.name, result: 'accepted' }, tally.accepted);
  if (tally.rejected > 0) metrics.events.inc({ collector, format: format.name, result: 'rejected' }, tally.rejected);
  if (tally.redacted > 0) metrics.redactions.inc({ collector }, tally.redacted);
  if (received.droppedFields > 0) metrics.droppedFields.inc({ collector }, received.droppedFields);
  for (const [kind, count] of received.ignored) metrics.ignored.inc({ format: format.name, kind }, count);
  return received;
}
