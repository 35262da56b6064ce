import { expect, test } from 'vitest';
import { startOffset } from './start-offset.ts';

test.each([
  [undefined, 10, null],
  [10, 10, null],
  [15, 15, null],
  [20, 20, null],
  [9, 10, /^t\/3 cannot resume from offset 9: records before it were removed unread \(it holds 10 to 20\)$/],
  [21, 10, /the topic ends before it and is read from its start/],
])('of offsets 10 to 20, a consumer that wants %s begins at %s', (wanted, expected, message) => {
  const faults: Error[] = [];
  expect(startOffset('t/3', wanted, { first: 10, end: 20 }, (fault) => faults.push(fault))).toBe(expected);
  if (message === null) expect(faults).toEqual([]);
  else expect(faults[0]!.message).toMatch(message);
});
