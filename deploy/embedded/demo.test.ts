import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../testing/helpers.ts';
import { openDemoCollector } from './demo-collector.ts';
import { DAY_MS, progressOf, saveProgress } from './demo-progress.ts';

describe('the progress of the demo', () => {
  const nothing = { days: undefined, seed: undefined };

  it('begins with the options and goes on where it was', async () => {
    const home = await tempDir();
    expect(progressOf(home, { days: 2, seed: 5 }, 10 * DAY_MS)).toEqual({
      seed: 5,
      anchor: 10 * DAY_MS,
      loaded_until: 8 * DAY_MS,
    });
    const kept = { seed: 5, anchor: 10 * DAY_MS, loaded_until: 9 * DAY_MS };
    saveProgress(home, kept);
    expect(progressOf(home, nothing, 20 * DAY_MS)).toEqual(kept);
    expect(progressOf(home, { ...nothing, seed: 5 }, 20 * DAY_MS)).toEqual(kept);
  });

  it('refuses options that can have no effect any more, with the way out', async () => {
    const home = await tempDir();
    saveProgress(home, { seed: 5, anchor: 0, loaded_until: 0 });
    expect(() => progressOf(home, { ...nothing, seed: 1 }, 0)).toThrow(/--seed 1 .* seed 5 .*LANEWATCH_HOME/);
    expect(() => progressOf(home, { ...nothing, days: 3 }, 0)).toThrow(/--days .*LANEWATCH_HOME/);
  });
});

describe('the collector of the demo', () => {
  /** Ingest and query-api in one: takes only keys of `taken`; issues key-1, key-2 … */
  async function servers(taken: Set<string>) {
    let issued = 0;
    const server = createServer((request, response) => {
      if (request.url === '/internal/bootstrap') {
        const key = `key-${++issued}`;
        taken.add(key);
        response.end(JSON.stringify({ sign_in_url: 'http://127.0.0.1/sign-in', collector_key: key }));
      } else if (taken.has(request.headers.authorization?.replace('Bearer ', '') ?? '')) {
        response.end(JSON.stringify({ accepted: 1, rejected: 0 }));
      } else {
        response.writeHead(403).end('The key was revoked.');
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, issued: () => issued };
  }

  it('asks for one new key when its kept one was revoked, whatever was under way, says so, and keeps it', async () => {
    const home = await tempDir();
    mkdirSync(join(home, 'secrets'));
    const taken = new Set<string>();
    const { url, issued } = await servers(taken);
    const reasons: string[] = [];
    const open = () =>
      openDemoCollector({
        home,
        control: { queryApiUrl: url, token: 'x' },
        ingestUrl: url,
        quit: new AbortController().signal,
        onRenewal: (reason) => reasons.push(reason),
      });
    const first = await open();
    expect(await first.send([])).toBe(1);
    taken.delete('key-1');

    const later = await open();
    expect(await Promise.all([1, 2, 3, 4].map(() => later.send([])))).toEqual([1, 1, 1, 1]);
    expect(issued()).toBe(2);
    expect(reasons).toEqual(['Ingest refused the collector key with 403: The key was revoked.']);
    expect(readFileSync(join(home, 'secrets', 'demo-collector-key'), 'utf8')).toBe('key-2\n');
  });
});
