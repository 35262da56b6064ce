import { hourOf } from '../lane-state/hours.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/** Hours in which a model was called before it is known how often that is. */
const HOURS_MIN = 3;

/** R17: one model is called far more often than in other hours of this lane. */
export function highRate(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R17', overrides);
  const calls = Number(parameters['calls']);
  const usualTimes = Number(parameters['usual_times']);

  return byEvidence({
    id: 'R17',
    parameters,
    judge({ row, sight: { rate } }) {
      if (rate === null || rate.calls < calls || rate.hours < HOURS_MIN) return null;
      return rate.hour === hourOf(row.seen_at) && rate.calls > usualTimes * rate.usual ? 'medium' : null;
    },
    dedupe: ({ row }) => [row.model],
    testify: ({ row, sight: { rate } }) => ({
      model: row.model,
      hour_calls: rate!.calls,
      usual_calls: Math.round(rate!.usual),
    }),
  });
}
