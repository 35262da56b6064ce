import { isJsonObject } from '../json-body.ts';

export type AttributeValue = string | number | boolean;

/** Attributes by key. Nested values are left out: no field of ours is one. */
export type Attributes = ReadonlyMap<string, AttributeValue>;

/** Attributes looked at per record; agents send about 30, only an attack sends more. */
const ATTRIBUTES_MAX = 1_000;

const NO_ATTRIBUTES: Attributes = new Map();

/**
 * Reads a list of key-value pairs in JSON or decoded protobuf form. Tolerant as senders differ: 64-bit integers are texts or numbers,
 * values may be empty or of kinds that are not read; of a key that repeats the last value counts.
 * @param base attributes that these override: those of the resource, which Claude Code also copies onto each record
 */
export function readAttributes(list: unknown, base: Attributes = NO_ATTRIBUTES): Attributes {
  if (!Array.isArray(list) || list.length === 0) return base;
  const attributes = new Map<string, AttributeValue>(base);
  const length = Math.min(list.length, ATTRIBUTES_MAX);
  for (let index = 0; index < length; index++) {
    const pair: unknown = list[index];
    if (!isJsonObject(pair) || typeof pair.key !== 'string') continue;
    const value = scalarOf(pair.value);
    if (value !== null) attributes.set(pair.key, value);
  }
  return attributes;
}

/** The text, number or truth of an AnyValue; null when it is empty or nested. */
export function scalarOf(value: unknown): AttributeValue | null {
  if (!isJsonObject(value)) return null;
  if (Object.hasOwn(value, 'stringValue')) return typeof value.stringValue === 'string' ? value.stringValue : null;
  if (Object.hasOwn(value, 'intValue')) return integerOf(value.intValue);
  if (Object.hasOwn(value, 'doubleValue')) return integerOf(value.doubleValue);
  if (Object.hasOwn(value, 'boolValue')) return value.boolValue === true;
  return null;
}

/** A number that may come as number, decimal text or the 64-bit form of the protobuf library; null when it is none. */
function integerOf(value: unknown): number | null {
  const number = longOf(value) ?? (typeof value === 'string' && value.trim() !== '' ? Number(value) : value);
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

/** The protobuf library's 64-bit integer as a number. */
function longOf(value: unknown): number | null {
  if (!isJsonObject(value) || typeof value.low !== 'number' || typeof value.high !== 'number') return null;
  const high = value.unsigned === true ? value.high >>> 0 : value.high;
  return high * 2 ** 32 + (value.low >>> 0);
}

/** Epoch milliseconds of a time in nanoseconds since 1970; null when it is 0 (which OTLP uses for "not set") or none. */
export function millisecondsOf(nanoseconds: unknown): number | null {
  if (typeof nanoseconds === 'string') {
    // Cut as text: as a number the last digits would be rounded, and a millisecond could become the next.
    if (!/^\d{7,20}$/.test(nanoseconds)) return null;
    return Number(nanoseconds.slice(0, -6)) || null;
  }
  const number = longOf(nanoseconds) ?? nanoseconds;
  if (typeof number !== 'number' || !(number > 0) || number === Infinity) return null;
  // A double is exact to 256 ns at present times, so a whole millisecond may come out a hair below.
  return Math.floor(number / 1e6 + 0.001) || null;
}

/** The first of several attributes that is a text with something in it; numbers are written out. */
export function textAttribute(attributes: Attributes, ...keys: string[]): string | undefined {
  for (const key of keys) {
    const value = attributes.get(key);
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number') return String(value);
  }
  return undefined;
}

/** The first of several attributes that is a number, also when it is written as a text (Claude Code and Codex do both). */
export function numberAttribute(attributes: Attributes, ...keys: string[]): number | undefined {
  for (const key of keys) {
    const value = attributes.get(key);
    if (typeof value === 'number') return value;
    if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  }
  return undefined;
}

/** A trace or span id in lower-case hex: a text in JSON, bytes in protobuf; '' when there is none or all of it is zero. */
export function idOf(value: unknown): string {
  const text = Buffer.isBuffer(value) ? value.toString('hex') : value;
  return typeof text === 'string' && /^(?!0+$)[0-9a-f]{1,64}$/i.test(text) ? text.toLowerCase() : '';
}
