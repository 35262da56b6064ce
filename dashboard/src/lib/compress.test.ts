import { brotliDecompressSync, createBrotliDecompress, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compressed, encodingFor } from './compress.ts';

const PAGE = `<p>${'the same again and again '.repeat(400)}</p>`;
const ask = (accepted: string, method = 'GET') =>
  new Request('http://localhost/', { method, headers: { 'accept-encoding': accepted } });
const answer = (headers: Record<string, string> = {}, body: BodyInit = PAGE) =>
  new Response(body, { headers: { 'content-type': 'text/html', ...headers } });
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe('encodingFor', () => {
  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['gzip;q=1, br;q=0.5', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['*', 'br'],
    ['*;q=0', null],
    ['identity', null],
    ['', null],
    [null, null],
  ])('answers %s with %s', (accepted, encoding) => {
    expect(encodingFor(accepted)).toBe(encoding);
  });
});

describe('compressed', () => {
  it('gives back the same page, smaller, and says by what caches may tell answers apart', async () => {
    for (const [accepted, unpack] of [
      ['br', brotliDecompressSync],
      ['gzip', gunzipSync],
    ] as const) {
      const response = compressed(ask(accepted), answer({ etag: '"1"', 'content-length': String(PAGE.length) }));
      expect(Object.fromEntries(response.headers)).toEqual({
        'content-type': 'text/html',
        'content-encoding': accepted,
        vary: 'Accept-Encoding',
        etag: 'W/"1"',
      });
      const bytes = await bytesOf(response);
      expect(bytes.length).toBeLessThan(PAGE.length / 10);
      expect(unpack(bytes).toString()).toBe(PAGE);
    }
  });

  it.each([
    ['a stream of events', answer({ 'content-type': 'text/event-stream' })],
    ['what is compressed already', answer({ 'content-encoding': 'br' })],
    ['an image', answer({ 'content-type': 'image/png' })],
  ])('leaves %s as it is', async (_what, response) => {
    expect(compressed(ask('br'), response)).toBe(response);
  });

  it('leaves the answer to a form as it is, which may show a secret beside what was sent', () => {
    const response = answer();
    expect(compressed(ask('br', 'POST'), response)).toBe(response);
  });

  it('hands on a part of a page as soon as it is there', async () => {
    let page!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (page = controller) });
    const reader = compressed(ask('br'), answer({}, body)).body!.getReader();
    page.enqueue(Buffer.from('first '));
    const unpacked = createBrotliDecompress();
    const first = new Promise((resolve) => unpacked.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    void (async () => {
      for (let part = await reader.read(); !part.done; part = await reader.read()) unpacked.write(part.value);
      unpacked.end();
    })();
    expect(await first).toBe('first ');
    page.close();
  });
});
