import { NOWHERE, type Places } from '../networks/places.ts';
import { unknownKey } from './r01-unknown-key.ts';
import { ambiguousHint } from './r02-ambiguous-hint.ts';
import { revokedOrExpired } from './r03-revoked-or-expired.ts';
import { graceEnding } from './r04-grace-ending.ts';
import { sharedLane } from './r05-shared-lane.ts';
import { concurrentUse } from './r06-concurrent-use.ts';
import { firstSeen } from './r07-first-seen.ts';
import { outsideNetworks } from './r08-outside-networks.ts';
import { environmentCrossing } from './r09-environment-crossing.ts';
import { spendSpike } from './r10-spend-spike.ts';
import { spreadSpike } from './r11-spread-spike.ts';
import { laneFlip } from './r12-lane-flip.ts';
import { impossibleTravel } from './r13-impossible-travel.ts';
import { scriptClient } from './r14-script-client.ts';
import { enumerateThenInvoke } from './r15-enumerate-invoke.ts';
import { deniedBurst } from './r16-denied-burst.ts';
import { highRate } from './r17-high-rate.ts';
import { dormantWakes } from './r19-dormant-wakes.ts';
import { usedByAnother } from './r24-used-by-another.ts';
import { manyKeys } from './r25-many-keys.ts';
import { severalRules } from './r29-several-rules.ts';
import type { RuleOverrides } from './parameters.ts';
import type { Rule } from './rule.ts';

/**
 * The rules that every event is held against, in catalogue order; the last one looks at what the others found.
 * @param overrides parameters that are not the catalogue's defaults
 * @param places where addresses are
 */
export function rulesInForce(overrides: RuleOverrides = {}, places: Places = NOWHERE): Rule[] {
  return [
    unknownKey(overrides.R01),
    ambiguousHint(),
    revokedOrExpired(overrides.R03),
    graceEnding(overrides.R04),
    sharedLane(overrides.R05),
    concurrentUse(overrides.R06),
    firstSeen(overrides.R07),
    outsideNetworks(overrides.R08),
    environmentCrossing(overrides.R09),
    spendSpike(overrides.R10),
    spreadSpike(overrides.R11),
    laneFlip(overrides.R12),
    impossibleTravel(places, overrides.R13),
    scriptClient(overrides.R14),
    enumerateThenInvoke(overrides.R15),
    deniedBurst(overrides.R16),
    highRate(overrides.R17),
    dormantWakes(overrides.R19),
    usedByAnother(overrides.R24),
    manyKeys(overrides.R25),
    severalRules(overrides.R29),
  ];
}

/** The window that the rules count people in, milliseconds; undefined when none does. */
export function windowMsOf(rules: readonly Rule[]): number | undefined {
  return rules.find(({ windowMs }) => windowMs !== undefined)?.windowMs;
}
