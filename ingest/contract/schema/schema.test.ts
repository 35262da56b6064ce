import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { normaliseBusObject, usageEventInputSchema } from '../index.ts';

/*
 * What is published for producers of other programs is what the code takes. When the event changes, write usage-event.schema.json anew from the first
 * test's expectation, and the Avro schema and the examples by hand.
 */

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

test('the JSON Schema is that of the event', () => {
  expect(read('usage-event.schema.json')).toEqual(publishedSchema());
});

/** Unknown fields are dropped and counted, so a producer may send more. */
const publishedSchema = (): unknown => ({
  $id: 'urn:lanewatch:usage-event:v1',
  title: 'Usage event',
  ...z.toJSONSchema(usageEventInputSchema, { io: 'input' }),
});

interface AvroRecord {
  type: 'record';
  fields: { name: string; type: unknown }[];
}

const isOptional = (type: unknown): boolean => Array.isArray(type) && type[0] === 'null';
const someOf = (type: unknown): unknown => (isOptional(type) ? (type as unknown[])[1] : type);

/** Records by their name, under which they may be used again. */
const named = new Map<string, unknown>();

/** What JSON has where Avro has this. */
function jsonTypeOf(type: unknown): unknown {
  const own = someOf(type) as string | { type: string; name: string; symbols?: string[] };
  if (typeof own === 'string') return named.get(own) ?? (own === 'string' ? 'string' : 'number');
  if (own.type === 'enum') return own.symbols;
  const fields = jsonFieldsOf(own as unknown as AvroRecord);
  named.set(own.name, fields);
  return fields;
}

function jsonFieldsOf(record: AvroRecord): Record<string, unknown> {
  return Object.fromEntries(record.fields.map(({ name, type }) => [name, jsonTypeOf(type)]));
}

/** The same of the JSON Schema. */
function fieldsOf(schema: { properties: Record<string, object> }): Record<string, unknown> {
  const typeOf = (own: Record<string, unknown>): unknown => {
    if ('enum' in own) return own['enum'];
    if ('properties' in own) return fieldsOf(own as never);
    // An amount may be a number; as text it is exact, and Avro has it so.
    if ('anyOf' in own) return 'string';
    return own['type'] === 'string' ? 'string' : 'number';
  };
  return Object.fromEntries(
    Object.entries(schema.properties).map(([name, own]) => [name, typeOf(own as Record<string, unknown>)]),
  );
}

test('the Avro schema has the same fields, optional where they are', () => {
  const avro = read('usage-event.avsc') as AvroRecord;
  const json = publishedSchema() as { properties: Record<string, object>; required: string[] };
  expect(jsonFieldsOf(avro)).toEqual(fieldsOf(json));
  expect(avro.fields.filter(({ type }) => !isOptional(type)).map(({ name }) => name)).toEqual(json.required);
});

test('the examples are taken from the bus as they are', () => {
  for (const example of read('usage-event.examples.json') as object[]) {
    const result = normaliseBusObject(example, {}, { receivedAt: Date.parse('2026-11-20T12:00:05Z'), collector: '' });
    expect(result).toMatchObject({ ok: true, event: { source: (example as { source: string }).source } });
  }
});
