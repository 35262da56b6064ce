import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { encodeProduceRequest, isPlainMessage, withRoomInFront, type ProduceRequest } from './produce-request.ts';

// kafkajs unchanged: the repairs are installed by client.ts, which this file does not import.
const require = createRequire(import.meta.url);
const encodeByKafkajs = require('kafkajs/src/protocol/requests/produce/v3/request') as (request: ProduceRequest) => {
  encode(): Promise<{ buffer: Buffer }>;
};

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const message = fc.record(
  {
    key: fc.option(text, { nil: null }),
    // Around the borders of one, two and three varint bytes.
    value: fc
      .oneof(fc.nat(70), fc.integer({ min: 8_100, max: 8_250 }))
      .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
      .map((bytes) => Buffer.from(bytes)),
    headers: fc.dictionary(
      text.filter((name) => name !== '__proto__'),
      text,
      { maxKeys: 3 },
    ),
  },
  { requiredKeys: ['key', 'value'] },
);
const request: fc.Arbitrary<ProduceRequest> = fc.record({
  acks: fc.constantFrom(-1, 1),
  timeout: fc.nat(60_000),
  topicData: fc.array(
    fc.record({
      topic: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 }),
      partitions: fc.array(
        fc.record({ partition: fc.nat(100), messages: fc.array(message, { minLength: 1, maxLength: 80 }) }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { maxLength: 2 },
  ),
});

describe('a produce request', () => {
  it('has the very bytes that kafkajs writes', async () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 21), toFake: ['Date'] });
    try {
      await fc.assert(
        fc.asyncProperty(request, async (one) => {
          const expected = await encodeByKafkajs(one).encode();
          expect(encodeProduceRequest(one, Date.now()).equals(expected.buffer)).toBe(true);
        }),
      );
    } finally {
      vi.useRealTimers();
    }
  });

  it('has room in front for any frame, also one that is longer than foreseen', () => {
    fc.assert(
      fc.property(request, fc.nat(300), (one, byteCount) => {
        const body = encodeProduceRequest(one, 0);
        const content = Buffer.from(body);
        const framed = withRoomInFront(body, byteCount);
        framed.fill(0xff, 0, byteCount);
        expect(framed.subarray(byteCount).equals(content)).toBe(true);
        const foreign = withRoomInFront(content, byteCount);
        expect(foreign.subarray(byteCount).equals(content)).toBe(true);
      }),
    );
  });

  it.each([
    ['a value that is text', { key: null, value: 'text' }],
    ['a null value', { key: null, value: null }],
    ['a key of bytes', { key: Buffer.from('k'), value: Buffer.from('v') }],
    ['a timestamp', { key: null, value: Buffer.from('v'), timestamp: '1' }],
    ['a header without a value', { key: null, value: Buffer.from('v'), headers: { h: null } }],
    ['a header twice', { key: null, value: Buffer.from('v'), headers: { h: ['a', 'b'] } }],
  ])('leaves %s to kafkajs', (_, other) => {
    expect(isPlainMessage(other)).toBe(false);
  });
});
