import { revokedOrExpired } from './r03-revoked-or-expired.ts';
import { unknownKey } from './r01-unknown-key.ts';
import { ambiguousHint } from './r02-ambiguous-hint.ts';
import { sharedLane } from './r05-shared-lane.ts';
import type { Rule } from './rule.ts';

/** The rules in force, in catalogue order. The next rule is a file and a line. */
export function rulesInForce(): Rule[] {
  return [unknownKey(), ambiguousHint(), revokedOrExpired(), sharedLane()];
}
