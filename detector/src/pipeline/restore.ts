import { isDeepStrictEqual } from 'node:util';
import { restoredFinding, toFinding, type RaisedFinding } from '../findings/finding-states.ts';
import { newLane, type LaneStates } from '../lane-state/lane-states.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rule } from '../rules/rule.ts';
import type { DedupeWindow } from './dedupe-window.ts';

export interface RestoreOptions {
  ledger: Ledger;
  partitions: number[];
  nowMs: number;
  dedupe: DedupeWindow;
  dedupeWindowMs: number;
  dedupeIdsMax: number;
  lanes: LaneStates | null;
  rules: Rule[];
  laneHistoryMs: number;
  lanesMax: number;
  valuesPerLane: number;
  /** Breaks it off: the assignment has ended. */
  signal: AbortSignal;
}

/**
 * Rebuilds, from the ledger alone, everything the detector knew of these partitions at its last stored batch.
 * @returns findings to write again: a crash between the ledger's insert and the findings' write leaves them behind
 */
export async function restoreState(options: RestoreOptions): Promise<RaisedFinding[]> {
  const { ledger, partitions, nowMs, dedupe, lanes, signal } = options;
  await ledger.restoreHashes(
    partitions,
    nowMs - options.dedupeWindowMs,
    options.dedupeIdsMax,
    (low, high, storedAtMs) => {
      dedupe.add(low, high, storedAtMs);
    },
    signal,
  );
  if (lanes === null) return [];
  const sinceMs = nowMs - options.laneHistoryMs;
  await ledger.restoreLanes(partitions, sinceMs, options.lanesMax, (lane) => lanes.restoreLane(lane), signal);
  await ledger.restoreValues(
    partitions,
    sinceMs,
    options.valuesPerLane,
    (value) => lanes.restoreLaneValue(value),
    signal,
  );
  const restored: RaisedFinding[] = [];
  await ledger.restoreFindings(
    partitions,
    sinceMs,
    (tally) => {
      const rule = options.rules.find(({ id }) => tally.id.startsWith(`${id}-`));
      if (rule === undefined) return;
      const state = restoredFinding(tally, rule);
      const held = lanes.get(tally.lane);
      held?.findings.push(state);
      // One of a lane beyond the bound is only looked at: whether the table has all its occurrences.
      const lane = held ?? newLane({ lane: tally.lane, fingerprint: '', kafka_partition: partitions[0]! });
      restored.push({ state, lane });
    },
    signal,
  );
  return laggingOf(restored, options);
}

const FINDINGS_PER_READ = 1_000;

async function laggingOf(
  restored: RaisedFinding[],
  { ledger, lanes, signal }: RestoreOptions,
): Promise<RaisedFinding[]> {
  const lagging: RaisedFinding[] = [];
  for (let start = 0; start < restored.length; start += FINDINGS_PER_READ) {
    signal.throwIfAborted();
    const slice = restored.slice(start, start + FINDINGS_PER_READ);
    const stored = new Map((await ledger.readFindings(slice.map(({ state }) => state.id))).map((row) => [row.id, row]));
    for (const { state, lane } of slice) {
      const held = stored.get(state.id);
      const due = toFinding(state, lane);
      const isDue =
        lanes?.get(lane.lane) === undefined ? held?.occurrences !== due.occurrences : !isDeepStrictEqual(held, due);
      if (isDue) lagging.push({ state, lane });
      else if (state.rule.dependsOn === 'sights') state.written = JSON.stringify(due);
    }
  }
  return lagging;
}
