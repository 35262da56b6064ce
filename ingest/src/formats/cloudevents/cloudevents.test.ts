import { describe, expect, test } from 'vitest';
import { fixture, RECEIVED_AT, run } from '../../testing/format-run.ts';
import { eventsFormat } from '../events/events.ts';

const load = (name: string) => fixture(import.meta.url, name);
const STRUCTURED = { mediaType: 'application/cloudevents+json' };
const BATCH = { mediaType: 'application/cloudevents-batch+json' };
const FINGERPRINT = 'b'.repeat(64);

/** A request as captured: headers, an empty line, the body. */
function httpMessage(name: string): { headers: Record<string, string>; body: string } {
  const [head = '', body = ''] = load(name)
    .toString()
    .split(/\r?\n\r?\n/, 2);
  const headers = Object.fromEntries(head.split(/\r?\n/).map((line) => line.split(': ') as [string, string]));
  return { headers, body };
}

describe('CloudEvents', () => {
  test('structured mode: identity and time from the context, operation from type, agent from source', async () => {
    const { events, droppedFields } = await run(eventsFormat, load('spec-structured-json.json'), STRUCTURED);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      source: '/mycontext',
      id: 'C234-1234-1234',
      time: Date.parse('2018-04-05T17:31:00Z'),
      operation: 'com.example.someevent',
      agent: '/mycontext',
      ip: '203.0.113.9',
      flags: ['time_past'],
    });
    // Two extensions and three fields of the payload are none of ours.
    expect(droppedFields).toBe(5);
  });

  test('batch mode; a payload that is not JSON, in an event that says nothing else, is refused by its type', async () => {
    const { events, errors } = await run(eventsFormat, load('spec-batch.json'), BATCH);
    expect(events.map(({ id }) => id)).toEqual(['C234-1234-1234']);
    expect(errors).toMatchObject([{ index: 0, path: 'datacontenttype' }]);
    expect(await run(eventsFormat, '[]', BATCH)).toMatchObject({ events: [], rejected: 0 });
  });

  test('binary mode, as in the specification', async () => {
    const { headers, body } = httpMessage('spec-binary-mode.http.txt');
    const { events } = await run(eventsFormat, body, { headers });
    expect(events[0]).toMatchObject({ source: '/mycontext', id: 'C234-1234-1234', operation: 'com.example.someevent' });
  });

  test.each(['', 'application/x-www-form-urlencoded'])(
    'binary mode of the Python SDK, whose body nothing declares (content type "%s"), keeps its fields',
    async (mediaType) => {
      const { headers, body } = httpMessage('sdk-python-2.2.0-binary.http.txt');
      expect(headers).not.toHaveProperty('content-type');
      const { events } = await run(eventsFormat, body, { headers, mediaType });
      expect(events[0]).toMatchObject({
        source: '/billing/worker',
        user: 'zoë@example.com',
        hint: 'sk-ant-...C001',
        tokens_input_uncached: 11,
        cost_nano_usd: 1_000_000,
      });
    },
  );

  test.each([
    ['', 'no JSON', 'data'],
    ['', '"text"', 'data'],
    ['application/json', '[1]', 'data'],
    ['text/plain', '{"user":"u"}', 'datacontenttype'],
  ])(
    'binary mode with content type "%s" and the body %s is refused at %s, unless the rest is an event of ours',
    async (mediaType, body, path) => {
      const { headers } = httpMessage('sdk-python-2.2.0-binary.http.txt');
      const { events, errors } = await run(eventsFormat, body, { headers, mediaType });
      expect([events, errors]).toMatchObject([[], [{ index: 0, path }]]);
      for (const [header, value, expected] of [
        ['ce-subject', FINGERPRINT, { fingerprint: FINGERPRINT }],
        ['ce-user', 'zoë', { user: 'zoë' }],
      ] as const) {
        const whole = await run(eventsFormat, body, { headers: { ...headers, [header]: value }, mediaType });
        expect(whole.events[0]).toMatchObject({ source: '/billing/worker', ...expected });
      }
    },
  );

  test('without any payload there is nothing to be refused', async () => {
    const { headers } = httpMessage('sdk-python-2.2.0-binary.http.txt');
    const { events } = await run(eventsFormat, '', { headers, mediaType: '' });
    expect(events[0]).toMatchObject({ source: '/billing/worker', user: '', credential_kind: 'none' });
  });

  test('foreign extensions are dropped and counted, whatever they are called and hold', async () => {
    const context = { specversion: '1.0', type: 't', source: 's', id: 'i', data: { user: 'u' } };
    const foreign = {
      action: 'create',
      outcome: 'ok',
      tokens: 5,
      latency_ms: -1,
      credential: 'x',
      session: 7,
      agent: 'a',
    };
    const { events, errors, droppedFields } = await run(
      eventsFormat,
      JSON.stringify({ ...context, ...foreign, org: 'o' }),
    );
    expect(errors).toEqual([]);
    expect(events[0]).toMatchObject({ action: 'execution', outcome: 'success', session: '', agent: 's', org: 'o' });
    expect(droppedFields).toBe(7);
  });

  test('an object that the JavaScript SDK got as text, and sends quoted, is read', async () => {
    const { events } = await run(eventsFormat, load('sdk-js-10.0.0-structured-text.json'), STRUCTURED);
    expect(events[0]).toMatchObject({ agent: 'ce-js', tokens_input_uncached: 22, cost_nano_usd: 1_000_000 });
  });

  test('binary mode decodes percent-encoded and quoted header values', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-type': '"t\\"x"', 'ce-source': '/a%20b', 'ce-id': '%E2%82%AC' };
    const { events } = await run(eventsFormat, '{"org":"acme"}', { headers });
    expect(events[0]).toMatchObject({ source: '/a b', id: '€', operation: 't"x', org: 'acme', time: RECEIVED_AT });
  });

  test.each(['docs-usage-event.json', 'quickstart-event.json'])(
    'OpenMeter %s, also as application/json',
    async (name) => {
      const asCloudEvent = await run(eventsFormat, load(name), STRUCTURED);
      const asJson = await run(eventsFormat, load(name));
      expect(asCloudEvent.events).toHaveLength(1);
      expect(asJson.events).toEqual(asCloudEvent.events);
    },
  );

  test('data holds our fields, data_base64 too, null is absent', async () => {
    const data = { credential: { fingerprint: FINGERPRINT }, tokens: { output: 7 }, operation: 'chat', user: null };
    const context = { specversion: '1.0', type: 't', source: 's', id: 'i', time: null, org: 'acme' };
    const expected = { fingerprint: FINGERPRINT, tokens_output: 7, operation: 'chat', org: 'acme', time: RECEIVED_AT };
    const encoded = Buffer.from(JSON.stringify(data)).toString('base64');
    for (const payload of [{ data }, { data_base64: encoded }]) {
      const { events } = await run(eventsFormat, JSON.stringify({ ...context, ...payload }), STRUCTURED);
      expect(events[0]).toMatchObject(expected);
    }
  });

  test('a subject that is a fingerprint, or a raw key, is the credential; any other is not', async () => {
    const of = async (subject: string) =>
      (await run(eventsFormat, JSON.stringify({ specversion: '1.0', type: 't', source: 's', id: 'i', subject })))
        .events[0]!;
    expect(await of(FINGERPRINT)).toMatchObject({ fingerprint: FINGERPRINT });
    expect((await of(`ghp_${'a1'.repeat(18)}`)).flags).toEqual(['raw_key_hashed']);
    expect(await of('customer-1')).toMatchObject({ fingerprint: '', credential_kind: 'none' });
    const nothing = { specversion: '1.0', type: 't', source: 's', id: 'i', data: { credential: null } };
    const { events } = await run(eventsFormat, JSON.stringify({ ...nothing, subject: FINGERPRINT }));
    expect(events[0]).toMatchObject({ fingerprint: FINGERPRINT });
  });

  test.each([
    [{ specversion: '0.3', type: 't', source: 's', id: 'i' }, 'specversion'],
    [{ type: 't', source: 's', id: 'i' }, 'specversion'],
    [{ specversion: '1.0', source: 's', id: 'i' }, 'type'],
    [{ specversion: '1.0', type: 't', source: 's' }, 'id'],
    [{ specversion: '1.0', type: 't', source: 's', id: 'i', data_base64: '!' }, 'data_base64'],
  ])('%o is refused at %s', async (event, path) => {
    const { errors } = await run(eventsFormat, JSON.stringify(event), STRUCTURED);
    expect(errors).toMatchObject([{ index: 0, path }]);
  });
});
