import { jsonLines, jsonValues, type ParsedValue } from '../body/json-values.ts';
import { ApiProblem } from '../problem.ts';

/** Media types of bodies with one JSON value per line. */
export const JSON_LINES_TYPES = [
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/jsonlines',
  'application/x-jsonlines',
  'application/stream+json',
] as const;

/** The body as text; a byte order mark goes, bytes that are no UTF-8 become U+FFFD. */
export function textOf(body: Buffer): string {
  const text = body.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * The JSON values of a body: lines when the media type says so, else whatever stands there (one, array, lines, in a row).
 * @throws ApiProblem invalid_body with line and column when nothing of it can be read
 */
export function valuesOfBody(body: Buffer, mediaType: string): Iterable<ParsedValue> {
  const text = textOf(body);
  if ((JSON_LINES_TYPES as readonly string[]).includes(mediaType)) return jsonLines(text);
  const parsed = jsonValues(text);
  if (!parsed.ok) throw invalidJson(parsed.message);
  return parsed.values;
}

/** The refusal of a body that is not JSON. The message names the position and never repeats the body. */
export function invalidJson(message: string): ApiProblem {
  return new ApiProblem('invalid_body', `The body is ${message.replace(/^the body is /, '')}.`, {
    errors: [{ path: '', message }],
  });
}

/** A plain object whose fields may hold anything. */
export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text in a field, or undefined for anything else and for the empty text. */
export function textIn(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The object in a field, or an empty one. */
export function objectIn(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}
