import type { UsageEvent } from '../../contract/usage-event.ts';
import type { NormaliseOptions } from '../normalise/credential.ts';
import { normaliseUsageEvent, type NormaliseResult } from '../normalise/normalise.ts';
import { ofCloudEvent } from './cloudevents/cloudevents.ts';
import { isJsonObject, type JsonObject } from './json-body.ts';

/** Context attributes of a CloudEvent in binary mode, as its binding to Kafka puts them into headers. */
const CONTEXT_PREFIX = 'ce_';

/** Whether a record is one CloudEvent in binary mode: its value is the payload alone. */
export function isBinaryCloudEventRecord(headers: Record<string, string>): boolean {
  return headers[`${CONTEXT_PREFIX}specversion`] !== undefined;
}

/**
 * The usage event in what another producer put on the bus: our own object, or a CloudEvent in structured or binary mode with the fields of
 * our object as its data. Nobody reads an answer there, so a fingerprint that is none is dropped and flagged.
 * @param value the parsed JSON; in binary mode the text, where it is no JSON
 * @param headers of the record
 */
export function normaliseBusObject(
  value: unknown,
  headers: Record<string, string>,
  options: Omit<NormaliseOptions, 'invalidFingerprint'>,
): NormaliseResult {
  const cloudEvent = cloudEventOf(value, headers);
  let input = value;
  if (cloudEvent !== null) {
    const decoded = ofCloudEvent(cloudEvent, { receivedAt: options.receivedAt, clientAddress: '' });
    if (decoded.kind === 'rejected') return { ok: false, errors: [decoded.error] };
    input = decoded.kind === 'event' ? decoded.input : null;
  }
  const result = normaliseUsageEvent(input, { ...options, invalidFingerprint: 'drop' });
  const isForeign = result.ok && (cloudEvent !== null || result.droppedFields > 0);
  return isForeign && saysNothing(result.event) ? { ok: false, errors: [NOTHING_OF_OURS] } : result;
}

const NOTHING_OF_OURS = {
  path: '',
  message:
    'has none of the fields that say who used what, such as credential, user, model or tokens: no usage event, or its fields have other names',
};

/** Stored, it would be use by nobody of nothing, and hide what its own fields tell. */
function saysNothing(event: UsageEvent): boolean {
  const { fingerprint, hint, user, ip, host, session, request_id, repo, model, flags } = event;
  const names = [fingerprint, hint, user, ip, host, session, request_id, repo, model];
  const tokens = event.tokens_input_uncached + event.tokens_cache_read + event.tokens_cache_write + event.tokens_output;
  return (
    names.every((name) => name === '') &&
    tokens === 0 &&
    event.cost_nano_usd === 0 &&
    !flags.includes('fingerprint_invalid')
  );
}

function cloudEventOf(value: unknown, headers: Record<string, string>): JsonObject | null {
  const mediaType = headers['content-type'] ?? headers['Content-Type'] ?? '';
  if (isBinaryCloudEventRecord(headers)) {
    const context = Object.entries(headers).flatMap(([name, text]) =>
      name.startsWith(CONTEXT_PREFIX) ? [[name.slice(CONTEXT_PREFIX.length), text]] : [],
    );
    return { ...(Object.fromEntries(context) as JsonObject), data: value, datacontenttype: mediaType };
  }
  if (!isJsonObject(value)) return null;
  return Object.hasOwn(value, 'specversion') || mediaType.startsWith('application/cloudevents') ? value : null;
}
