import { parametersOf, type ParameterValues } from '../rules/parameters.ts';
import { DAY_MS, type KeySweep } from './sweep.ts';

/** R20: the secret is older than the policy allows; medium when rotation is overdue, high when it is long-lived. Each once for a secret. */
export function rotationOverdue(overrides?: ParameterValues): KeySweep {
  const parameters = parametersOf('R20', overrides);
  const ages = [
    { days: Number(parameters['age_days']), severity: 'medium' },
    { days: Number(parameters['long_lived_days']), severity: 'high' },
  ] as const;
  return {
    id: 'R20',
    parameters,
    decide({ record }, nowMs) {
      const createdMs = Date.parse(record.created_at);
      const reached = ages.filter(({ days }) => nowMs >= createdMs + days * DAY_MS).at(-1);
      if (reached === undefined) return [];
      return [
        {
          dedupe: [record.created_at, String(reached.days)],
          severity: reached.severity,
          facts: { age_days: reached.days, created_at: record.created_at },
          sinceMs: createdMs + reached.days * DAY_MS,
        },
      ];
    },
  };
}
