import { parametersOf, type ParameterValues } from '../rules/parameters.ts';
import { DAY_MS, type KeySweep } from './sweep.ts';

/** R18: nobody used the key for months; one that was never used counts from its making. A use ends it, the next pause is another finding. */
export function idle(overrides?: ParameterValues): KeySweep {
  const parameters = parametersOf('R18', overrides);
  const idleDays = Number(parameters['idle_days']);
  return {
    id: 'R18',
    parameters,
    decide({ record, lastUseMs }, nowMs) {
      const since = lastUseMs ?? Date.parse(record.created_at);
      const holdsFrom = since + idleDays * DAY_MS;
      if (nowMs < holdsFrom) return [];
      const facts = lastUseMs === null ? { never_used: true } : { last_used_at: new Date(lastUseMs).toISOString() };
      return [
        {
          dedupe: [String(since), String(idleDays)],
          severity: 'low',
          facts: { idle_days: idleDays, ...facts },
          sinceMs: holdsFrom,
        },
      ];
    },
  };
}
