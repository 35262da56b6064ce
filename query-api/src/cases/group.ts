import { isOfRegistry } from '../../contract/index.ts';
import { dollarsOf, nanoOf } from '../ledger/money.ts';

/** What grouping looks at. Lanes come highest score first. */
export interface Groupable {
  lane: string;
  hint: string;
  rule: string;
  /** US dollars as decimal text. */
  spent: string;
  /** Who reported its last event; '' where that is not known. */
  collector: string;
  /** Findings of the state that is looked at. */
  findings: readonly unknown[];
}

export interface Entry<Item> {
  /** Names the entry; that of a single lane is the lane. */
  key: string;
  by: 'lane' | 'hint' | 'collector' | 'rule';
  /** Highest score first; never empty. */
  members: Item[];
}

/** Lanes that spent less than this, in billionths of a dollar, are alike when one collector reports them: five cents. */
const CHEAP_NANO = 50_000_000n;
const ALIKE_HINTS_MIN = 2;
const ALIKE_CHEAP_MIN = 3;
const ALIKE_ENTRIES_MIN = 3;

export const isCheap = (spent: string): boolean => nanoOf(spent) < CHEAP_NANO;

/**
 * Entries of the queue: lanes with the same hint and rule are one (a sender that makes organisations up makes a lane of each), and so are
 * three and more cheap ones of one rule and collector, and those with nothing but what a rule finds in the registry. Their order is that of
 * their first members. Pure.
 */
export function entriesOf<Item extends Groupable>(items: readonly Item[]): Entry<Item>[] {
  const byHint = Map.groupBy(items, ({ hint, rule }) => (hint === '' ? '' : `hint:${rule}:${hint}`));
  const isOfHint = (item: Item): boolean => {
    const alike = item.hint === '' ? undefined : byHint.get(`hint:${item.rule}:${item.hint}`);
    return alike !== undefined && alike.length >= ALIKE_HINTS_MIN;
  };
  const ruleKey = (item: Item): string =>
    isOfRegistry(item.rule) && item.findings.length === 1 && !isOfHint(item) ? `rule:${item.rule}` : '';
  const byRule = Map.groupBy(items, ruleKey);
  const isOfRule = (item: Item): boolean =>
    ruleKey(item) !== '' && (byRule.get(ruleKey(item))?.length ?? 0) >= ALIKE_ENTRIES_MIN;
  const cheapKey = (item: Item): string =>
    item.collector === '' || isOfHint(item) || isOfRule(item) || !isCheap(item.spent)
      ? ''
      : `collector:${item.rule}:${item.collector}`;
  const byCollector = Map.groupBy(items, cheapKey);
  const entries = new Map<string, Entry<Item>>();
  for (const item of items) {
    const ofCollector = cheapKey(item);
    const isOfCollector = ofCollector !== '' && (byCollector.get(ofCollector)?.length ?? 0) >= ALIKE_CHEAP_MIN;
    const by = isOfHint(item) ? 'hint' : isOfRule(item) ? 'rule' : isOfCollector ? 'collector' : 'lane';
    const keys = {
      hint: `hint:${item.rule}:${item.hint}`,
      rule: ruleKey(item),
      collector: ofCollector,
      lane: item.lane,
    };
    const key = keys[by];
    const entry = entries.get(key);
    if (entry === undefined) entries.set(key, { key, by, members: [item] });
    else entry.members.push(item);
  }
  return [...entries.values()];
}

/** What the members of an entry spent together, US dollars as decimal text. Pure. */
export function spentBy(members: readonly Groupable[]): string {
  return dollarsOf(members.reduce((sum, { spent }) => sum + nanoOf(spent), 0n));
}
