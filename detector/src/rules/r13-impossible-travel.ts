import { distanceKm, placeName } from '../networks/distance.ts';
import type { Places } from '../networks/places.ts';
import { AT } from '../lane-state/profile.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import { isWithinAllowed } from './r08-outside-networks.ts';
import type { Rule, RuleContext } from './rule.ts';
import { DAY_MS } from './usual.ts';

const HISTORY_MS = 10 * DAY_MS;

/**
 * R13: two uses of a personal key are further apart than anybody travels. Only into a country that is new on the lane: who works through a
 * VPN abroad every day goes nowhere. Private addresses never travel, nor do those that the key is bound to.
 */
export function impossibleTravel(places: Places, overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R13', overrides);
  const distanceMin = Number(parameters['distance_km']);
  const speedMin = Number(parameters['speed_km_h']);
  const withinMs = Number(parameters['within_ms']);
  const relayWords = String(parameters['relay_words'])
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');

  /** Kilometres and hours between the call before and this one. */
  function legOf({ row, sight }: RuleContext) {
    const from = places.of(sight.fromIp);
    if (from === null || sight.place === null) return null;
    const hours = Math.abs(row.seen_at - sight.fromMs) / 3_600_000;
    const km = distanceKm(from, sight.place);
    return { from, to: sight.place, hours, km, speed: km / Math.max(hours, 1 / 60) };
  }

  return byEvidence({
    id: 'R13',
    parameters,
    judge(context) {
      const { row, lane, credential, sight } = context;
      if (!sight.moved || sight.unseenMs[AT.country]! < HISTORY_MS) return null;
      if (Math.abs(row.seen_at - sight.fromMs) > withinMs) return null;
      if (
        credential !== null &&
        (credential.record.sharing === 'team' || credential.record.owner_kind === 'service_account')
      )
        return null;
      if (isWithinAllowed(credential, row.ip) || lane.profile.calls < 2) return null;
      const leg = legOf(context);
      if (leg === null || leg.km < distanceMin || leg.speed < speedMin) return null;
      const networks = `${leg.from.network} ${leg.to.network}`.toLowerCase();
      return relayWords.some((word) => networks.includes(word)) ? 'low' : 'high';
    },
    testify(context) {
      const leg = legOf(context)!;
      return {
        from_place: placeName(leg.from, context.sight.fromIp),
        to_place: placeName(leg.to, context.row.ip),
        distance_km: Math.round(leg.km),
        speed_km_h: Math.round(leg.speed),
        minutes: Math.round(leg.hours * 60),
      };
    },
  });
}
