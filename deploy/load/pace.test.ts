import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sendAtRate, type Pace } from './pace.ts';

/** Runs with a clock that stands still but for waits and for what each request takes; returns when how many were sent. */
async function run(pace: Omit<Pace, 'inFlightMax'>, answerMs = 0): Promise<{ atMs: number; count: number }[]> {
  let nowMs = 0;
  const sent: { atMs: number; count: number }[] = [];
  const send = (count: number) => {
    sent.push({ atMs: nowMs, count });
    nowMs += answerMs;
    return Promise.resolve();
  };
  const clock = {
    now: () => nowMs,
    wait: (ms: number) => {
      nowMs += ms;
      return Promise.resolve();
    },
  };
  await sendAtRate({ ...pace, inFlightMax: 1 }, send, clock);
  return sent;
}

describe('a load', () => {
  it('sends each request when its last event is due, the last one at the end of the run', async () => {
    expect(await run({ rate: 200, total: 500, batch: 100 })).toEqual(
      [500, 1_000, 1_500, 2_000, 2_500].map((atMs) => ({ atMs, count: 100 })),
    );
  });

  it('of one event a second is one request a second', async () => {
    expect(await run({ rate: 1, total: 3, batch: 100 })).toEqual(
      [1_000, 2_000, 3_000].map((atMs) => ({ atMs, count: 1 })),
    );
  });

  it('that is behind sends at once and does not go over its rate', async () => {
    expect(await run({ rate: 100, total: 300, batch: 100 }, 1_500)).toEqual(
      [1_000, 2_500, 4_000].map((atMs) => ({ atMs, count: 100 })),
    );
  });

  it('never has more sent at any time than is due by then, and all of it at the end', async () => {
    const pace = fc.record({
      rate: fc.double({ min: 0.1, max: 5_000, noNaN: true }),
      total: fc.integer({ min: 1, max: 2_000 }),
      batch: fc.integer({ min: 1, max: 500 }),
    });
    await fc.assert(
      fc.asyncProperty(pace, fc.integer({ min: 0, max: 300 }), async (wanted, answerMs) => {
        let sum = 0;
        for (const { atMs, count } of await run(wanted, answerMs)) {
          sum += count;
          expect(sum).toBeLessThanOrEqual((atMs / 1000) * wanted.rate * (1 + 1e-9));
        }
        expect(sum).toBe(wanted.total);
      }),
    );
  });

  it('ends with the first failure', async () => {
    let requests = 0;
    const send = () => Promise.reject(new Error(`request ${++requests}`));
    const clock = { now: () => 0, wait: () => Promise.resolve() };
    await expect(sendAtRate({ rate: 1, total: 9, batch: 1, inFlightMax: 2 }, send, clock)).rejects.toThrow('request 1');
    expect(requests).toBeLessThanOrEqual(2);
  });
});
