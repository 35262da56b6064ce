import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Tally } from './tally.ts';

test('a tally counts every key as often as it was added, also when it is asked in between', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('', 'a', 'b', 'c')), fc.nat(20), (keys, askedAt) => {
      const tally = new Tally();
      keys.forEach((key, index) => {
        if (index === askedAt) tally.entries();
        tally.add(key);
      });
      const expected = new Map([...Map.groupBy(keys, (key) => key)].map(([key, own]) => [key, own.length]));
      expect(new Map(tally.entries())).toEqual(expected);
      expect(tally.total).toBe(keys.length);
    }),
  );
});
