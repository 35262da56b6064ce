import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/** R15: on the first day of a lane its models are listed, and one is called shortly after. Agents do that as well, so a known key is low. */
export function enumerateThenInvoke(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R15', overrides);
  const withinMs = Number(parameters['within_ms']);
  const firstDayMs = Number(parameters['first_day_ms']);

  return byEvidence({
    id: 'R15',
    parameters,
    judge({ row, lane: { profile }, sight }) {
      if (profile.listedMs === 0 || row.model === '' || !sight.isSuccess) return null;
      const afterMs = row.seen_at - profile.listedMs;
      if (afterMs < 0 || afterMs > withinMs || row.seen_at - profile.firstMs > firstDayMs) return null;
      return row.standing === 'known' ? 'low' : 'high';
    },
    testify: ({ row, lane: { profile } }) => ({
      minutes: Math.round((row.seen_at - profile.listedMs) / 60_000),
      model: row.model,
      ...(row.agent !== '' && { agent: row.agent }),
      ...(row.ip !== '' && { endpoint: row.ip }),
    }),
  });
}
