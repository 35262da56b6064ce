import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  type ZlibOptions,
} from 'node:zlib';
import type { Transform } from 'node:stream';
import { isJsonObject, type JsonObject, objectIn } from '../formats/json-body.ts';

/** What an answer says of its use. Nothing else of it is kept. */
export interface Metered {
  /** The answer's own id, such as `msg_…` or `chatcmpl-…`. */
  id: string | undefined;
  model: string | undefined;
  /** The provider's own `usage` object, as its last words have it. */
  usage: JsonObject | undefined;
}

/** Reads an answer beside its way to the client. */
export interface Meter {
  /** One piece as it came over the wire. */
  take(chunk: Buffer): void;
  /** What was seen once all was taken. */
  finish(): Promise<Metered>;
}

/** A line or a body in one piece that is longer is passed on without being read. */
const BYTES_MAX = 4 * 1024 * 1024;

/**
 * A meter for one answer: server-sent events or JSON, as it is or compressed.
 * @param contentType of the answer; of others than these two nothing is read
 */
export function createMeter(contentType: string, contentEncoding: string): Meter {
  const isStream = /^text\/event-stream\b/i.test(contentType);
  if (!isStream && !/\bjson\b/i.test(contentType)) return IGNORING;
  const reader = isStream ? eventReader() : jsonReader();
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') {
    return { take: (chunk) => reader.take(chunk), finish: () => Promise.resolve(reader.result()) };
  }
  const decoder = decoderOf(encoding);
  return decoder === null ? IGNORING : decoded(decoder, reader);
}

export const NOTHING_METERED: Metered = { id: undefined, model: undefined, usage: undefined };
const IGNORING: Meter = { take: () => undefined, finish: () => Promise.resolve(NOTHING_METERED) };

interface Reader {
  take(bytes: Buffer): void;
  result(): Metered;
}

/** Answers are compressed piece by piece, so what came is flushed rather than waited for. */
const FLUSH: ZlibOptions = { finishFlush: constants.Z_SYNC_FLUSH };

function decoderOf(encoding: string): Transform | null {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip(FLUSH);
  if (encoding === 'deflate') return createInflate(FLUSH);
  if (encoding === 'br') return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
  if (encoding === 'zstd') return createZstdDecompress({ finishFlush: constants.ZSTD_e_flush });
  return null;
}

function decoded(decoder: Transform, reader: Reader): Meter {
  let failed = false;
  const done = new Promise<void>((resolve) => {
    decoder.once('end', resolve).once('error', () => {
      // The client has the same bytes and says so itself.
      failed = true;
      resolve();
    });
  });
  decoder.on('data', (bytes: Buffer) => reader.take(bytes));
  return {
    take(chunk) {
      if (!failed) decoder.write(chunk);
    },
    async finish() {
      if (!failed) decoder.end();
      await done;
      return reader.result();
    },
  };
}

/** Server-sent events: only lines that speak of use or name the model are parsed, the rest passes as bytes. */
function eventReader(): Reader {
  const seen: Metered = { ...NOTHING_METERED };
  let pending: Buffer[] = [];
  let pendingBytes = 0;

  function line(bytes: Buffer): void {
    if (!/^data: ?\{/.test(bytes.toString('latin1', 0, 8))) return;
    const tellsUse = bytes.includes('"usage');
    if (!tellsUse && seen.model !== undefined) return;
    if (!tellsUse && !bytes.includes('"model')) return;
    const text = bytes.toString('utf8');
    note(seen, parsed(text.slice(text.indexOf('{'))));
  }

  return {
    take(bytes) {
      let from = 0;
      for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
        const part = bytes.subarray(from, end);
        from = end + 1;
        if (pendingBytes > 0) {
          if (pendingBytes + part.length <= BYTES_MAX) line(Buffer.concat([...pending, part]));
          pending = [];
          pendingBytes = 0;
        } else line(part);
      }
      const rest = bytes.subarray(from);
      if (rest.length === 0) return;
      pendingBytes += rest.length;
      // Too long to be read: only its length is remembered until it ends.
      if (pendingBytes <= BYTES_MAX) pending.push(rest);
      else pending = [];
    },
    result() {
      if (pendingBytes > 0 && pendingBytes <= BYTES_MAX) line(Buffer.concat(pending));
      return seen;
    },
  };
}

/** A JSON body in one piece: an object, or Google's stream as an array. */
function jsonReader(): Reader {
  let chunks: Buffer[] = [];
  let bytesTaken = 0;
  return {
    take(bytes) {
      bytesTaken += bytes.length;
      if (bytesTaken <= BYTES_MAX) chunks.push(bytes);
      else chunks = [];
    },
    result() {
      const seen: Metered = { ...NOTHING_METERED };
      if (bytesTaken > BYTES_MAX) return seen;
      const body = parsed(Buffer.concat(chunks).toString('utf8'));
      for (const part of Array.isArray(body) ? (body as unknown[]) : [body]) note(seen, part);
      return seen;
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Takes what a part of an answer tells. Anthropic begins a stream with a message that has the input and ends it with the output; OpenAI's
 * Responses wrap the answer; Google repeats its counts.
 */
function note(seen: Metered, part: unknown): void {
  if (!isJsonObject(part)) return;
  for (const holder of [part, objectIn(part, 'message'), objectIn(part, 'response')]) {
    const id = holder.id ?? holder.responseId;
    if (typeof id === 'string' && id !== '') seen.id ??= id;
    const model = holder.model ?? holder.modelVersion;
    if (typeof model === 'string' && model !== '') seen.model = model;
    const usage = isJsonObject(holder.usage) ? holder.usage : holder.usageMetadata;
    if (isJsonObject(usage)) seen.usage = { ...seen.usage, ...withoutNulls(usage) };
  }
}

const withoutNulls = (usage: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null && value !== undefined));
