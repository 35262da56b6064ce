import type { Organisation } from './organisation.ts';

/** What is wrong in the invented organisation, so that detection can be compared with it. */
export interface Incident {
  key: string;
  /** '' where its events carry no fingerprint. */
  fingerprint: string;
  hint: string;
  /** The rule that has to find it. */
  rule: 'R01' | 'R02' | 'R03' | 'R05';
  /** Standing of its events once it is so. */
  standing: 'known' | 'unknown' | 'ambiguous' | 'expired' | 'revoked';
  story: string;
}

const STORIES: Pick<Incident, 'key' | 'rule' | 'standing' | 'story'>[] = [
  {
    key: 'unregistered',
    rule: 'R01',
    standing: 'unknown',
    story: 'An unregistered key runs a session right now from an address without a name.',
  },
  { key: 'contractor', rule: 'R01', standing: 'unknown', story: 'A contractor works with a key of their own.' },
  {
    key: 'script on a server',
    rule: 'R01',
    standing: 'unknown',
    story: 'A script nobody registered asks around the clock.',
  },
  { key: 'lent key', rule: 'R05', standing: 'known', story: 'A personal key is used by five people.' },
  {
    key: 'left the company',
    rule: 'R03',
    standing: 'revoked',
    story: 'The key of somebody who left was revoked and goes on being used.',
  },
  {
    key: 'trial account',
    rule: 'R03',
    standing: 'expired',
    story: 'A key has reached its end and goes on being used.',
  },
  {
    key: 'twin two',
    rule: 'R02',
    standing: 'ambiguous',
    story: 'A sender names its key by a hint that two registered keys have.',
  },
];

/** The labelled incidents of an organisation. */
export function incidentsOf(organisation: Organisation): Incident[] {
  return STORIES.map((story) => {
    const key = organisation.keys.find(({ label }) => label === story.key);
    if (key === undefined) throw new Error(`No key is called "${story.key}".`);
    return { ...story, fingerprint: key.identifiedBy === 'fingerprint' ? key.fingerprint : '', hint: key.hint };
  });
}
