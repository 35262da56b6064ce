import {
  encodeUsageRow,
  fingerprintOf,
  normaliseUsageEvent,
  TEXT_LIMITS,
  ROW_VERSION_HEADER,
  USAGE_ROW_VERSION,
  type BusRecord,
} from '@lanewatch/ingest/contract';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRecord, RECORD_EVENTS_MAX } from './decode.ts';
import { NOON, usageEvent } from './testing/events.ts';

const ROWS = { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION };
const OBJECTS = {};

function decode(value: string | Buffer, headers: Record<string, string>) {
  const record: BusRecord = { partition: 0, offset: 0, key: null, value: Buffer.from(value), headers, timestamp: NOON };
  const { rows, rejects } = decodeRecord(record, NOON);
  return {
    rows,
    ids: rows.map(({ id }) => id),
    rejects: rejects.map(({ index, bytes, reason }) => ({ index, text: Buffer.from(bytes).toString(), reason })),
  };
}
const row = (id: string) => encodeUsageRow(usageEvent({ id }));
const object = (id: string) => JSON.stringify({ source: 's', id, time: '2026-11-20T11:59:00Z' });

/** Deeper than any recursive writer of JSON gets. */
const DEPTH = 20_000;
const nestedArray = '['.repeat(DEPTH) + ']'.repeat(DEPTH);
const nestedObject = '{"a":'.repeat(DEPTH) + '1' + '}'.repeat(DEPTH);

describe('a rejected line', () => {
  test.each([
    ['an array nested 20,000 deep', nestedArray],
    ['an object nested 20,000 deep', nestedObject],
    ['the half of a row', row('x').slice(0, 40)],
    ['two values', '1,2'],
    ['spelled as no encoder would spell it', '{ "a" : 1e0 }'],
  ])('keeps its bytes as they came: %s', (_, bad) => {
    for (const [headers, line] of [
      [ROWS, row],
      [OBJECTS, object],
    ] as const) {
      const { ids, rejects } = decode([line('a'), bad, line('b')].join('\n'), headers);
      expect(ids).toEqual(['a', 'b']);
      expect(rejects).toMatchObject([{ index: 1, text: bad }]);
    }
  });

  test('keeps bytes that are no UTF-8', () => {
    const bad = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    const value = Buffer.concat([Buffer.from(`${row('a')}\n`), bad]);
    const record: BusRecord = { partition: 0, offset: 0, key: null, value, headers: ROWS, timestamp: NOON };
    expect(decodeRecord(record, NOON).rejects.map(({ bytes }) => Buffer.from(bytes))).toEqual([bad]);
  });

  test('is the whole record where elements of an array are bad, however many', () => {
    const value = `[${object('a')}, {"id": 1}, ${object('b')}, 7]`;
    const { ids, rejects } = decode(value, OBJECTS);
    expect(ids).toEqual(['a', 'b']);
    expect(rejects).toMatchObject([{ index: 1, text: value }]);
    expect(rejects[0]?.reason).toMatch(/^element 1: .*; 1 more elements are bad$/);
  });
});

describe('a record is rejected as a whole', () => {
  test('when its value is no object, with a reason that begins with what is wrong', () => {
    expect(decode('null', OBJECTS).rejects).toMatchObject([{ index: 0, reason: 'an event must be a JSON object' }]);
  });

  test('when more than 1,000 of its lines are bad, so that half a million of them are one dead letter', () => {
    const value = `${row('a')}\n${'x\n'.repeat(524_288)}`;
    for (const headers of [ROWS, OBJECTS]) {
      const { ids, rejects } = decode(value, headers);
      expect(ids).toEqual([]);
      expect(rejects).toHaveLength(1);
      expect(rejects[0]).toMatchObject({ index: 0, text: value });
      expect(rejects[0]?.reason).toMatch(/^more than 1000 of its lines are bad; the first: /);
    }
  });

  test.each([
    ['rows', ROWS, (count: number) => Array.from({ length: count }, (_, index) => row(String(index))).join('\n')],
    [
      'lines',
      OBJECTS,
      (count: number) => Array.from({ length: count }, (_, index) => object(String(index))).join('\n'),
    ],
    [
      'elements',
      OBJECTS,
      (count: number) => JSON.stringify(Array.from({ length: count }, (_, index) => JSON.parse(object(String(index))))),
    ],
  ])('when it has more events than fit behind a full batch: %s', (_, headers, ofCount) => {
    expect(decode(ofCount(RECORD_EVENTS_MAX), headers).ids).toHaveLength(RECORD_EVENTS_MAX);
    const { ids, rejects } = decode(ofCount(RECORD_EVENTS_MAX + 1), headers);
    expect(ids).toEqual([]);
    expect(rejects).toMatchObject([{ index: 0, reason: expect.stringContaining('more than 50000 events') }]);
  });

  test.each([[''], ['\n\n'], ['  ']])('when nothing is in it: %j', (value) => {
    for (const headers of [ROWS, OBJECTS])
      expect(decode(value, headers).rejects).toMatchObject([{ index: 0, reason: 'the record is empty' }]);
  });
});

