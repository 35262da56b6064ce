import { parametersOf, type ParameterValues } from '../rules/parameters.ts';
import { DAY_MS, numbersOf, type KeySweep } from './sweep.ts';

/** From so many days on there is little time left. */
const URGENT_DAYS = 7;

/**
 * R21: the key expires in so many days. A finding for each threshold, once: the nearest that is reached, none that lay before the key
 * was made.
 */
export function expiring(overrides?: ParameterValues): KeySweep {
  const parameters = parametersOf('R21', overrides);
  const thresholds = numbersOf(parameters['days']);
  return {
    id: 'R21',
    parameters,
    decide({ record }, nowMs) {
      if (record.expires_at === null) return [];
      const endMs = Date.parse(record.expires_at);
      const createdMs = Date.parse(record.created_at);
      const days = thresholds
        .filter((threshold) => nowMs >= endMs - threshold * DAY_MS && createdMs <= endMs - threshold * DAY_MS)
        .at(-1);
      if (days === undefined || nowMs >= endMs) return [];
      return [
        {
          dedupe: [record.expires_at, String(days)],
          severity: days <= URGENT_DAYS ? 'medium' : 'low',
          facts: { days_left: days, expires_at: record.expires_at },
          sinceMs: endMs - days * DAY_MS,
        },
      ];
    },
  };
}
