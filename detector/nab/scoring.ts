/*
 * The scoring of the Numenta Anomaly Benchmark, as its publication describes it (Lavin and Ahmad 2015, arXiv:1510.03336): of each labelled window the
 * earliest detection counts, the more the earlier it is; a detection outside of windows costs, less right behind one; a missed window costs.
 */

/** What right and wrong answers weigh. */
export interface Profile {
  name: string;
  /** Of a window found at its very beginning. */
  truePositive: number;
  /** Of a detection far from any window. */
  falsePositive: number;
  /** Of a window that was missed. */
  falseNegative: number;
}

/** The benchmark's three. */
export const PROFILES: readonly Profile[] = [
  { name: 'standard', truePositive: 1, falsePositive: 0.11, falseNegative: 1 },
  { name: 'reward_low_FP_rate', truePositive: 1, falsePositive: 0.22, falseNegative: 1 },
  { name: 'reward_low_FN_rate', truePositive: 1, falsePositive: 0.11, falseNegative: 2 },
];

/** A labelled window: its first and last row, both included. */
export interface Window {
  first: number;
  last: number;
}

/** One file with a detector's opinion of each of its rows: the higher, the less usual. */
export interface ScoredSeries {
  scores: readonly number[];
  /** In order, without overlap. */
  windows: readonly Window[];
}

export interface Result {
  /** 0 is a detector that says nothing, 100 one that finds each window at its beginning and nothing else; below 0 is worse than silence. */
  score: number;
  /** Rows with this score and above are detections; Infinity when silence is best. */
  threshold: number;
}

const PROBATION_PART = 0.15;
const PROBATION_ROWS_MAX = 750;
/** So many widths behind a window a detection is as wrong as anywhere. */
const AFTERMATH_WIDTHS = 3;

/** How many rows at the beginning of a file are for learning: nothing counts there. */
export function probationRows(rows: number): number {
  return Math.min(Math.floor(PROBATION_PART * rows), PROBATION_ROWS_MAX);
}

/** @param position widths from the end of the window, negative before it; nearly 1 at its beginning, 0 at its end, nearly -1 a width behind it */
export function scaledSigmoid(position: number): number {
  return position >= AFTERMATH_WIDTHS ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

const BEST = scaledSigmoid(-1);

/** What a detection in a row is worth, before weights: to a window from 1 at its beginning down to nearly 0, or a fault from 0 to -1. */
interface Worth {
  worth: number;
  window: Window | null;
}

function worthOf(row: number, windows: readonly Window[]): Worth {
  let before: Window | null = null;
  for (const window of windows) {
    if (row < window.first) break;
    if (row <= window.last) {
      const width = window.last - window.first + 1;
      return { worth: scaledSigmoid((row - window.last - 1) / width) / BEST, window };
    }
    before = window;
  }
  if (before === null) return { worth: -1, window: null };
  const width = Math.max(1, before.last - before.first);
  return { worth: scaledSigmoid((row - before.last) / width), window: null };
}

/**
 * Scores a detector with the one threshold for all files that is best for it under this profile.
 * @throws RangeError when there is no window behind the probation of any file: nothing could be found
 */
export function bestResult(series: readonly ScoredSeries[], profile: Profile): Result {
  return resultsByThreshold(series, profile).reduce((best, result) => (result.score > best.score ? result : best));
}

/** The result at every threshold that makes a difference, from the highest (no detection) down. */
export function resultsByThreshold(series: readonly ScoredSeries[], profile: Profile): Result[] {
  const rows: (Worth & { score: number })[] = [];
  let windowCount = 0;
  for (const { scores, windows } of series) {
    const from = probationRows(scores.length);
    windowCount += windows.filter(({ last }) => last >= from).length;
    for (let row = from; row < scores.length; row++) rows.push({ score: scores[row]!, ...worthOf(row, windows) });
  }
  if (windowCount === 0) throw new RangeError('There is no labelled window behind the probation of any file.');
  rows.sort((left, right) => right.score - left.score);

  const silence = -profile.falseNegative * windowCount;
  const perfect = profile.truePositive * windowCount;
  const best = new Map<Window, number>();
  let raw = silence;
  const results: Result[] = [{ score: 0, threshold: Infinity }];
  for (const [index, { score, worth, window }] of rows.entries()) {
    if (window === null) raw += worth * profile.falsePositive;
    else {
      const held = best.get(window);
      // Of a window the earliest detection counts, which is the one worth most.
      if (held === undefined) raw += profile.falseNegative + worth * profile.truePositive;
      else if (worth > held) raw += (worth - held) * profile.truePositive;
      best.set(window, Math.max(worth, held ?? 0));
    }
    // Rows with the same score are detections together.
    if (rows[index + 1]?.score !== score)
      results.push({ score: (100 * (raw - silence)) / (perfect - silence), threshold: score });
  }
  return results;
}