describe('a positional row is rejected', () => {
  const fingerprint = fingerprintOf('k');
  test.each(['unattributed', fingerprint.toUpperCase(), fingerprint.slice(1), `sk-ant-api03-${'x'.repeat(51)}`, ' '])(
    'when its fingerprint is none: %s',
    (other) => {
      for (const _ of ['once', 'again']) {
        const { rejects } = decode(encodeUsageRow(usageEvent({ fingerprint: other })), ROWS);
        expect(rejects).toMatchObject([{ reason: expect.stringMatching(/^fingerprint: 64 lower-case hex/) }]);
      }
    },
  );

  test.each(Object.entries(TEXT_LIMITS))('when %s is longer than %i', (column, limit) => {
    const ofLength = (length: number) => encodeUsageRow({ ...usageEvent({}), [column]: 'x'.repeat(length) });
    expect(decode(ofLength(limit), ROWS).rejects).toEqual([]);
    expect(decode(ofLength(limit + 1), ROWS).rejects).toMatchObject([
      { reason: `${column}: longer than ${limit} characters` },
    ]);
  });

  test('when a flag is longer than any there is', () => {
    const flags = ['x'.repeat(65)] as never[];
    expect(decode(encodeUsageRow(usageEvent({ flags })), ROWS).rejects).toMatchObject([
      { reason: expect.stringMatching(/^flags: /) },
    ]);
  });
});

test('what ingest makes of an event is a row without fault, whatever its texts', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 500, maxLength: 1_500, unit: 'binary' }));
  const event = fc.record(
    {
      org: text,
      user: text,
      ip: text,
      host: text,
      session: text,
      repo: text,
      model: text,
      module: text,
      operation: text,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(event, text, fc.constantFrom(fingerprintOf('k'), ''), (fields, hint, fingerprint) => {
      const normalised = normaliseUsageEvent(
        { source: 's', id: '1', time: '2026-11-20T11:59:00Z', credential: { hint, fingerprint }, ...fields },
        { receivedAt: NOON, collector: 'c1' },
      );
      if (!normalised.ok) throw new Error(JSON.stringify(normalised.errors));
      expect(decode(encodeUsageRow(normalised.event), ROWS)).toMatchObject({ ids: ['1'], rejects: [] });
    }),
  );
});

