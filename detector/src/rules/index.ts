import { revokedOrExpired } from './r03-revoked-or-expired.ts';
import { unknownKey } from './r01-unknown-key.ts';
import { ambiguousHint } from './r02-ambiguous-hint.ts';
import { sharedLane } from './r05-shared-lane.ts';
import type { RuleOverrides } from './parameters.ts';
import type { Rule } from './rule.ts';

/**
 * The rules in force, in catalogue order. The next rule is a file and a line.
 * @param overrides parameters that are not the catalogue's defaults
 */
export function rulesInForce(overrides: RuleOverrides = {}): Rule[] {
  return [unknownKey(overrides.R01), ambiguousHint(), revokedOrExpired(overrides.R03), sharedLane(overrides.R05)];
}

/** The window that the rules count people in, milliseconds; undefined when none does. */
export function windowMsOf(rules: readonly Rule[]): number | undefined {
  return rules.find(({ windowMs }) => windowMs !== undefined)?.windowMs;
}
