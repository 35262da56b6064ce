import { hourOf, robustScore } from '../lane-state/hours.ts';
import type { LaneProfile } from '../lane-state/profile.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';
import { spendBaselineOf, type SpendBaseline } from './spend-baseline.ts';
import { DAY_MS } from './usual.ts';

const NANO = 1e9;

/**
 * R10: the hour costs far more than the same hour of this lane's active days, more than its busiest hour by far, and enough to matter. A lane
 * without a baseline is held against its busiest hour and a higher sum; in its first day it is only learned from. What its peers spend
 * is not known here: the lanes of an organisation are spread over detectors.
 */
export function spendSpike(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R10', overrides);
  const of = (name: string) => Number(parameters[name]);
  const [z, zHigh, zCritical] = [of('z'), of('z_high'), of('z_critical')];
  const [medianTimes, busiestTimes, days] = [of('median_times'), of('busiest_times'), of('days')];
  const [floor, high, critical] = [of('spend_usd') * NANO, of('high_usd') * NANO, of('critical_usd') * NANO];
  const cold = of('cold_usd') * NANO;
  const scaleMin = Math.max(floor / 5, 1);
  const baselines = new WeakMap<LaneProfile, SpendBaseline>();

  function baselineOf(profile: LaneProfile): SpendBaseline {
    const { hour, version } = profile.hours;
    const held = baselines.get(profile);
    if (held !== undefined && held.hour === hour && held.version === version) return held;
    const baseline = spendBaselineOf(profile.hours);
    baselines.set(profile, baseline);
    return baseline;
  }

  return byEvidence({
    id: 'R10',
    parameters,
    judge({ row, lane: { profile }, sight }) {
      const spent = profile.hours.costNanoUsd;
      if (spent < floor || !sight.isSuccess || row.seen_at - profile.firstMs < DAY_MS) return null;
      if (hourOf(row.seen_at) !== profile.hours.hour) return null;
      const baseline = baselineOf(profile);
      if (spent <= busiestTimes * baseline.busiest) return null;
      if (baseline.days < days) return spent >= cold ? 'medium' : null;
      const { score, median } = robustScore(spent, baseline.sameHour, scaleMin);
      if (score <= z || spent <= medianTimes * median) return null;
      if (score > zCritical && spent >= critical) return 'critical';
      return score > zHigh && spent >= high ? 'high' : 'medium';
    },
    testify({ lane: { profile } }) {
      const { sameHour, busiest, days: learned, hour } = baselineOf(profile);
      return {
        hour_spend_usd: usd(profile.hours.costNanoUsd),
        hour_began_at: new Date(hour * 3_600_000).toISOString(),
        baseline_days: learned,
        busiest_hour_usd: usd(busiest),
        ...(learned >= days && { usual_hour_usd: usd(robustScore(0, sameHour, 1).median) }),
      };
    },
  });
}

function usd(nanoUsd: number): number {
  return Math.round(nanoUsd / 1e7) / 100;
}
