import { APART_MS_MAX } from './same-request.ts';

/** Rows seen within this long are read in one go, at most; what lies around is read twice. */
const PIECE_MS_MAX = 3_600_000;

/** From when to when rows are to be looked at, given the beginnings of units of APART_MS_MAX in which there are some, in order. */
export function piecesOf(unitsMs: readonly number[]): [firstMs: number, lastMs: number][] {
  const pieces: [firstMs: number, lastMs: number][] = [];
  for (const unitMs of unitsMs) {
    const endMs = unitMs + APART_MS_MAX;
    const latest = pieces.at(-1);
    // Units next to each other, or with one between that is read for both anyway.
    if (latest !== undefined && unitMs - latest[1] <= APART_MS_MAX && endMs - latest[0] <= PIECE_MS_MAX)
      latest[1] = endMs;
    else pieces.push([unitMs, endMs]);
  }
  return pieces;
}
