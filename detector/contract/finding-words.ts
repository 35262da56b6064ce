import type { Finding } from './finding.ts';
import { factInWords, instantInWords, listInWords, numberInWords } from './fact-words.ts';
import { RULE_CATALOGUE } from './rule-catalogue.ts';

/** What a sentence is made of. */
export type WordedFinding = Pick<Finding, 'rule' | 'facts' | 'first_seen' | 'occurrences' | 'hint' | 'org'>;

/** Words for the facts of one finding; a fact that is not there reads as nothing. */
class Facts {
  private readonly facts: Finding['facts'];

  constructor(facts: Finding['facts']) {
    this.facts = facts;
  }

  has(name: string): boolean {
    const value = this.facts[name];
    return value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0);
  }

  text(name: string): string {
    return this.has(name) ? factInWords(name, this.facts[name]!).value : '';
  }

  number(name: string): number {
    return Number(this.facts[name] ?? 0);
  }

  /** The words with the fact behind them, or nothing. */
  with(words: string, name: string): string {
    return this.has(name) ? `${words}${this.text(name)}` : '';
  }
}

/** What `new_…` and `usual_…` facts tell of, in the order in which they matter. */
const DIMENSIONS = [
  ['network', 'network'],
  ['country', 'country'],
  ['agent', 'agent'],
  ['environment', 'environment'],
  ['repo', 'repository'],
  ['model', 'model'],
  ['endpoint', 'address'],
] as const;

const WORDS: Record<string, (facts: Facts, finding: WordedFinding) => string> = {
  R01: (facts) =>
    `A key that is not registered is used${facts.with(' by ', 'user')}${facts.with(' from ', 'endpoint')}${facts.with(' with ', 'agent')} and has spent ${facts.text('spend_usd') || '$0.00'}`,
  R02: (facts) =>
    `Only the hint ${facts.text('hint') || 'of the key'} is known, and it fits several registered keys${facts.has('fingerprint_sent') ? ', none of which has the fingerprint sent' : ''}`,
  R03: (facts) => `A key that is ${facts.text('standing') || 'revoked'} is still used`,
  R04: (facts) =>
    `A secret that was rotated out is still used${facts.with(' by ', 'user')}${facts.with(' with ', 'agent')}, and its grace ends${facts.with(' ', 'grace_ends_at')}`,
  R05: (facts) =>
    `${facts.has('people_count_is_minimum') ? 'At least ' : ''}${facts.text('people_count')} people use one key: ${facts.text('people')}${facts.with('; new with them: ', 'added')}`,
  R06: (facts) =>
    `The key is used from ${facts.text('endpoints')} at once${facts.with(', in ', 'countries')}${facts.with(', by ', 'agents')}; one place at a time is usual here`,
  R07: (facts) => firstSeenWords(facts),
  R08: (facts) =>
    `The key is used from ${facts.text('endpoint')}, which is outside of ${facts.text('allowed_networks')}`,
  R09: (facts) => `A key made for ${facts.text('key_environment')} is used in ${facts.text('environment')}`,
  R10: (facts) =>
    `${facts.text('hour_spend_usd')} were spent within an hour${facts.has('usual_hour_usd') ? `; ${facts.text('usual_hour_usd')} is usual at that hour, and ${facts.text('busiest_hour_usd')} the most so far` : ', on a key without a history'}`,
  R11: (facts) =>
    `${facts.text('hour_calls')} calls within an hour came from ${facts.text('hour_networks')} networks and ${facts.text('hour_people')} people${facts.has('usual_calls') ? `; ${facts.text('usual_calls')} calls from ${facts.text('usual_networks')} networks are usual` : ''}`,
  R12: (facts) =>
    `${facts.text('user')} works${facts.with(' in ', 'repo')} with this key now; another key was usual on ${facts.text('days_before')} of the last days`,
  R13: (facts) =>
    `The key was used in ${facts.text('to_place')} ${facts.text('minutes')} minutes after ${facts.text('from_place')}, ${facts.text('distance_km')} km away: ${facts.text('speed_km_h')} km/h`,
  R14: (facts) => `${facts.text('agent')} used a key that is meant for ${facts.text('expected_agents')}`,
  R15: (facts) =>
    `On the first day of this key its models were listed${facts.with(', and ', 'model')} was called ${facts.text('minutes')} minutes later`,
  R16: (facts) =>
    facts.has('failed_logins')
      ? `${facts.text('failed_logins')} failed authentications came from ${facts.text('endpoint') || 'one place'} within minutes`
      : `${facts.text('refused')} calls were refused within an hour${facts.with(', the last of ', 'model')}`,
  R17: (facts) =>
    `${facts.text('hour_calls')} calls of ${facts.text('model')} within an hour; ${facts.text('usual_calls')} are usual`,
  R18: (facts) =>
    facts.has('never_used')
      ? `The key was never used in the ${facts.text('idle_days')} days since it was made`
      : `Nobody has used the key for ${facts.text('idle_days')} days`,
  R19: (facts) =>
    `The key is used again after ${facts.text('idle_days')} days${facts.with(', from a new network: ', 'new_network')}${facts.with(', from a new country: ', 'new_country')}${facts.with(', by a new agent: ', 'new_agent')}`,
  R20: (facts) => `The secret is ${facts.text('age_days')} days old and was not rotated`,
  R21: (facts) => `The key expires in ${facts.text('days_left')} days`,
  R22: (facts) => `The registry does not limit the key: ${facts.text('missing')} missing`,
  R23: (facts) => `A guard of the key was taken off: ${facts.text('change')}${facts.with(', by ', 'actor')}`,
  R24: (facts) =>
    `${facts.text('minutes')} minutes after it was made for ${facts.text('owner')}, the key is used by ${facts.text('user')}`,
  R25: (facts) =>
    `${facts.text('keys')} keys${facts.number('orgs') > 1 ? ` of ${facts.text('orgs')} organisations` : ''} are used from ${facts.text('endpoint')}, an address that nobody is known behind`,
  R26: (facts) =>
    `${facts.text('percent')} % of the budget are reached: ${facts.text('spent_usd')} of ${facts.text('budget_usd')}`,
  R27: (facts) =>
    `Collector ${facts.text('collector')} sends nothing${facts.has('silent_minutes') ? ` for ${facts.text('silent_minutes')} minutes` : ''}`,
  R28: (facts) => `The provider bills ${facts.text('billed_usd')} where ${facts.text('observed_usd')} were observed`,
  R29: (facts) => `${facts.number('rule_count')} rules hold on this lane within a day: ${facts.text('rules')}`,
};

