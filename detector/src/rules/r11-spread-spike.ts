import { hourOf, pastHours, robustScore } from '../lane-state/hours.ts';
import { AT, firstSeenSince, seenSince, type LaneProfile } from '../lane-state/profile.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';
import { DAY_MS } from './usual.ts';

/** What hours of a lane are like, as of its present hour. */
interface SpreadBaseline {
  hour: number;
  version: number;
  days: number;
  calls: number[];
  networks: number[];
  people: number[];
}

/**
 * R11: far more calls than in other hours of this lane, and from far more networks or people, more for those that come new. A team all of whose
 * people work at once is a busy hour and not a key that spreads. Without a baseline a personal key from
 * several networks within an hour is enough. Not in the first day of a lane.
 */
export function spreadSpike(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R11', overrides);
  const of = (name: string) => Number(parameters[name]);
  const [volumeZ, spreadZ, callsMin] = [of('volume_z'), of('spread_z'), of('calls')];
  const [days, coldNetworks] = [of('days'), of('cold_networks')];
  const baselines = new WeakMap<LaneProfile, SpreadBaseline>();

  /** Whether the count is unusual, and would be with the usual ones and those that are new on the lane alone. */
  function isSpreading(now: number, newcomers: number, before: readonly number[]): boolean {
    const { score, median } = robustScore(now, before, 0.5);
    return score > spreadZ && robustScore(median + newcomers, before, 0.5).score > spreadZ;
  }

  function baselineOf(profile: LaneProfile): SpreadBaseline {
    const { hour, version } = profile.hours;
    const held = baselines.get(profile);
    if (held !== undefined && held.hour === hour && held.version === version) return held;
    const past = pastHours(profile.hours);
    const baseline = {
      ...{ hour, version },
      days: new Set(past.map(({ hour: then }) => Math.floor(then / 24))).size,
      calls: past.map(({ calls }) => calls),
      networks: past.map(({ networks }) => networks),
      people: past.map(({ people }) => people),
    };
    baselines.set(profile, baseline);
    return baseline;
  }

  return byEvidence({
    id: 'R11',
    parameters,
    judge({ row, lane: { profile }, credential, sight }) {
      const { hours, tables } = profile;
      if (!sight.isSuccess || hours.calls < callsMin) return null;
      const networks = tables[AT.network] ?? null;
      const people = tables[AT.user] ?? null;
      const isSpread =
        (networks !== null && networks.values.length > 1) || (people !== null && people.values.length > 1);
      if (!isSpread || row.seen_at - profile.firstMs < DAY_MS || hourOf(row.seen_at) !== hours.hour) return null;
      const [nowNetworks, nowPeople] = [seenSince(networks, hours.hour), seenSince(people, hours.hour)];
      if (nowNetworks < 2 && nowPeople < 2) return null;
      const baseline = baselineOf(profile);
      if (baseline.days < days) {
        const isPersonal =
          credential !== null && credential.record.sharing === 'personal' && credential.record.owner_kind === 'person';
        return isPersonal && nowNetworks >= coldNetworks ? 'high' : null;
      }
      if (robustScore(hours.calls, baseline.calls, 5).score <= volumeZ) return null;
      const isWide =
        isSpreading(nowNetworks, firstSeenSince(networks, hours.hour), baseline.networks) ||
        isSpreading(nowPeople, firstSeenSince(people, hours.hour), baseline.people);
      return isWide ? 'high' : null;
    },
    testify({ lane: { profile } }) {
      const { hours, tables } = profile;
      const baseline = baselineOf(profile);
      return {
        hour_calls: hours.calls,
        hour_networks: seenSince(tables[AT.network] ?? null, hours.hour),
        hour_people: seenSince(tables[AT.user] ?? null, hours.hour),
        ...(baseline.days >= days && {
          usual_calls: Math.round(robustScore(0, baseline.calls, 1).median),
          usual_networks: Math.round(robustScore(0, baseline.networks, 1).median),
        }),
      };
    },
  });
}
