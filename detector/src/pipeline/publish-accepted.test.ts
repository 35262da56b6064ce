import { BusUnavailableError, RecordRefusedError } from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { publishAccepted } from './publish-accepted.ts';

const LIMIT = 10;

test('everything the bus takes is published, what it refuses is reduced, and the rest is told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1 }), async (sizes) => {
      const published: number[] = [];
      const refused: number[] = [];
      await publishAccepted(sizes, {
        async publish(items) {
          if (items.some((size) => size > LIMIT)) throw new RecordRefusedError('too large');
          published.push(...items);
        },
        reduce: (size) => Math.ceil(size / 2),
        onRefused: (size) => refused.push(size),
      });
      const reduced = sizes.map((size) => (size > LIMIT ? Math.ceil(size / 2) : size));
      expect(published).toEqual(reduced.filter((size) => size <= LIMIT));
      expect(refused).toEqual(sizes.filter((size) => Math.ceil(size / 2) > LIMIT));
    }),
  );
});

test.each([false, true])('a bus that cannot answer is not a refusal, reduced or not: %j', async (refusesFirst) => {
  let calls = 0;
  const publishing = publishAccepted([1], {
    publish() {
      const refuses = refusesFirst && calls++ === 0;
      return Promise.reject(refuses ? new RecordRefusedError('too large') : new BusUnavailableError('no broker'));
    },
    reduce: (item) => item,
    onRefused: () => expect.unreachable(),
  });
  await expect(publishing).rejects.toBeInstanceOf(BusUnavailableError);
});
