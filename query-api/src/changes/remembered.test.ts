import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rememberEvents } from './remembered.ts';

test('whoever was cut off is told exactly what came after, or that some of it is not known any more', () => {
  fc.assert(
    fc.property(fc.nat(30), fc.integer({ min: 1, max: 10 }), fc.nat(30), (told, kept, heard) => {
      const remembered = rememberEvents(kept);
      const all = Array.from({ length: told }, (_, index) => remembered.add('finding', { index }, index));
      const last = all[heard];
      if (last === undefined) return;
      const missed = told - heard - 1;
      expect(remembered.after(last.id)).toEqual(missed > kept ? null : all.slice(heard + 1));
    }),
  );
});

test('an id of another process, or one that is none, is not known', () => {
  const remembered = rememberEvents(3);
  remembered.add('triage', {}, 1);
  expect([rememberEvents(3).add('triage', {}, 1).id, 'x', '', 'a-b-c'].map((id) => remembered.after(id))).toEqual(
    Array(4).fill(null),
  );
});
