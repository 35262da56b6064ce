import { canonicalFingerprint } from '../../../contract/index.ts';
import { wholeApiKey } from '../../redact/redact.ts';
import type { Decoded, DecodeContext } from '../format.ts';
import { isJsonObject, type JsonObject, textIn, textOf } from '../json-body.ts';

/** The context attributes we read; extensions are top-level in CloudEvents, so org and the rest of ours may stand there too. */
const CONTEXT_ATTRIBUTES = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data',
  'data_base64',
]);

const rejected = (path: string, message: string): Decoded => ({ kind: 'rejected', error: { path, message } });

/**
 * A CloudEvent as one of our events: identity and time from the context, everything else from `data`, which holds the fields of
 * our own event. What `data` leaves open: `type` is the operation, `source` the agent, an `org` extension the organisation,
 * a `subject` that is a fingerprint (or a raw key, which is hashed) the credential, the client's address the ip, and
 * the time of receipt the time, as the specification makes it optional.
 */
export function ofCloudEvent(event: JsonObject, context: DecodeContext): Decoded {
  if (event.specversion !== '1.0') {
    return rejected('specversion', 'must be "1.0", the CloudEvents version that is taken here');
  }
  if (textIn(event, 'type') === undefined) return rejected('type', 'is required by CloudEvents');
  const data = dataOf(event);
  if (data === null) return rejected('data_base64', 'must be base64 of a JSON value when datacontenttype is JSON');
  const subject = textIn(event, 'subject');
  const input: JsonObject = { ...data };
  input.source = event.source;
  input.id = event.id;
  input.time = event.time ?? new Date(context.receivedAt).toISOString();
  input.operation ??= event.type;
  input.agent ??= { name: event.source };
  input.ip ??= context.clientAddress;
  for (const [name, value] of Object.entries(event)) {
    if (!CONTEXT_ATTRIBUTES.has(name)) input[name] ??= value;
  }
  if (input.credential === undefined && subject !== undefined && namesKey(subject)) {
    input.credential = { fingerprint: subject };
  }
  return { kind: 'event', input };
}

const namesKey = (subject: string) => canonicalFingerprint(subject) !== null || wholeApiKey(subject) !== null;

/**
 * The payload when it is an object; {} when it is something else, which has no fields of ours; null when it cannot be decoded.
 * Senders that hand their SDK text instead of an object have it quoted as one JSON string, which is unwrapped.
 */
function dataOf(event: JsonObject): JsonObject | null {
  if (isJsonObject(event.data)) return event.data;
  if (!isJsonType(textIn(event, 'datacontenttype') ?? 'application/json')) return {};
  if (typeof event.data === 'string') return objectInJson(event.data) ?? {};
  if (typeof event.data_base64 !== 'string') return {};
  return objectInJson(Buffer.from(event.data_base64, 'base64').toString('utf8'));
}

/** The object that a JSON text holds, {} for another value; null when it is no JSON. */
function objectInJson(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return null;
  }
}

const isJsonType = (type: string) => /^[^;]*[/+]json\s*(?:;|$)/i.test(type);

/** Whether the context comes in `ce-` headers and the body is the payload alone. */
export function isBinaryCloudEvent({ headers, mediaType }: Pick<DecodeContext, 'headers' | 'mediaType'>): boolean {
  return headers['ce-specversion'] !== undefined && !mediaType.startsWith('application/cloudevents');
}

/**
 * Content types that say nothing: none at all, as the Python SDK sends it with its documented lines, and what HTTP libraries put in
 * where the program named none. JSON in such a body is read, or the event would be accepted and lose all its fields.
 */
const UNDECLARED_TYPES = new Set(['', 'application/x-www-form-urlencoded']);

/** Puts headers and payload of binary mode together as one structured event. */
export function binaryCloudEvent(body: Buffer, context: DecodeContext): Decoded {
  const event: JsonObject = {};
  for (const [header, value] of Object.entries(context.headers)) {
    if (header.startsWith('ce-') && typeof value === 'string') event[header.slice(3)] = headerText(value);
  }
  delete event.data;
  delete event.data_base64;
  if (body.length > 0 && isJsonType(context.mediaType)) {
    try {
      event.data = JSON.parse(textOf(body));
    } catch {
      return rejected('data', 'the body is not valid JSON, although the content type says so');
    }
  } else if (UNDECLARED_TYPES.has(context.mediaType)) {
    event.data = objectInJson(textOf(body)) ?? undefined;
  }
  return ofCloudEvent(event, context);
}

/** Header values are percent-encoded once; older senders put quotes around them. */
function headerText(value: string): string {
  const quoted = /^"(.*)"$/s.exec(value)?.[1];
  const bare = quoted === undefined ? value : quoted.replace(/\\(.)/g, '$1');
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}
