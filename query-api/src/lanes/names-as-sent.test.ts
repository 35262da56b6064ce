import { expect, test } from 'vitest';
import { canonicalSinceOf, namesAsSentUntil } from './names-as-sent.ts';

const SINCE = Date.parse('2026-11-28T00:00:00Z');

test.each([
  ['an installation of before, in a window that reaches back', SINCE, SINCE - 1, SINCE - 1, '2026-11-28T00:00:00.000Z'],
  ['a window that begins with canonical names', SINCE, SINCE, SINCE - 1, null],
  ['a lane that was first seen with canonical names', SINCE, SINCE - 1, SINCE, null],
  ['a ledger that is not migrated yet', null, SINCE - 1, SINCE - 1, null],
])('names are as they were sent: %s', (_, since, from, firstSeen, until) => {
  expect(namesAsSentUntil(since, from, firstSeen)).toBe(until);
});

test('an installation that began with canonical names has none as they were sent, even of events from before it', () => {
  expect(canonicalSinceOf(SINCE + 1_300, SINCE)).toBeNull();
  expect(canonicalSinceOf(SINCE + 86_400_000, SINCE)).toBe(SINCE + 86_400_000);
});
