import { restoreFinding, toFinding, type FindingState } from '../findings/finding-states.ts';
import type { LaneState, LaneStates } from '../lane-state/lane-states.ts';
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
  valuesPerLane: number;
}

/** A finding whose stored state lags behind the ledger's rows and must be written again. */
export interface LaggingFinding {
  state: FindingState;
  lane: LaneState;
}

/**
 * Rebuilds, from the ledger alone, everything the detector knew of these partitions at its last stored batch.
 * @returns findings to write again: a crash between the ledger's insert and the findings' write leaves them behind
 */
export async function restoreState(options: RestoreOptions): Promise<LaggingFinding[]> {
  const { ledger, partitions, nowMs, dedupe, lanes } = options;
  await ledger.restoreHashes(
    partitions,
    nowMs - options.dedupeWindowMs,
    options.dedupeIdsMax,
    (low, high, storedAtMs) => {
      dedupe.add(low, high, storedAtMs);
    },
  );
  if (lanes === null) return [];
  const sinceMs = nowMs - options.laneHistoryMs;
  await ledger.restoreLanes(partitions, sinceMs, (totals) => lanes.restoreLane(totals));
  await ledger.restoreValues(partitions, sinceMs, options.valuesPerLane, (value) => lanes.restoreLaneValue(value));
  const restored: LaggingFinding[] = [];
  await ledger.restoreFindings(partitions, sinceMs, (tally) => {
    const lane = lanes.get(tally.lane);
    if (lane !== undefined) restored.push({ state: restoreFinding(lane, tally), lane });
  });
  return laggingOf(restored, options);
}

const IDS_PER_READ = 1_000;

async function laggingOf(restored: LaggingFinding[], { ledger, rules }: RestoreOptions): Promise<LaggingFinding[]> {
  const lagging: LaggingFinding[] = [];
  for (let start = 0; start < restored.length; start += IDS_PER_READ) {
    const slice = restored.slice(start, start + IDS_PER_READ);
    const stored = new Map((await ledger.readFindings(slice.map(({ state }) => state.id))).map((row) => [row.id, row]));
    for (const { state, lane } of slice) {
      const rule = rules.find(({ id }) => id === state.rule);
      if (rule === undefined) continue;
      const held = stored.get(state.id);
      const due = toFinding(state, lane, rule);
      if (held?.occurrences !== due.occurrences || held.severity !== due.severity) lagging.push({ state, lane });
    }
  }
  return lagging;
}
