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
}

export interface Entry<Item> {
  /** Names the entry; that of a single lane is the lane. */
  key: string;
  by: 'lane' | 'hint' | 'collector';
  /** Highest score first; never empty. */
  members: Item[];
}

/** Lanes that spent less than this, in billionths of a dollar, are alike when one collector reports them: five cents. */
const CHEAP_NANO = 50_000_000n;
const ALIKE_HINTS_MIN = 2;
const ALIKE_CHEAP_MIN = 3;

export const isCheap = (spent: string): boolean => nanoOf(spent) < CHEAP_NANO;

/**
 * Entries of the queue: lanes with the same hint and rule are one (a sender that makes organisations up makes a lane of each), and so are
 * three and more cheap ones of one rule and collector. Their order is that of their first members. Pure.
 */
export function entriesOf<Item extends Groupable>(items: readonly Item[]): Entry<Item>[] {
  const byHint = Map.groupBy(items, ({ hint, rule }) => (hint === '' ? '' : `hint:${rule}:${hint}`));
  const isOfHint = (item: Item): boolean => {
    const alike = item.hint === '' ? undefined : byHint.get(`hint:${item.rule}:${item.hint}`);
    return alike !== undefined && alike.length >= ALIKE_HINTS_MIN;
  };
  const cheapKey = (item: Item): string =>
    item.collector === '' || isOfHint(item) || !isCheap(item.spent) ? '' : `collector:${item.rule}:${item.collector}`;
  const byCollector = Map.groupBy(items, cheapKey);
  const entries = new Map<string, Entry<Item>>();
  for (const item of items) {
    const ofCollector = cheapKey(item);
    const isOfCollector = ofCollector !== '' && (byCollector.get(ofCollector)?.length ?? 0) >= ALIKE_CHEAP_MIN;
    const by = isOfHint(item) ? 'hint' : isOfCollector ? 'collector' : 'lane';
    const key = by === 'hint' ? `hint:${item.rule}:${item.hint}` : by === 'collector' ? ofCollector : item.lane;
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
