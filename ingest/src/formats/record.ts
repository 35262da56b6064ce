import { createHash } from 'node:crypto';
import type { Decoded, DecodeContext, HttpFormat } from './format.ts';
import { isJsonObject, JSON_LINES_TYPES, type JsonObject, valuesOfBody } from './json-body.ts';

/** Turns the JSON records of one program into events. */
export interface RecordMapper {
  /** Label in metrics, and the source of the events. */
  name: string;
  /** Whether a record that some log shipper brings is one of this program. */
  claims(record: JsonObject): boolean;
  /** What a record holds: an event, several, or nothing that counts. */
  map(record: JsonObject, context: DecodeContext): Iterable<Decoded>;
}

/** A route for the records of one program: one object, an array, lines, or objects in a row. */
export function recordFormat(
  { name, map }: RecordMapper,
  { path, summary, description }: Pick<HttpFormat, 'path' | 'summary' | 'description'>,
): HttpFormat {
  return {
    name,
    path,
    summary,
    description,
    mediaTypes: ['application/json', ...JSON_LINES_TYPES],
    answer: 'counts',
    invalidFingerprint: 'drop',
    *decode(body, context) {
      for (const parsed of valuesOfBody(body, context.mediaType)) {
        if (!parsed.ok) yield { kind: 'rejected', error: { path: '', message: parsed.message } };
        else if (isJsonObject(parsed.value)) yield* map(parsed.value, context);
        // Not an object, which the normaliser refuses in its own words.
        else yield { kind: 'event', input: parsed.value };
      }
    },
  };
}

/** An identity out of facts, for records that have none of their own: the same record sent again has the same. */
export const identityOfFacts = (...facts: unknown[]) =>
  createHash('sha256')
    .update(JSON.stringify(facts.map((fact) => fact ?? null)))
    .digest('hex');
