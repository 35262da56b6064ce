import type { Finding, LedgerRow, RuleId, Severity } from '../../contract/index.ts';
import type { Credential } from '../classify/registry-view.ts';
import type { LaneSights } from '../lane-state/lane-sights.ts';
import type { FindingTally } from '../ledger/ledger.ts';
import type { ParameterValues } from './parameters.ts';

/** What a rule sees of one event. One object serves all events: rules read it and keep nothing. */
export interface RuleContext {
  /** The classified event. */
  row: LedgerRow;
  /** Its lane, the event included. */
  lane: LaneSights;
  /** The registered key that matched, if one did. */
  credential: Credential | null;
  /** Whether the event's user names somebody who, for all that is known, was not seen on the lane within the window of it. */
  personJoined: boolean;
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
  describe(lane: LaneSights, finding: FindingTally): RuleVerdict;
}

/** Dedupe values of rules whose finding is one per lane. */
export const PER_LANE: readonly string[] = [];
