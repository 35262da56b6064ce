import { expect, test } from 'vitest';
import { piecesOf } from './pieces.ts';
import { APART_MS_MAX } from './same-request.ts';

test.each<[string, number[], [number, number][]]>([
  ['nothing is stored', [], []],
  ['units next to each other, or one apart, are read together', [0, 1, 3], [[0, 4]]],
  [
    'a report that comes a day late has no day read for it',
    [0, 144],
    [
      [0, 1],
      [144, 145],
    ],
  ],
  [
    'no more than an hour is read in one go',
    [0, 1, 2, 3, 4, 5, 6, 7],
    [
      [0, 6],
      [6, 8],
    ],
  ],
])('%s', (_what, units, pieces) => {
  const inMs = pieces.map(([first, last]) => [first * APART_MS_MAX, last * APART_MS_MAX]);
  expect(piecesOf(units.map((unit) => unit * APART_MS_MAX))).toEqual(inMs);
});
