import { canonicalFingerprint } from '../../../contract/fingerprint.ts';
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

/**
 * Extensions that are taken as ours. Not all fields of an event: a foreign `action` or `outcome` means something else, and a value that is
 * not one of ours would cost the whole event.
 */
const OUR_EXTENSIONS = new Set([
  'org',
  'user',
  'ip',
  'host',
  'session',
  'request_id',
  'repo',
  'branch',
  'provider',
  'model',
  'module',
  'environment',
]);

const rejected = (path: string, message: string): Decoded => ({ kind: 'rejected', error: { path, message } });

/**
 * A CloudEvent as one of our events: identity and time from the context, everything else from `data`, which holds the fields of
 * our own event. What `data` leaves open: `type` is the operation, `source` the agent, extensions such as `org` are the fields of
 * that name, a `subject` that is a fingerprint (or a raw key, which is hashed) the credential, the client's address the ip, and
 * the time of receipt the time, as the specification makes it optional.
 */
export function ofCloudEvent(event: JsonObject, context: Pick<DecodeContext, 'receivedAt' | 'clientAddress'>): Decoded {
  if (event.specversion !== '1.0') {
    return rejected('specversion', 'must be "1.0", the CloudEvents version that is taken here');
  }
  if (textIn(event, 'type') === undefined) return rejected('type', 'is required by CloudEvents');
  const subject = textIn(event, 'subject');
  const ownKey = subject !== undefined && namesKey(subject) ? subject : undefined;
  const extensions = extensionsOf(event);
  const payload = payloadOf(event);
  // Without anything of ours it would be stored as use by nobody of nothing.
  const isEmpty = ownKey === undefined && Object.keys(extensions.ours).length === 0;
  if ('fault' in payload && (payload.isBroken || isEmpty)) return payload.fault;
  const data = 'fault' in payload ? {} : payload.fields;
  const input: JsonObject = { ...extensions.foreign, ...data };
  input.source = event.source;
  input.id = event.id;
  input.time = event.time ?? new Date(context.receivedAt).toISOString();
  input.operation ??= event.type;
  input.agent ??= { name: event.source };
  for (const [name, value] of Object.entries(extensions.ours)) input[name] ??= value;
  input.ip ??= context.clientAddress;
  if (ownKey !== undefined) input.credential ??= { fingerprint: ownKey };
  return { kind: 'event', input };
}

/** Foreign ones get names that no field of ours has, so that they count as dropped. */
function extensionsOf(event: JsonObject): { ours: JsonObject; foreign: JsonObject } {
  const ours: JsonObject = {};
  const foreign: JsonObject = {};
  for (const [name, value] of Object.entries(event)) {
    if (CONTEXT_ATTRIBUTES.has(name)) continue;
    if (typeof value === 'string' && OUR_EXTENSIONS.has(name)) ours[name] = value;
    else foreign[`extension ${name}`] = value;
  }
  return { ours, foreign };
}

const namesKey = (subject: string) => canonicalFingerprint(subject) !== null || wholeApiKey(subject) !== null;

type Payload =
  { fields: JsonObject } | { fault: Decoded; /** It is not what it is declared to be. */ isBroken: boolean };

/**
 * The fields in the payload; none when there is no payload. Senders that hand their SDK text instead of an object have it quoted as one
 * JSON string, which is unwrapped.
 */
function payloadOf({ data, data_base64: encoded, datacontenttype: type }: JsonObject): Payload {
  if (isJsonObject(data)) return { fields: data };
  if ((data ?? encoded ?? null) === null) return { fields: {} };
  if (typeof type === 'string' && type !== '' && !isJsonType(type)) {
    const message =
      'must be JSON, such as application/json: no field of an event can be read from a payload of another type';
    return { fault: rejected('datacontenttype', message), isBroken: false };
  }
  const text = data ?? (typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString('utf8') : encoded);
  const value = typeof text === 'string' ? parsed(text) : text;
  if (isJsonObject(value)) return { fields: value };
  if (data === undefined && value === undefined) {
    const message = 'must be base64 of a JSON value when datacontenttype is JSON';
    return { fault: rejected('data_base64', message), isBroken: true };
  }
  return { fault: rejected('data', 'must be an object with the fields of an event'), isBroken: false };
}

/** The value that a JSON text holds; undefined when it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
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
  if (body.length > 0) {
    const text = textOf(body);
    const isUndeclared = UNDECLARED_TYPES.has(context.mediaType);
    const isJson = isJsonType(context.mediaType);
    const value = isJson || isUndeclared ? parsed(text) : undefined;
    if (isJson && value === undefined) {
      return rejected('data', 'the body is not valid JSON, although the content type says so');
    }
    event.data = value ?? text;
    if (!isUndeclared) event.datacontenttype = context.mediaType;
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