function firstSeenWords(facts: Facts): string {
  const news = DIMENSIONS.filter(([name]) => facts.has(`new_${name}`)).map(
    ([name, word]) => `the ${word} ${facts.text(`new_${name}`)}`,
  );
  const usual = DIMENSIONS.filter(([name]) => facts.has(`new_${name}`) && facts.has(`usual_${name}`)).map(([name]) =>
    facts.text(`usual_${name}`),
  );
  return `The key was never seen with ${listInWords(news) || 'this'} before${usual.length === 0 ? '' : `; ${usual.join('; ')} ${usual.length > 1 || usual[0]!.includes(',') ? 'are' : 'is'} usual here`}`;
}

/**
 * A finding in one sentence of plain words: what happened, what is usual here, since when. Values come from events and may be anything:
 * whoever shows the sentence shows it as inert text.
 */
export function sentenceOf(finding: WordedFinding): string {
  const facts = new Facts(finding.facts);
  const since = ` (since ${instantInWords(finding.first_seen)})`;
  if (facts.has('grouped'))
    return `${numberInWords(finding.occurrences)} more events of rule ${finding.rule}${facts.has('lanes') ? `, of ${facts.text('lanes')} keys,` : ''} came through ${facts.text('collector') || 'one collector'} than findings are raised for; they are counted here so that they bury nothing${since}.`;
  const words = WORDS[finding.rule];
  // Facts can be missing: the findings topic has none of a finding that was too large for it.
  if (words !== undefined && Object.keys(finding.facts).length > 0) return `${words(facts, finding)}${since}.`;
  const rule = RULE_CATALOGUE.find(({ id }) => id === finding.rule);
  return `${rule === undefined ? `Rule ${finding.rule} holds` : rule.condition.replace(/\.$/, '')}${since}.`;
}
