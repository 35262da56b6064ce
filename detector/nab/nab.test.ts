import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DETECTORS } from './detectors.ts';
import {
  bestResult,
  PROFILES,
  probationRows,
  resultsByThreshold,
  scaledSigmoid,
  type ScoredSeries,
} from './scoring.ts';
import { readSeries, seriesOf } from './series.ts';

const [standard, lowFp, lowFn] = PROFILES as [(typeof PROFILES)[0], (typeof PROFILES)[0], (typeof PROFILES)[0]];
const ROWS = 100;
const WINDOW = { first: 40, last: 49 };

/** A file whose detections are these rows. */
function file(detections: readonly number[], windows = [WINDOW]): ScoredSeries {
  return { windows, scores: Array.from({ length: ROWS }, (_unused, row) => (detections.includes(row) ? 1 : 0)) };
}

/** The score with the threshold between the detections and the rest. */
function scoreAt(series: ScoredSeries[], profile = standard): number {
  return resultsByThreshold(series, profile).find(({ threshold }) => threshold === 1)?.score ?? 0;
}

test.each(PROFILES)('$name: silence scores 0, each window found at its beginning and nothing else 100', (profile) => {
  const windows = [WINDOW, { first: 70, last: 75 }];
  expect(bestResult([file([], windows)], profile)).toEqual({ score: 0, threshold: Infinity });
  expect(scoreAt([file([40, 70], windows), file([], [])], profile)).toBeCloseTo(100, 10);
});

test('positions are weighed as computed by hand', () => {
  // 2 / (1 + e^-2.5) - 1, of e^-2.5 = 0.0820850
  expect(scaledSigmoid(-0.5)).toBeCloseTo(0.848284, 6);
  // Row 45 is half a window from its end; the earliest detection is worth 0.848284 / 0.986614 = 0.859793 of a window.
  expect(scoreAt([file([45, 47])])).toBeCloseTo((100 * (0.859793 + 1)) / 2, 3);
  // A fault far from any window costs 0.11 of the 2 between silence and perfection.
  expect(scoreAt([file([40, 20])])).toBeCloseTo(100 - (100 * 0.11) / 2, 6);
  expect(scoreAt([file([40, 20])], lowFp)).toBeCloseTo(100 - (100 * 0.22) / 2, 6);
  // Nine rows behind the window are a width of it: 2 / (1 + e^5) - 1 = -0.986614.
  expect(scoreAt([file([40, 58])])).toBeCloseTo(100 - (100 * 0.11 * 0.986614) / 2, 4);
  expect(scoreAt([file([40, 77])])).toBeCloseTo(100 - (100 * 0.11) / 2, 6);
  // One of two windows missed: with misses at 2, -2 of a range of 3 each.
  expect(scoreAt([file([40], [WINDOW, { first: 70, last: 75 }])], lowFn)).toBeCloseTo(50, 6);
});

test('the first 15 % of a file count neither way, of a long one 750 rows', () => {
  expect([probationRows(100), probationRows(4_032), probationRows(22_695)]).toEqual([15, 604, 750]);
  expect(scoreAt([file([14, 40])])).toBeCloseTo(100, 10);
  expect(scoreAt([file([15, 40])])).toBeLessThan(100);
});

test('one threshold serves all files', () => {
  const quiet = { windows: [WINDOW], scores: file([40]).scores.map((score) => score * 5) };
  const loud = {
    windows: [WINDOW],
    scores: file([]).scores.map((_score, row) => (row === 40 ? 9 : row % 2 === 0 ? 6 : 0)),
  };
  expect(bestResult([quiet], standard)).toEqual({ score: expect.closeTo(100, 8), threshold: 5 });
  expect(bestResult([loud, quiet], standard)).toEqual({ score: expect.closeTo(50, 8), threshold: 9 });
});

test('an earlier detection never scores less', () => {
  const row = fc.integer({ min: 15, max: ROWS - 1 });
  fc.assert(
    fc.property(
      fc.uniqueArray(row, { maxLength: 8 }),
      fc.integer({ min: 41, max: 49 }),
      fc.constantFrom(...PROFILES),
      (others, at, profile) => {
        const outside = others.filter((other) => other < WINDOW.first || other > WINDOW.last);
        const late = scoreAt([file([...outside, at])], profile);
        expect(scoreAt([file([...outside, at - 1])], profile)).toBeGreaterThanOrEqual(late);
        expect(scoreAt([file([...outside, at - 1, at])], profile)).toBeGreaterThanOrEqual(late);
      },
    ),
  );
});

test.each(DETECTORS)(
  '$name: an hour of ten times the usual stands out, and what comes later changes nothing before',
  ({ scoresOf }) => {
    const fiveMinutes = Array.from({ length: 14 * 288 }, (_unused, index) => Date.UTC(2014, 1, 14) + index * 300_000);
    const values = fiveMinutes.map((_at, index) => 50 + (index % 7) + (index >= 3_000 && index < 3_012 ? 500 : 0));
    const scores = scoresOf(fiveMinutes, values);
    const highest = scores.indexOf(Math.max(...scores.slice(probationRows(scores.length))));
    expect(highest).toBe(3_011);
    const other = values.map((value, index) => (index < 3_000 ? value : 0));
    expect(scoresOf(fiveMinutes, other).slice(0, 3_000)).toEqual(scores.slice(0, 3_000));
    const windows = [{ first: 2_990, last: 3_020 }];
    expect(bestResult([{ scores, windows }], standard).score).toBeGreaterThan(80);
  },
);

test('the benchmark is read as its repository is laid out, and what is wrong is named by file and line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lanewatch-nab-'));
  try {
    await mkdir(join(folder, 'data', 'real'), { recursive: true });
    await mkdir(join(folder, 'labels'));
    const labels = { 'real/a.csv': [['2014-02-14 14:05:00.000000', '2014-02-14 14:10:00.000000']] };
    await writeFile(join(folder, 'labels', 'combined_windows.json'), JSON.stringify(labels));
    await expect(readSeries(folder)).rejects.toThrow('has no real/a.csv');
    const text = 'timestamp,value\n2014-02-14 14:00:00,1\n2014-02-14 14:05:00,2.5\r\n2014-02-14 14:10:00,-3\n';
    await writeFile(join(folder, 'data', 'real', 'a.csv'), text);
    const [only] = await readSeries(folder);
    expect(only).toMatchObject({ name: 'real/a.csv', values: [1, 2.5, -3], windows: [{ first: 1, last: 2 }] });
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(() => seriesOf('a.csv', 'timestamp,value\n2014-02-14 14:00:00,\n', [])).toThrow(
    'a.csv, line 2: "" is no number',
  );
  expect(() => seriesOf('a.csv', 'timestamp,value\nyesterday,1\n', [])).toThrow(
    'a.csv, line 2: "yesterday" is no time',
  );
});
