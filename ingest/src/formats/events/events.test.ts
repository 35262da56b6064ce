import { describe, expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { eventsFormat } from './events.ts';

const event = (id: number) => JSON.stringify({ source: 's', id: String(id), time: '2026-11-20T23:14:34Z' });
const ids = async (body: string, mediaType = 'application/json') =>
  (await run(eventsFormat, body, { mediaType })).events.map(({ id }) => id);

describe('bodies of POST /v1/events', () => {
  test.each([
    ['one object', event(1), ['1']],
    ['an array', `[${event(1)},${event(2)}]`, ['1', '2']],
    ['lines', `${event(1)}\n${event(2)}\n`, ['1', '2']],
    ['lines with carriage returns', `${event(1)}\r\n${event(2)}\r\n`, ['1', '2']],
    ['objects in a row', event(1) + event(2) + event(3), ['1', '2', '3']],
    [
      'pretty objects in a row',
      `{\n "source": "s",\n "id": "}{",\n "time": "2026-11-20T23:14:34Z"\n}\n${event(2)}`,
      ['}{', '2'],
    ],
    ['an empty array', '[]', []],
    ['a byte order mark', `\ufeff${event(1)}`, ['1']],
  ])('%s', async (_, body, expected) => {
    expect(await ids(body)).toEqual(expected);
  });

  test.each(['application/x-ndjson', 'application/jsonl', 'application/stream+json'])(
    'lines as %s',
    async (mediaType) => {
      expect(await ids(`${event(1)}\n\n${event(2)}${event(3)}`, mediaType)).toEqual(['1', '2', '3']);
      expect(await ids('', mediaType)).toEqual([]);
    },
  );

  test.each(['format-json.json', 'format-json_lines.ndjson', 'format-json_stream.concatenated.txt'])(
    'every framing of Fluent Bit is read as two values: %s',
    async (name) => {
      const { rejected, errors } = await run(eventsFormat, fixture(import.meta.url, name));
      expect(rejected).toBe(2);
      expect(new Set(errors.map(({ path }) => path))).toEqual(new Set(['source', 'id', 'time']));
    },
  );

  test('one broken line of many is named by its number, the others are taken', async () => {
    const body = [event(1), '{"source":"s",', event(3)].join('\n');
    for (const mediaType of ['application/x-ndjson', 'application/json']) {
      const { events, errors } = await run(eventsFormat, body, { mediaType });
      expect(events.map(({ id }) => id)).toEqual(['1', '3']);
      expect(errors).toMatchObject([{ index: 1 }]);
      expect(errors[0]!.message).toMatch(/line 2/);
    }
  });

  test.each([
    ['{"a":1,}', 'line 1, column 8'],
    ['[1,2', 'ends too early'],
    ['{\n  "a": tru\n}', 'line 2, column 8'],
    ['', 'empty'],
    ['   ', 'empty'],
    ['{"a":"\u0001"}', 'line 1, column'],
    ['nonsense', 'line 1, column 1'],
  ])('broken JSON %j is refused with its position', async (body, position) => {
    await expect(run(eventsFormat, body)).rejects.toMatchObject({
      code: 'invalid_body',
      detail: expect.stringContaining(position) as string,
    });
  });

  test('the refusal never repeats the body', async () => {
    const body = '{"credential": sk-ant-api03-secret}';
    await expect(run(eventsFormat, body)).rejects.toSatisfy((error) => !JSON.stringify(error).includes('secret'));
  });
});
