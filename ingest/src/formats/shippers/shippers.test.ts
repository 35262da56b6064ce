import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { envoyMapper } from '../envoy/envoy.ts';
import { kongMapper } from '../kong/kong.ts';
import { nginxMapper } from '../nginx/nginx.ts';
import { shippersFormat } from './shippers.ts';

const records = shippersFormat([kongMapper, envoyMapper, nginxMapper]);
const ENVOY = {
  response_code: 200,
  start_time: '2026-11-20T23:15:42Z',
  'x-request-id': 'r-1',
  genai_model_name: 'gpt-4o-mini',
};
const OURS = { source: 's', id: '1' };
const sent = async (...shipped: object[]) => run(records, JSON.stringify(shipped));

describe('records of log shippers', () => {
  test.each(['format-json.json', 'format-json_lines.ndjson', 'format-json_stream.concatenated.txt'])(
    'what is none of ours is counted in every framing of Fluent Bit, so that it sends nothing again: %s',
    async (name) => {
      const body = fixture(new URL('../events/x', import.meta.url).href, name);
      const { events, rejected, ignored } = await run(records, body);
      expect({ events, rejected, ignored: Object.fromEntries(ignored) }).toEqual({
        events: [],
        rejected: 0,
        ignored: { other_record: 2 },
      });
    },
  );

  test.each([
    ['Fluent Bit, parsed', { date: 1795216542.5, ...ENVOY }],
    ['Fluent Bit, as the line', { date: 1795216542.5, log: `${JSON.stringify(ENVOY)}\n`, stream: 'stdout' }],
    ['Vector', { timestamp: '2026-11-20T23:15:42Z', host: 'h', source_type: 'file', message: JSON.stringify(ENVOY) }],
  ])('the same record by %s is the same event', async (_, record) => {
    const [expected] = (await sent(ENVOY)).events;
    expect((await sent(record)).events).toEqual([expected]);
  });

  test('our own event takes the time of the shipper where it has none', async () => {
    const { events } = await sent(
      { date: 1795216542.5, ...OURS },
      { timestamp: '2026-11-20T23:15:43Z', log: JSON.stringify(OURS) },
    );
    expect(events.map(({ time }) => time)).toEqual([1795216542500, 1795216543000]);
  });

  test('a CloudEvent is one here, too', async () => {
    const event = {
      specversion: '1.0',
      type: 't',
      source: 's',
      id: '1',
      time: '2026-11-20T23:15:42Z',
      data: { model: 'm' },
    };
    expect((await sent(event)).events).toMatchObject([{ source: 's', model: 'm' }]);
  });

  test('whatever stands in a record of a known kind, the next one is read', async () => {
    const anything = fc.dictionary(
      fc.constantFrom(...Object.keys(ENVOY), 'log', 'date', 'latencies', 'request', 'ai'),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (record) => {
        const { events, rejected, ignored } = await sent({ ...ENVOY, ...record }, ENVOY);
        expect(events.length + rejected + (ignored.get('other_record') ?? 0)).toBeGreaterThanOrEqual(2);
        expect(events.at(-1)).toMatchObject({ model: 'gpt-4o-mini', request_id: 'r-1' });
      }),
    );
  });
});
