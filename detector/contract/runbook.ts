import type { Finding } from './finding.ts';
import { RULE_CATALOGUE } from './rule-catalogue.ts';
import type { RuleDescription } from './rule-description.ts';

/** Of findings that count what was too many to be raised one by one. */
const FLOOD: readonly string[] = [
  'Look at the rows: are they keys that exist, or made up by whoever holds the key of this collector?',
  'If they are made up, revoke the collector’s key and give the collector another one; that resolves this finding.',
  'If they are real, register them, many at once by import: each of them is a finding of its own again within the hour.',
];
const LAST = 'Acknowledge it while you look; resolve it as fixed, as a false positive or as an accepted risk.';

/** What to do about a finding, step by step: its rule's runbook, and how it ends. */
export function runbookOf({ rule, facts }: Pick<Finding, 'rule' | 'facts'>): string[] {
  const description: RuleDescription | undefined = RULE_CATALOGUE.find(({ id }) => id === rule);
  return [...(facts['grouped'] === true ? FLOOD : (description?.runbook ?? [])), LAST];
}
