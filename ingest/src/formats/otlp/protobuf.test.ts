import { expect, test } from 'vitest';
import { PROTOBUF_MESSAGES_MAX } from '../../body/decoded-size.ts';
import { fixture } from '../../testing/format-run.ts';
import { decodeExportRequest } from './protobuf.ts';

/** A field of wire type 2. */
function field(number: number, payload: Buffer): Buffer {
  const length: number[] = [];
  let rest = payload.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), payload]);
}

/** The same empty field again and again: two bytes each. */
const empty = (number: number, times: number) => Buffer.alloc(times * 2, Buffer.from([(number << 3) | 2, 0]));
const beyond = PROTOBUF_MESSAGES_MAX + 1;

test.each([
  ['resources', 'logs', empty(1, beyond)],
  ['log records', 'logs', field(1, field(2, empty(2, beyond)))],
  ['values of one attribute', 'logs', field(1, field(2, field(2, field(6, empty(2, beyond)))))],
  ['spans', 'traces', field(1, field(2, empty(2, beyond)))],
] as const)('too many empty %s are refused with the limit in the message', { timeout: 30_000 }, (_, signal, body) => {
  expect(() => decodeExportRequest(signal, body)).toThrow(
    expect.objectContaining({
      code: 'body_too_large',
      detail: `The body holds more than ${PROTOBUF_MESSAGES_MAX} protobuf messages. Send smaller batches.`,
    }),
  );
});

test('a body of 28 MiB with the records of a real client stays below', () => {
  const body = fixture(new URL('../claude-code/x', import.meta.url).href, 'v2.1.197-logs.http-protobuf.pb');
  const messages = objectsIn(decodeExportRequest('logs', body));
  expect(messages).toBeGreaterThan(50);
  expect((28 * 1024 * 1024 * messages) / body.length).toBeLessThan(PROTOBUF_MESSAGES_MAX);
});

function objectsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return 0;
  const inside = Object.values(value).reduce((sum: number, inner) => sum + objectsIn(inner), 0);
  return inside + (Array.isArray(value) ? 0 : 1);
}
