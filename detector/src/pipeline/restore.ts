import { isDeepStrictEqual } from 'node:util';
import type { Finding } from '../../contract/index.ts';
import { evidenceOf } from '../findings/evidence.ts';
import { restoredFinding, toFinding, type FindingState } from '../findings/finding-states.ts';
import { FLOOD_HISTORY_MS, type FloodGuard } from '../findings/flood-guard.ts';
import { newLane, type LaneState, type LaneStates } from '../lane-state/lane-states.ts';
import { LANE_DIMENSIONS, type Ledger } from '../ledger/ledger.ts';
import type { Rule } from '../rules/rule.ts';
import { ADDRESS_HISTORY_MS, WORK_HISTORY_MS, type Crowd } from '../lane-state/crowd.ts';
import type { DedupeWindow } from './dedupe-window.ts';

/** A finding that was raised, with its lane. */
export interface RaisedFinding {
  state: FindingState;
  lane: LaneState;
}

export interface RestoreOptions {
  ledger: Ledger;
  partitions: number[];
  /** How many the topic has. */
  partitionCount: number;
  nowMs: number;
  dedupe: DedupeWindow;
  dedupeWindowMs: number;
  dedupeIdsMax: number;
  lanes: LaneStates | null;
  rules: Rule[];
  /** Null where lanes are. */
  crowd: Crowd | null;
  flood: FloodGuard;
  laneHistoryMs: number;
  lanesMax: number;
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
    options.partitionCount,
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

  await ledger.restoreAddresses(partitions, nowMs - ADDRESS_HISTORY_MS, options.crowd!.restoreAddress, signal);
  await ledger.restoreWork(partitions, nowMs - WORK_HISTORY_MS, options.crowd!.restoreWork, signal);
  await ledger.restoreRaisings(partitions, nowMs - FLOOD_HISTORY_MS, (row) => options.flood.restore(row), signal);
  await ledger.restoreProfiles(partitions, sinceMs, (row) => lanes.restoreProfile(row), signal);

  const held: RaisedFinding[] = [];
  const beyond: RaisedFinding[] = [];
  await ledger.restoreFindings(
    partitions,
    sinceMs,
    (tally) => {
      const rule = options.rules.find(({ id }) => tally.id.startsWith(`${id}-`));
      // Nor is what counts the too many of several lanes a finding of one of them.
      if (rule === undefined || evidenceOf(tally.evidence).facts['grouped'] === true) return;
      const state = restoredFinding(tally, rule);
      const lane = lanes.get(tally.lane);
      lane?.findings.push(state);
      if (lane === undefined) beyond.push({ state, lane: laneBeyondBound(tally.lane, partitions[0]!) });
      else held.push({ state, lane });
    },
    signal,
  );
  // Of lanes beyond the bound it is only looked at whether the table has all their occurrences.
  const behind = await selectByStored(
    beyond,
    options,
    ({ state }, stored) => stored?.occurrences !== state.occurrences,
  );
  const lanesBehind = new Map<string, LaneState[]>();
  for (const { lane } of behind) lanesBehind.set(lane.lane, [...(lanesBehind.get(lane.lane) ?? []), lane]);

  for (const dimension of LANE_DIMENSIONS)
    await ledger.restoreValues(
      partitions,
      sinceMs,
      { dimension, limit: lanes.valuesToRestore(dimension), windowMs: lanes.windowMs },
      (value) => {
        lanes.restoreLaneValue(value);
        for (const lane of lanesBehind.get(value.lane) ?? []) lanes.restoreLaneValue(value, lane);
      },
      signal,
    );
  const different = await selectByStored(held, options, ({ state, lane }, stored) => {
    const due = toFinding(state, lane);
    if (!isDeepStrictEqual(stored, due)) return true;
    if (state.rule.dependsOn === 'lane') state.written = JSON.stringify(due);
    return false;
  });
  return [...different, ...behind];
}

/** A lane that is not held, as far as its name tells it; see `laneOf`. */
function laneBeyondBound(lane: string, kafka_partition: number): LaneState {
  return newLane({ lane, fingerprint: lane.startsWith('hint_') ? '' : lane, kafka_partition });
}

const FINDINGS_PER_READ = 1_000;

/** Those of which this holds beside what the findings table has. */
async function selectByStored(
  findings: RaisedFinding[],
  { ledger, signal }: RestoreOptions,
  isWanted: (finding: RaisedFinding, stored: Finding | undefined) => boolean,
): Promise<RaisedFinding[]> {
  const wanted: RaisedFinding[] = [];
  for (let start = 0; start < findings.length; start += FINDINGS_PER_READ) {
    signal.throwIfAborted();
    const slice = findings.slice(start, start + FINDINGS_PER_READ);
    const stored = new Map((await ledger.readFindings(slice.map(({ state }) => state.id))).map((row) => [row.id, row]));
    wanted.push(...slice.filter((finding) => isWanted(finding, stored.get(finding.state.id))));
  }
  return wanted;
}
