import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMeter, type Metered } from './meter.ts';

const sse = (...events: object[]) =>
  Buffer.from(events.map((event) => `event: x\ndata: ${JSON.stringify(event)}\n\n`).join(''));
const STREAMS: [string, Buffer, Metered][] = [
  [
    'Anthropic',
    sse(
      {
        type: 'message_start',
        message: { id: 'msg_1', model: 'claude-sonnet-4-5', usage: { input_tokens: 10, output_tokens: 1 } },
      },
      { type: 'content_block_delta', delta: { text: 'the "usage" of \n words, "model": "none"' } },
      { type: 'message_delta', usage: { input_tokens: null, output_tokens: 42 } },
    ),
    { id: 'msg_1', model: 'claude-sonnet-4-5', usage: { input_tokens: 10, output_tokens: 42 } },
  ],
  [
    'OpenAI Chat',
    Buffer.concat([
      sse(
        { id: 'chatcmpl-1', model: 'gpt-5', choices: [], usage: null },
        { id: 'chatcmpl-1', model: 'gpt-5', choices: [], usage: { prompt_tokens: 3 } },
      ),
      Buffer.from('data: [DONE]\n\n'),
    ]),
    { id: 'chatcmpl-1', model: 'gpt-5', usage: { prompt_tokens: 3 } },
  ],
  [
    'OpenAI Responses',
    sse({ type: 'response.completed', response: { id: 'resp_1', model: 'gpt-5.1-codex', usage: { input_tokens: 7 } } }),
    { id: 'resp_1', model: 'gpt-5.1-codex', usage: { input_tokens: 7 } },
  ],
  [
    'Google',
    sse(
      { responseId: 'g-1', modelVersion: 'gemini-2.5-pro', usageMetadata: { promptTokenCount: 5 } },
      { modelVersion: 'gemini-2.5-pro', usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 9 } },
    ),
    { id: 'g-1', model: 'gemini-2.5-pro', usage: { promptTokenCount: 5, candidatesTokenCount: 9 } },
  ],
];

async function meter(body: Buffer, cuts: number[], type = 'text/event-stream', encoding = ''): Promise<Metered> {
  const taken = createMeter(type, encoding);
  const places = [0, ...cuts.map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length];
  for (let at = 1; at < places.length; at++) taken.take(body.subarray(places[at - 1], places[at]));
  return taken.finish();
}

test.each(STREAMS)(
  'a stream of %s tells its id, model and use, wherever the wire cuts it',
  async (_, body, expected) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 8 }), async (cuts) => {
        expect(await meter(body, cuts)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  },
);

test.each([
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
])('an answer compressed with %s is read, also one that ends early', async (encoding, compress) => {
  const [, body, expected] = STREAMS[0]!;
  const packed = compress(body);
  expect(await meter(packed, [5, 40], 'text/event-stream', encoding)).toEqual(expected);
  await expect(meter(packed.subarray(0, packed.length - 6), [], 'text/event-stream', encoding)).resolves.toBeDefined();
});

test('JSON in one piece, and as the array that Google streams', async () => {
  const answer = { modelVersion: 'gemini-2.5-pro', usageMetadata: { promptTokenCount: 5 } };
  const expected = { model: 'gemini-2.5-pro', usage: { promptTokenCount: 5 } };
  for (const body of [answer, [{ candidates: [] }, answer]])
    expect(await meter(Buffer.from(JSON.stringify(body)), [3], 'application/json; charset=utf-8')).toEqual(expected);
});

test('what is no answer of a model tells nothing and breaks nothing', async () => {
  const nothing = { id: undefined, model: undefined, usage: undefined };
  expect(await meter(Buffer.from('{"usage":'), [2], 'application/json')).toEqual(nothing);
  expect(await meter(Buffer.from('data: {"usage": [1\n\ndata: "usage"\n'), [])).toEqual(nothing);
  expect(await meter(Buffer.alloc(100, 1), [], 'audio/mpeg')).toEqual(nothing);
  expect(await meter(Buffer.from('no gzip'), [2], 'application/json', 'gzip')).toEqual(nothing);
});

test('a line that is too long is passed over, and the next one is read', async () => {
  const long = Buffer.concat([Buffer.from('data: {"usage'), Buffer.alloc(5 * 1024 * 1024, 97), Buffer.from('"}\n')]);
  const body = Buffer.concat([long, STREAMS[2]![1]]);
  const cuts = Array.from({ length: 100 }, (_, index) => index * 60_000);
  expect(await meter(body, cuts)).toEqual(STREAMS[2]![2]);
});
