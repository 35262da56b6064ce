import { ApiProblem } from '../problem.ts';

/**
 * Values of one JSON body at most: its objects, arrays, members and elements. A body of 64 MiB with ordinary events stays below;
 * empty objects alone would be 22 million, which take gigabytes and stop everything else for many seconds.
 */
export const JSON_VALUES_MAX = 4_000_000;
/** Messages of one protobuf body at most. Each becomes an object, which counts two in JSON, with the comma behind it. */
export const PROTOBUF_MESSAGES_MAX = JSON_VALUES_MAX / 2;

/** What an object or array takes while its body is worked on. */
const OBJECT_BYTES = 64;
/** What protobuf takes when decoded, in lengths of the body: its attributes become two objects and two texts each. */
const PROTOBUF_GROWTH = 3;

const OBJECT_OPEN = 0x7b;
const ARRAY_OPEN = 0x5b;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The refusal of a body with more in it than may be decoded at once. */
export function tooManyIn(what: string, max: number): ApiProblem {
  return new ApiProblem('body_too_large', `The body holds more than ${max} ${what}. Send smaller batches.`);
}

/**
 * About how many bytes a JSON body takes beside itself once it is parsed, found without parsing it.
 * @throws ApiProblem body_too_large when it holds more than {@link JSON_VALUES_MAX} values
 */
export function parsedBytesOfJson(body: Buffer): number {
  const containers = count(body, OBJECT_OPEN) + count(body, ARRAY_OPEN);
  // Each value has a byte of its own, so that nearly every body is too short to hold too many. What stands inside of texts
  // counts only until there seem to be too many: a table in an attribute is no table here.
  if (body.length > JSON_VALUES_MAX && mayHoldTooMany(body, containers) && structureOf(body) > JSON_VALUES_MAX) {
    throw tooManyIn('JSON values', JSON_VALUES_MAX);
  }
  return containers * OBJECT_BYTES;
}

/** About how many bytes a protobuf body takes beside itself once it is decoded. */
export function decodedBytesOfProtobuf(body: Buffer): number {
  return body.length * PROTOBUF_GROWTH;
}

/** How often a byte occurs: one search from find to find, a fifth of what looking at each byte takes. Stops at the limit. */
function count(body: Buffer, byte: number): number {
  let found = 0;
  for (let at = body.indexOf(byte); at !== -1 && found <= JSON_VALUES_MAX; at = body.indexOf(byte, at + 1)) found++;
  return found;
}

function mayHoldTooMany(body: Buffer, containers: number): boolean {
  let commas = 0;
  for (const byte of body) if (byte === COMMA) commas++;
  return containers + commas > JSON_VALUES_MAX;
}

/** Opening brackets and commas outside of texts: one for each value, and one more for each object and array. */
function structureOf(body: Buffer): number {
  let found = 0;
  for (let at = 0; at < body.length && found <= JSON_VALUES_MAX; at++) {
    const byte = body[at]!;
    if (byte === QUOTE) at = endOfText(body, at);
    else if (byte === COMMA || byte === OBJECT_OPEN || byte === ARRAY_OPEN) found++;
  }
  return found;
}

/** Position of the quote that ends the text, or the last one of the body. */
function endOfText(body: Buffer, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    if (body[at] === BACKSLASH) at++;
    else if (body[at] === QUOTE) return at;
  }
  return body.length;
}
