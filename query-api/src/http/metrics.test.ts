import Fastify from 'fastify';
import { afterEach, expect, test, vi } from 'vitest';
import { installMetrics } from './metrics.ts';

afterEach(() => vi.useRealTimers());

async function scrape(outboxUnsent: () => Promise<number>): Promise<{ status: number; body: string }> {
  const app = Fastify();
  installMetrics(app, {
    outboxUnsent,
    changeListeners: () => 3,
    usageLag: () => Promise.resolve([]),
    verifyEvents: { waiting: 0, lost: 0 },
  });
  const { statusCode, body } = await app.inject({ method: 'GET', url: '/metrics' });
  return { status: statusCode, body };
}

test('what waits for the bus is a figure', async () => {
  expect((await scrape(() => Promise.resolve(7))).body).toMatch(/^lanewatch_query_api_outbox_unsent 7$/m);
});

test.each([
  ['refuses', () => Promise.reject(new Error('down'))],
  ['hangs', () => new Promise<number>(() => undefined)],
])('a registry that %s takes only its own figure along', async (_how, outboxUnsent) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true, advanceTimeDelta: 1_000 });
  const { status, body } = await scrape(outboxUnsent);
  expect(status).toBe(200);
  expect(body).toMatch(/^lanewatch_query_api_change_listeners 3$/m);
  expect(body).not.toMatch(/^lanewatch_query_api_outbox_unsent/m);
});
