import type { FindingItem } from '../../contract/index.ts';

/** What to do about a finding of each rule, step by step. */
const RUNBOOKS: Readonly<Record<string, readonly string[]>> = {
  R01: [
    'Look at who used the key, from where and in which repository: the rows below are all of it.',
    'Ask the person or the repository’s owner whose key it is. Compare it with the registered keys of its organisation: a missing entry is more likely than a thief where everything but the key is known.',
    'Is it yours? Register it with an owner and an organisation: that resolves this finding.',
    'Is it not? Revoke it at its provider, then change what it was stored beside. Resolve this finding as fixed.',
  ],
  R02: [
    'See which registered keys have the same hint: the lane names them.',
    'Have its collector send fingerprints, which name one key for certain. Until then its events can’t be told apart.',
    'Where the organisation is missing on the events, set it in the collector.',
  ],
  R03: [
    'See which program still uses the key: agent, host and session are in the rows below.',
    'A calendar job or a container that kept the old secret is the usual cause: give it the present one.',
    'Where calls still succeed, the provider has not revoked it: revoke it there, too.',
  ],
  R05: [
    'See whether the people are one: an e-mail address and a user name of the same person count as two.',
    'Give each of them a key of their own, then rotate this one.',
    'Is it meant to be shared? Edit it into a team key and declare how many people use it.',
  ],
};

const ANY = [
  'See the rows below: they are what made the rule fire.',
  'Ask the owner of the key, or whoever used it, whether they expect it.',
  'Acknowledge it while you look; resolve it as fixed, as a false positive or as an accepted risk.',
] as const;

/** The steps for a finding. */
export function runbookOf({ rule }: Pick<FindingItem, 'rule'>): string[] {
  return [...(RUNBOOKS[rule] ?? ANY)];
}
