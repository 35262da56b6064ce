import type { Severity } from '../../contract/index.ts';
import { AT, type LaneProfile } from '../lane-state/profile.ts';
import { indexOf } from '../lane-state/value-table.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import { isWithinAllowed } from './r08-outside-networks.ts';
import type { Rule } from './rule.ts';
import { DAY_MS, isNamedNetwork } from './usual.ts';

/**
 * R06: one key is used from two places at once, one of which it was not used from before this day. Addresses of one network are one
 * place, and so are those that the key is bound to. A team's key is used in several places by design.
 */
export function concurrentUse(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R06', overrides);
  const windowMs = Number(parameters['window_ms']);

  return byEvidence({
    id: 'R06',
    parameters,
    judge({ row, lane: { profile }, credential, sight }) {
      const { place } = sight;
      if (place === null || row.seen_at - profile.firstMs < DAY_MS) return null;
      const networks = profile.tables[AT.network];
      if (networks == null || networks.values.length < 2) return null;
      // The place may have been new a few calls ago as well: all of this day is one story.
      const isNew = networks.sights[indexOf(networks, place.network) * 2]! > row.seen_at - DAY_MS;
      if (!isNew || atOnce(profile, 'network', row.seen_at, windowMs).length < 2) return null;
      if (credential?.record.sharing === 'team' || isWithinAllowed(credential, row.ip)) return null;
      const countries = atOnce(profile, 'country', row.seen_at, windowMs).length;
      const agents = atOnce(profile, 'agent', row.seen_at, windowMs).length;
      return tierOf(countries > 1, agents > 1, isNamedNetwork(place.network));
    },
    testify: ({ row, lane: { profile } }) => ({
      endpoints: atOnce(profile, 'endpoint', row.seen_at, windowMs),
      networks: atOnce(profile, 'network', row.seen_at, windowMs),
      countries: atOnce(profile, 'country', row.seen_at, windowMs),
      agents: atOnce(profile, 'agent', row.seen_at, windowMs),
    }),
  });
}

function tierOf(isAbroad: boolean, byAnotherAgent: boolean, isNamed: boolean): Severity {
  if (isAbroad) return byAnotherAgent ? 'high' : 'medium';
  return isNamed || byAnotherAgent ? 'medium' : 'low';
}

/** Values of a dimension seen within the window before an instant. */
function atOnce({ tables }: LaneProfile, dimension: keyof typeof AT, atMs: number, windowMs: number): string[] {
  const table = tables[AT[dimension]];
  if (table == null) return [];
  return table.values.filter((_, index) => table.sights[index * 2 + 1]! > atMs - windowMs);
}
