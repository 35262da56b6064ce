import type { Finding, RuleId, Severity } from '../../contract/index.ts';
import { evidenceOf } from '../findings/evidence.ts';
import type { ParameterValues } from './parameters.ts';
import { PER_LANE, type Rule, type RuleContext } from './rule.ts';

/** A rule that judges an event by what is usual at the moment, which its rows can't tell later. */
export interface Judgement {
  id: RuleId;
  parameters: ParameterValues;
  /** How severe this event is; null when the rule does not hold. */
  judge(context: RuleContext): Severity | null;
  /** The facts that prove it. */
  testify(context: RuleContext): Finding['facts'];
  /** Of rules with more than one finding on a lane. */
  dedupe?(context: RuleContext): readonly string[];
}

/** Makes a rule of a judgement: the facts of the occurrence that told most are kept with its row, and the finding reads as they say. */
export function byEvidence({ id, parameters, judge, testify, dedupe }: Judgement): Rule {
  return {
    id,
    parameters,
    dependsOn: 'rows',
    evaluate(context) {
      const severity = judge(context);
      if (severity === null) return null;
      context.severity = severity;
      return dedupe === undefined ? PER_LANE : dedupe(context);
    },
    testify,
    describe(_lane, finding) {
      const { severity, facts } = evidenceOf(finding.evidence);
      return { severity, facts };
    },
  };
}
