import { SEVERITIES, type Severity } from '../../contract/index.ts';
import { rankOf } from '../findings/evidence.ts';
import type { RaisedFinding } from './rule.ts';
import type { LaneSights } from '../lane-state/lane-sights.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/**
 * R29: different rules hold on one lane within a day. One level above the highest of them, or as high where only a hint tells the key, which can
 * be made up; an occurrence is an event that adds one.
 */
export function severalRules(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R29', overrides);
  const rulesMin = Number(parameters['rules']);
  const windowMs = Number(parameters['window_ms']);

  /** Rules of medium and above that hold within the window, and the highest severity. */
  function heldOn(lane: LaneSights, findings: readonly RaisedFinding[], atMs: number) {
    const rules = new Set<string>();
    let highest = 0;
    for (const finding of findings) {
      if (finding.rule.id === 'R29' || Math.abs(atMs - finding.last_seen) >= windowMs) continue;
      const rank = rankOf(finding.rule.describe(lane, finding).severity);
      if (rank < rankOf('medium')) continue;
      rules.add(finding.rule.id);
      highest = Math.max(highest, rank);
    }
    return { rules: [...rules].sort(), highest };
  }

  return byEvidence({
    id: 'R29',
    parameters,
    judge({ row, lane, credential, findings, raised }): Severity | null {
      if (!raised || findings.length < rulesMin) return null;
      const { rules, highest } = heldOn(lane, findings, row.seen_at);
      if (rules.length < rulesMin) return null;
      const mayBeMadeUp = lane.fingerprint === '' && credential === null;
      return SEVERITIES[Math.min(mayBeMadeUp ? highest : highest + 1, SEVERITIES.length - 1)]!;
    },
    testify({ row, lane, findings }) {
      const { rules } = heldOn(lane, findings, row.seen_at);
      return { rules, rule_count: rules.length };
    },
  });
}
