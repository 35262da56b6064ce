import type { Decoded, DecodeContext, HttpFormat } from '../format.ts';
import { binaryCloudEvent, isBinaryCloudEvent, ofCloudEvent } from '../cloudevents/cloudevents.ts';
import { isJsonObject, JSON_LINES_TYPES, valuesOfBody } from '../json-body.ts';

/** Our own event, alone or many, and CloudEvents that carry it. */
export const eventsFormat: HttpFormat = {
  name: 'events',
  path: '/v1/events',
  summary: 'Ship usage events',
  description:
    'One event, an array, NDJSON, or objects in a row; CloudEvents in structured, batch and binary mode. ' +
    'Answers 200 once every accepted event is durable. Bad events are named with index, field and reason while the others are ' +
    'accepted; 400 only when none is valid. null means absent; unknown fields are dropped and counted.',
  mediaTypes: [
    'application/json',
    ...JSON_LINES_TYPES,
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
  ],
  answer: 'counts',
  invalidFingerprint: 'reject',
  decode,
};

function* decode(body: Buffer, context: DecodeContext): Generator<Decoded> {
  if (isBinaryCloudEvent(context)) {
    yield binaryCloudEvent(body, context);
    return;
  }
  const mustBeCloudEvent = context.mediaType.startsWith('application/cloudevents');
  for (const parsed of valuesOfBody(body, context.mediaType)) {
    if (!parsed.ok) yield { kind: 'rejected', error: { path: '', message: parsed.message } };
    else if (isJsonObject(parsed.value) && (mustBeCloudEvent || Object.hasOwn(parsed.value, 'specversion'))) {
      yield ofCloudEvent(parsed.value, context);
    } else yield { kind: 'event', input: parsed.value };
  }
}
