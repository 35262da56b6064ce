import { parametersOf, type ParameterValues } from '../rules/parameters.ts';
import { DAY_MS, type Decision } from './sweep.ts';

/** What a provider bills of a key for a day, and what was observed of it. */
export interface Coverage {
  /** Beginning of the UTC day, epoch milliseconds. */
  dayMs: number;
  billedUsd: number;
  observedUsd: number;
}

export interface CoverageSweep {
  id: 'R28';
  parameters: ParameterValues;
  decide(coverage: Coverage): Decision[];
}

/** R28: the provider bills more than was observed, by so large a part and so much money. One finding a key and day. */
export function coverageGap(overrides?: ParameterValues): CoverageSweep {
  const parameters = parametersOf('R28', overrides);
  const gapPercent = Number(parameters['gap_percent']);
  const gapUsd = Number(parameters['gap_usd']);
  return {
    id: 'R28',
    parameters,
    decide({ dayMs, billedUsd, observedUsd }) {
      const gap = billedUsd - observedUsd;
      if (!(gap > gapUsd && gap > (billedUsd * gapPercent) / 100)) return [];
      const day = new Date(dayMs).toISOString().slice(0, 10);
      return [
        {
          dedupe: [day],
          severity: 'medium',
          facts: { day, billed_usd: billedUsd.toFixed(2), observed_usd: observedUsd.toFixed(2) },
          sinceMs: dayMs + DAY_MS,
        },
      ];
    },
  };
}
