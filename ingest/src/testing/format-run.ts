import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DecodeContext, HttpFormat } from '../formats/format.ts';
import { receive, type Received } from '../receive.ts';

export const RECEIVED_AT = Date.parse('2026-11-20T23:20:00.000Z');

/** Reads a fixture that lies next to a test; `.gz` files are unpacked, because the server does that before a format sees them. */
export function fixture(importMetaUrl: string, name: string): Buffer {
  const bytes = readFileSync(new URL(`fixtures/${name}`, importMetaUrl));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

/** Runs a body through a format and the normaliser as the server does. */
export function run(
  format: HttpFormat,
  body: Buffer | string,
  context: Partial<DecodeContext> = {},
): Promise<Received> {
  return receive(
    format,
    Buffer.from(body),
    { mediaType: 'application/json', headers: {}, clientAddress: '203.0.113.9', receivedAt: RECEIVED_AT, ...context },
    'collector-1',
  );
}
