import { brotliDecompressSync } from 'node:zlib';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStage, type Stage } from './harness.ts';

const KB = 1_000;
let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

/** A page as it travels to a browser, and unpacked. fetch would unpack it itself. */
function bytesOf(path: string): Promise<{ sent: number; page: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const headers = { cookie: `lanewatch_session=${stage.fake.session}`, 'accept-encoding': 'br' };
    request(stage.url + path, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const sent = Buffer.concat(chunks);
        resolve({ sent: sent.length, page: brotliDecompressSync(sent).length, headers: { ...response.headers } });
      });
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

it.each([
  ['the ledger with 50 rows', '/ledger?limit=50', 60 * KB, 150 * KB],
  ['the landing page', '/', 60 * KB, 100 * KB],
])('%s stays as light as it is promised, compressed and not', async (_what, path, sentMax, pageMax) => {
  const { sent, page, headers } = await bytesOf(path);
  expect(headers).toMatchObject({ 'content-encoding': 'br', vary: expect.stringContaining('Accept-Encoding') });
  expect(page).toBeGreaterThan(10 * KB);
  expect({ sent: sent <= sentMax ? 'light' : sent, page: page <= pageMax ? 'light' : page }).toEqual({
    sent: 'light',
    page: 'light',
  });
});
