import { brotliDecompressSync } from 'node:zlib';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PLACE_GROUPS } from '../src/routes/places.ts';
import { axeFindings, OF_THEMES } from './axe.ts';
import { newGovernance } from './fake-governance.ts';
import { startStage, type Stage } from './harness.ts';
import { fingerprintFor } from './organisation.ts';

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

it('brings at most 150 kB of JavaScript in few files with the first load of any page, where axe finds nothing in either theme', async () => {
  const page = await (await stage.visitor({ colorScheme: 'light' })).newPage();
  // Tables that have rows.
  stage.fake.governance = { ...newGovernance(), isSigning: true, runs: ['policies.enforce'] };
  const places = PLACE_GROUPS.flatMap(({ places }) => places.map(({ href }) => href));
  const below = [
    ...['/keys', `/lanes/${fingerprintFor('sk-ant-...C001')}`, `/findings/R01-${'0'.repeat(24)}`, '/users/mira.santos'],
    ...['/credentials/create', '/credentials/cred-1', '/credentials/cred-1/edit', '/rules/R10', '/account', '/people'],
  ];
  const heavy: string[] = [];
  const faulty: string[] = [];
  for (const path of [...places, ...below]) {
    await page.goto(path);
    await page.getByRole('button', { name: /key, page or action/ }).waitFor();
    const { bytes, files } = await page.evaluate(() => {
      const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
      const scripts = entries.filter(({ name }) => new URL(name).pathname.endsWith('.js'));
      return { bytes: scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0), files: scripts.length };
    });
    if (bytes === 0 || bytes > 150 * KB || files > 45) heavy.push(`${path}: ${bytes} bytes in ${files} files`);
    faulty.push(...(await axeFindings(page)).map((found) => `${path} ${found}`));
    await page.emulateMedia({ colorScheme: 'dark' });
    faulty.push(...(await axeFindings(page, OF_THEMES)).map((found) => `${path} dark ${found}`));
    await page.emulateMedia({ colorScheme: 'light' });
  }
  expect({ heavy, faulty }).toEqual({ heavy: [], faulty: [] });
});

/** What stands between a request and a page that is whole and still, as far as it does not depend on how busy this machine is. */
it.each([
  ['category', '/'],
  ['lane', `/lanes/${fingerprintFor('sk-ant-...C001')}`],
  ['findings', '/findings'],
])('the %s page waits for few style sheets, moves nothing once it is drawn and stays small', async (_what, path) => {
  const page = await (await stage.visitor({ viewport: { width: 412, height: 823 } })).newPage();
  await page.goto(path);
  await page.getByRole('button', { name: /key, page or action/ }).waitFor();
  const found = await page.evaluate(async () => {
    const moved: PerformanceEntry[] = [];
    const observer = new PerformanceObserver((list) => moved.push(...list.getEntries()));
    observer.observe({ type: 'layout-shift', buffered: true });
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    // What it has not told of by now is still in its hands.
    moved.push(...observer.takeRecords());
    const resources = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    const waitedFor = resources.filter((one) => Reflect.get(one, 'renderBlockingStatus') === 'blocking');
    return {
      shifts: moved.reduce((sum, entry) => sum + Number(Reflect.get(entry, 'value')), 0),
      scripts: waitedFor.filter(({ name }) => name.endsWith('.js')).length,
      styles: waitedFor.filter(({ name }) => name.endsWith('.css')).length,
      bytes: resources.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
      elements: document.querySelectorAll('*').length,
    };
  });
  expect(found.shifts).toBeLessThan(0.05);
  expect(found.scripts).toBe(0);
  expect(found.styles).toBeGreaterThan(0);
  expect(found.styles).toBeLessThanOrEqual(16);
  expect(found.bytes).toBeLessThan(320 * KB);
  expect(found.elements).toBeLessThan(2_000);
});
