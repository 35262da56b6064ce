import type { Finding, LedgerRow, Severity } from '../../contract/index.ts';
import type { Credential } from '../classify/registry-view.ts';
import { evidenceOnRow } from '../findings/evidence.ts';
import {
  addOccurrence,
  findHeld,
  newFinding,
  noteEarlier,
  occur,
  toFinding,
  type FindingState,
} from '../findings/finding-states.ts';
import { createFloodGuard, type FloodGuard } from '../findings/flood-guard.ts';
import { createCrowd, type Crowd } from '../lane-state/crowd.ts';
import type { LaneState, LaneStates } from '../lane-state/lane-states.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rule, RuleContext } from '../rules/rule.ts';

/** A finding to write, as it stood when its batch was closed. */
export interface FindingChange {
  snapshot: FindingState;
  lane: LaneState;
  /** Whether it came into being in this batch: the ledger may know more of it than this process. */
  raised: boolean;
  finding: Finding;
}

/** Lane state and rules: which findings an event is an occurrence of, and which of them are to be written. */
export interface Detection {
  /** What goes on across lanes. */
  readonly crowd: Crowd;
  /** What keeps findings from burying others. */
  readonly flood: FloodGuard;
  /** Takes a classified event in and fills the row's findings. */
  observe(row: LedgerRow, credential: Credential | null): void;
  /** Has a finding written with the next batch, if it is not as it was written last. */
  noteChanged(state: FindingState, lane: LaneState): void;
  readonly hasChanges: boolean;
  /** The findings to write since the last call, as they stand now. */
  takeChanges(): FindingChange[];
  clear(): void;
}

export function createDetection(
  lanes: LaneStates,
  rules: readonly Rule[],
  flood: FloodGuard = createFloodGuard(),
): Detection {
  for (const { id, windowMs } of rules)
    if (windowMs !== undefined && windowMs !== lanes.windowMs)
      throw new Error(
        `${id} counts people in ${windowMs} ms, the lanes tell their stays apart by ${lanes.windowMs} ms`,
      );
  let changes = new Map<string, { state: FindingState; lane: LaneState; raised: boolean }>();
  const crowd = createCrowd();
  const context = {} as { -readonly [Key in keyof RuleContext]: RuleContext[Key] };

  function noteChanged(state: FindingState, lane: LaneState, raised = false): void {
    if (state.changed) return;
    state.changed = true;
    changes.set(state.id, { state, lane, raised });
  }

  /** The finding that the event is the first occurrence of, or null where there are too many of them. */
  function raise(lane: LaneState, rule: Rule, dedupe: readonly string[]): FindingState | null {
    const fresh = newFinding(lane, rule, dedupe);
    const { row, credential } = context;
    const key = credential !== null ? 'registered' : lane.fingerprint !== '' ? 'fingerprint' : 'hint';
    if (!flood.admit(row, { rule: rule.id, id: fresh.id, key, severity: severityOf(rule, fresh) })) return null;
    context.raised = true;
    // A lane that was forgotten and came back before its rows were stored goes on with what waits.
    const waiting = changes.get(fresh.id);
    if (waiting === undefined) noteChanged(fresh, lane, true);
    else waiting.lane = lane;
    const state = waiting?.state ?? fresh;
    lane.findings.push(state);
    return state;
  }

  /** How severe the observed event alone makes a finding. */
  function severityOf(rule: Rule, fresh: FindingState): Severity {
    if (rule.testify !== undefined) return context.severity;
    const alone = { ...fresh };
    addOccurrence(alone, context.row);
    return rule.describe(context.lane, alone).severity;
  }

  return {
    crowd,
    flood,
    observe(row, credential) {
      const lane = lanes.observe(row);
      crowd.observe(row);
      for (const finding of lane.findings) if (finding.rule.dependsOn === 'lane') noteChanged(finding, lane);
      context.row = row;
      context.lane = lane;
      context.credential = credential;
      context.personJoined = lanes.personJoined;
      context.sight = lanes.sight;
      context.crowd = crowd;
      context.findings = lane.findings;
      context.raised = false;
      for (const rule of rules) {
        const dedupe = rule.evaluate(context);
        if (dedupe === null) continue;
        const state = findHeld(lane, rule, dedupe) ?? raise(lane, rule, dedupe);
        if (state === null) continue;
        if (occur(state, context)) row.evidence = [...row.evidence, evidenceOnRow(state.id, state.evidence)];
        noteChanged(state, lane);
        row.findings = row.findings.length === 0 ? [state.id] : [...row.findings, state.id];
      }
    },
    noteChanged,
    get hasChanges() {
      return changes.size > 0;
    },
    takeChanges() {
      const taken: FindingChange[] = [];
      for (const { state, lane, raised } of changes.values()) {
        state.changed = false;
        const finding = toFinding(state, lane);
        if (state.rule.dependsOn === 'lane') {
          // Every event of the lane may have changed it and few do.
          const text = JSON.stringify(finding);
          if (text === state.written) continue;
          state.written = text;
        }
        taken.push({ snapshot: { ...state }, lane, raised, finding });
      }
      changes = new Map();
      return taken;
    },
    clear() {
      crowd.clear();
      flood.clear(1);
      changes = new Map();
    },
  };
}

/**
 * Lets findings that came into being here know of their rows from before: those of a lane that was not held, because it was idle
 * longer than lanes are restored for, or there were too many. Without them a finding would count from one again, and the table
 * would keep the old state until the new one overtook it. Call it when the batch's rows are stored and none behind them is.
 */
export async function countEarlierRows(changes: readonly FindingChange[], ledger: Ledger): Promise<void> {
  const raised = new Map(changes.filter((change) => change.raised).map(({ snapshot }) => [snapshot.id, snapshot]));
  if (raised.size > 0)
    await ledger.tallyKnownFindings([...raised.values()], (tally) => noteEarlier(raised.get(tally.id)!, tally));
  for (const change of changes)
    if (change.snapshot.earlier.tally !== null) change.finding = toFinding(change.snapshot, change.lane);
}
