import type { BacktestResult, Finding, LedgerRow } from '../../contract/index.ts';
import type { Credential } from '../classify/registry-view.ts';
import { findHeld, newFinding, occur, toFinding, type FindingState } from '../findings/finding-states.ts';
import { createCrowd } from '../lane-state/crowd.ts';
import { newLane, type LaneState, type LaneStates } from '../lane-state/lane-states.ts';
import type { Rule, RuleContext } from '../rules/rule.ts';
import { createComparison } from './comparison.ts';

export interface TrialOptions {
  /** What is remembered of lanes; null for rules that do not go by it. */
  lanes: LaneStates | null;
  /** The rule with the settings that are tried, and with those that it has. */
  tried: Rule;
  present: Rule;
  /** Rules whose findings the rule looks at, as they are. */
  others: readonly Rule[];
  credentialOf(row: LedgerRow): Credential | null;
  /** Findings without an occurrence since do not count, epoch milliseconds. */
  fromMs: number;
  /** Whether the rows of a lane come together: it is done with when the next one begins. */
  isLaneByLane: boolean;
}

/** A rule with two settings, held against the same events in their order. */
export interface Trial {
  take(row: LedgerRow): void;
  finish(): BacktestResult;
}

/** Findings held at a time where rows of all lanes come mixed; a rule that finds more is not one to be set so. */
const FINDINGS_MAX = 200_000;

/** A lane that is looked at, with the findings of each side on it. */
interface LaneOfTrial {
  lane: LaneState;
  tried: FindingState[];
  present: FindingState[];
}

/** The detector's own lane state and rules, over rows that are stored. Memory follows from the lanes and findings that are open at a time. */
export function createTrial(options: TrialOptions): Trial {
  const { lanes, others, fromMs } = options;
  const crowd = createCrowd();
  const context = { crowd } as { -readonly [Key in keyof RuleContext]: RuleContext[Key] };
  const open = new Map<string, LaneOfTrial>();
  const comparison = createComparison();
  let held = 0;
  let latest: LaneOfTrial | null = null;

  function openOf(row: LedgerRow): LaneOfTrial {
    const observed = lanes?.observe(row);
    if (latest?.lane.lane === row.lane) return latest;
    if (options.isLaneByLane && latest !== null) close(latest);
    let own = open.get(row.lane);
    if (own === undefined) open.set(row.lane, (own = { lane: observed ?? newLane(row), tried: [], present: [] }));
    else if (observed !== undefined) own.lane = observed;
    latest = own;
    return own;
  }

  function hold(lane: LaneState, rule: Rule, findings: FindingState[]): void {
    const dedupe = rule.evaluate(context);
    if (dedupe === null) return;
    let state = findHeld({ lane: lane.lane, findings }, rule, dedupe);
    if (state === undefined) {
      if (++held > FINDINGS_MAX) throw new Error(`it finds more than ${FINDINGS_MAX} at a time`);
      state = newFinding(lane, rule, dedupe);
      findings.push(state);
      context.raised = true;
    }
    occur(state, context);
  }

  /** Counts what was found on a lane and forgets it. */
  function close(own: LaneOfTrial): void {
    open.delete(own.lane.lane);
    held -= own.tried.length + own.present.length + own.lane.findings.length;
    comparison.add(findingsOf(own.tried, own.lane), findingsOf(own.present, own.lane));
  }

  function findingsOf(states: readonly FindingState[], lane: LaneState): Finding[] {
    return states.filter(({ last_seen }) => last_seen >= fromMs).map((state) => toFinding(state, lane));
  }

  return {
    take(row) {
      const own = openOf(row);
      const { lane } = own;
      // One lane after the other, there is nothing to see across them.
      if (!options.isLaneByLane) crowd.observe(row);
      context.row = row;
      context.lane = lane;
      context.credential = row.credential_id === '' ? null : options.credentialOf(row);
      if (lanes !== null) {
        context.personJoined = lanes.personJoined;
        context.sight = lanes.sight;
      }
      context.findings = lane.findings;
      context.raised = false;
      for (const rule of others) hold(lane, rule, lane.findings);
      // What one side raises is none of the other's business.
      const { raised } = context;
      hold(lane, options.tried, own.tried);
      context.raised = raised;
      hold(lane, options.present, own.present);
    },
    finish() {
      for (const own of [...open.values()]) close(own);
      latest = null;
      return comparison.result();
    },
  };
}
