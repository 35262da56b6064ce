import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JSON_VALUES_MAX, parsedBytesOfJson } from './decoded-size.ts';

const ordinaryEvent = JSON.stringify({
  source: 'claude-code',
  id: '0123456789abcdef'.repeat(4),
  time: '2026-11-20T12:00:00.000Z',
  credential: { fingerprint: 'ab'.repeat(32), hint: 'sk-ant-api03-R2D...igAA', provider: 'anthropic', kind: 'api_key' },
  org: 'acme',
  user: 'dana@acme.example',
  agent: { name: 'claude-code', version: '2.1.201' },
  session: 'f53749e0-4af2-473a-83a6-2ee55bf8d736',
  repo: 'acme/payments-api',
  branch: 'main',
  model: 'claude-sonnet-4-5',
  outcome: 'success',
  tokens: { input_uncached: 25, cache_read: 3400, cache_write: 1200, output: 7 },
  cost_usd: '0.005700000',
});

function arrayOf(values: number): string {
  return `[${'0,'.repeat(values - 1)}0]`;
}

describe('what a body holds, before it is parsed', { timeout: 30_000 }, () => {
  test('64 MiB of ordinary events are taken', () => {
    const body = Buffer.from(`[${Array.from({ length: 100_000 }, () => ordinaryEvent).join(',')}]`);
    expect(body.length).toBeGreaterThan(60 * 1024 * 1024);
    expect(parsedBytesOfJson(body)).toBeLessThan(body.length);
  });

  test.each([
    ['empty objects', '{},', JSON_VALUES_MAX / 2 + 1],
    ['empty arrays', '[],', JSON_VALUES_MAX / 2 + 1],
    ['numbers', '0,', JSON_VALUES_MAX + 1],
    ['members', '"k":0,', JSON_VALUES_MAX + 1],
    ['arrays in one another', '[', JSON_VALUES_MAX + 1],
    ['texts that end in a backslash', '"\\\\",', JSON_VALUES_MAX + 1],
  ])('too many %s are refused with the limit in the message', (_, unit, times) => {
    expect(() => parsedBytesOfJson(Buffer.from(unit.repeat(times)))).toThrow(
      expect.objectContaining({
        code: 'body_too_large',
        detail: `The body holds more than ${JSON_VALUES_MAX} JSON values. Send smaller batches.`,
      }),
    );
  });

  test('the limit itself is taken', () => {
    expect(parsedBytesOfJson(Buffer.from(arrayOf(JSON_VALUES_MAX)))).toBeGreaterThan(0);
    expect(() => parsedBytesOfJson(Buffer.from(arrayOf(JSON_VALUES_MAX + 1)))).toThrow(/4000000/);
  });

  test('a table inside of a text is one value, quotes in it or not', () => {
    const table = JSON.stringify({ output: '1,"[{",\\'.repeat(1_500_000) });
    expect(parsedBytesOfJson(Buffer.from(table))).toBeGreaterThan(0);
  });

  test('more objects take more', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const size = (inner: unknown) => parsedBytesOfJson(Buffer.from(JSON.stringify(inner)));
        expect(size([value])).toBeGreaterThan(size(value));
        expect(size([value, value])).toBeGreaterThanOrEqual(size([value]));
      }),
    );
  });
});
