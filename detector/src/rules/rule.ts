import type { Finding, LedgerRow, RuleId, Severity } from '../../contract/index.ts';
import type { Credential } from '../classify/registry-view.ts';
import type { Crowd } from '../lane-state/crowd.ts';
import type { LaneSights } from '../lane-state/lane-sights.ts';
import type { Sight } from '../lane-state/profile.ts';
import type { FindingTally } from '../ledger/ledger.ts';
import type { ParameterValues } from './parameters.ts';

/** What a rule sees of one event. One object serves all events: rules read it and keep nothing. */
export interface RuleContext {
  /** The classified event. */
  readonly row: LedgerRow;
  /** Its lane, the event included. */
  readonly lane: LaneSights;
  /** The registered key that matched, if one did. */
  readonly credential: Credential | null;
  /** Whether the event's user names somebody who, for all that is known, was not seen on the lane within the window of it. */
  readonly personJoined: boolean;
  /** What the event was in the light of what is usual on its lane. */
  readonly sight: Sight;
  /** What goes on across lanes, the event included. */
  readonly crowd: Crowd;
  /** The findings of the lane, those raised by this event included. */
  readonly findings: readonly RaisedFinding[];
  /** Whether this event raised one of them. */
  readonly raised: boolean;
  /** Set by rules that judge by the moment: how severe this occurrence is. */
  severity: Severity;
}

/** A finding of the lane, as rules see the others' work. */
export interface RaisedFinding extends FindingTally {
  rule: Rule;
}

/** How a finding reads: derived from its rows and its lane alone, so that it comes out the same after a restart. */
export interface RuleVerdict {
  severity: Severity;
  facts: Finding['facts'];
}

/**
 * One rule. `evaluate` decides on every event and must cost next to nothing when the rule does not hold; `describe` runs only
 * when a finding may have changed.
 */
export interface Rule {
  id: RuleId;
  /** Parameters in force, stored with every finding. */
  parameters: ParameterValues;
  /** What `describe` goes by, so that a finding is described again when that changes: its own rows, or also its lane. */
  dependsOn: 'rows' | 'lane';
  /** The window that it counts people in, if it does: lanes tell their stays apart by it. */
  windowMs?: number;
  /** The dedupe values of the finding this event is an occurrence of, or null when the rule does not hold. */
  evaluate(context: RuleContext): readonly string[] | null;
  /** Of rules whose facts are those of the moment: what this occurrence proves. Kept with its row. */
  testify?(context: RuleContext): Finding['facts'];
  describe(lane: LaneSights, finding: FindingTally): RuleVerdict;
}

/** Dedupe values of rules whose finding is one per lane. */
export const PER_LANE: readonly string[] = [];
