import type { AddressUse } from '../lane-state/crowd.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/**
 * R25: an address that nobody is known behind uses several keys, or keys of several organisations, within the window. One finding an address and
 * key: rows of one key are told by one detector at a time, those of one address are not. Keys of which only a hint is told count less: whoever
 * may send events can make them up.
 */
export function manyKeys(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R25', overrides);
  const keysMin = Number(parameters['keys']);
  const orgsMin = Number(parameters['orgs']);
  const windowMs = Number(parameters['window_ms']);

  function within(uses: ReadonlyMap<string, AddressUse>, atMs: number) {
    const lanes = new Set<string>();
    const orgs = new Set<string>();
    for (const { lane, org, lastMs } of uses.values()) {
      if (Math.abs(atMs - lastMs) >= windowMs) continue;
      lanes.add(lane);
      if (org !== '') orgs.add(org);
    }
    return { keys: lanes.size, orgs: orgs.size };
  }

  return byEvidence({
    id: 'R25',
    parameters,
    judge({ row, lane, credential, crowd: { uses } }) {
      if (uses === null || uses.size < Math.min(keysMin, orgsMin)) return null;
      const { keys, orgs } = within(uses, row.seen_at);
      if (keys < keysMin && orgs < orgsMin) return null;
      return lane.fingerprint === '' && credential === null ? 'medium' : 'high';
    },
    dedupe: ({ row }) => [row.ip],
    testify: ({ row, crowd: { uses } }) => ({ endpoint: row.ip, ...within(uses!, row.seen_at) }),
  });
}