describe('a record of another producer', () => {
  const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
  const EVENT = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/cloudevent-structured.json'), 'utf8')) as {
    data: Record<string, unknown>;
  };

  test('that is a CloudEvent in structured mode is the event in its data', () => {
    for (const headers of [STRUCTURED, OBJECTS])
      expect(decode(JSON.stringify(EVENT), headers)).toMatchObject({
        rejects: [],
        rows: [
          {
            ...{ source: '/ce/kafka', id: 'kstr', fingerprint: 'de'.repeat(32), user: 'kay@example.com' },
            ...{ model: 'claude-sonnet-4-6', tokens_input_uncached: 100, tokens_output: 20 },
          },
        ],
      });
  });

  test('that is one in binary mode is the event in its value, with identity and time of the headers', () => {
    const headers = {
      ...{ ce_specversion: '1.0', ce_id: 'b', ce_source: '/ce', ce_type: 't', ce_time: '2026-11-20T11:59:00Z' },
      'content-type': 'application/json',
    };
    expect(decode(JSON.stringify(EVENT.data), headers)).toMatchObject({
      rejects: [],
      rows: [{ source: '/ce', id: 'b', time: Date.parse('2026-11-20T11:59:00Z'), user: 'kay@example.com' }],
    });
    for (const value of ['{"user":"a"}\n{"user":"b"}', '[{"user":"a"}]'])
      expect(decode(value, headers)).toMatchObject({
        ids: [],
        rejects: [{ reason: expect.stringMatching(/^data: /) }],
      });
  });

  test.each([
    ['an order', { source: 's', id: 'i', time: '2026-11-20T11:59:00Z', order: 7, customer: 'acme' }, OBJECTS],
    ['a CloudEvent of something else', { ...EVENT, data: { order: 7 } }, STRUCTURED],
    ['a CloudEvent without data', { ...EVENT, data: undefined }, STRUCTURED],
  ])('that is %s is a dead letter that says why, and no empty row', (_, value, headers) => {
    expect(decode(JSON.stringify(value), headers)).toMatchObject({
      rows: [],
      rejects: [{ reason: expect.stringContaining('none of the fields that say who used what') }],
    });
  });

  test('that lacks what a CloudEvent must have is rejected by the field', () => {
    const { rejects } = decode(JSON.stringify({ ...EVENT, specversion: '0.3' }), STRUCTURED);
    expect(rejects).toMatchObject([{ reason: expect.stringMatching(/^specversion: /) }]);
  });

  test('with a fingerprint that is none is stored without it and flagged, as nobody reads an answer', () => {
    const value = { ...JSON.parse(object('a')), user: 'ada', credential: { fingerprint: 'no such' } };
    expect(decode(JSON.stringify(value), OBJECTS).rows).toMatchObject([
      { fingerprint: '', flags: ['fingerprint_invalid'] },
    ]);
  });

  test('gets canonical names, and keeps what it sent', () => {
    const value = { ...JSON.parse(object('a')), user: 'Ada@Example.com' };
    expect(decode(JSON.stringify(value), OBJECTS).rows).toMatchObject([
      { user: 'ada@example.com', sent_as: '{"user":"Ada@Example.com"}' },
    ]);
  });
});

test('a row of the version before, which a spool still sends after an upgrade, is taken and gets canonical names', () => {
  const cells = (JSON.parse(encodeUsageRow(usageEvent({ user: 'ADA' }))) as unknown[]).slice(0, 35);
  const before = { [ROW_VERSION_HEADER]: '1' };
  expect(decode(`${JSON.stringify(cells)}\n${JSON.stringify(cells.slice(1))}`, before)).toMatchObject({
    rows: [{ user: 'ada', sent_as: '{"user":"ADA"}', reporter: '', served_by: '' }],
    rejects: [{ index: 1, reason: 'has 34 columns, 35 expected' }],
  });
});

test.each([
  [-1, 0],
  [NOON - 1, NOON - 1],
  [NOON + 1, NOON],
  [Date.UTC(2400, 0), NOON],
])('an object on a record from %i was received at %i', (timestamp, receivedAt) => {
  const value = Buffer.from(object('a'));
  const record: BusRecord = { partition: 0, offset: 0, key: null, value, headers: {}, timestamp };
  expect(decodeRecord(record, NOON).rows).toMatchObject([{ id: 'a', received_at: receivedAt }]);
});

test('a line break at the end is no line', () => {
  expect(decode(`${row('a')}\n`, ROWS)).toMatchObject({ ids: ['a'], rejects: [] });
  expect(decode(`${object('a')}\n\n${object('b')}\n`, OBJECTS)).toMatchObject({ ids: ['a', 'b'], rejects: [] });
});

test('every line is a row or a reject at its own place, and the good ones are what they are alone', () => {
  const line = fc.oneof(
    fc.integer({ min: 0, max: 999 }).map((id) => ({ text: row(`id-${id}`), id: `id-${id}` })),
    fc.json().map((text) => ({ text: text.replaceAll('\n', ' '), id: null })),
    fc
      .string()
      .filter((text) => text.trim() !== '' && !text.includes('\n'))
      .map((text) => ({ text, id: null })),
  );
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (lines) => {
      const { ids, rejects } = decode(lines.map(({ text }) => text).join('\n'), ROWS);
      expect(ids).toEqual(lines.flatMap(({ id }) => id ?? []));
      expect(rejects.map(({ index, text }) => [index, text])).toEqual(
        lines.flatMap(({ text, id }, index) => (id === null ? [[index, text]] : [])),
      );
    }),
  );
});
