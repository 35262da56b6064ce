import { expect, test } from 'vitest';
import { entriesOf, spentBy } from './group.ts';
import type { Groupable } from './group.ts';

const lane = (name: string, parts: Partial<Groupable> = {}): Groupable => ({
  ...{ lane: name, hint: `sk-${name}`, rule: 'R01', spent: '2.5', collector: 'laptops', findings: [1] },
  ...parts,
});
const told = (items: Groupable[]) =>
  entriesOf(items).map(({ by, members }) => `${by}: ${members.map((one) => one.lane).join(' ')}`);

test('one hint under many organisations is one entry, in the place of its worst lane', () => {
  const shared = { hint: 'sk-ant-...C001' };
  expect(told([lane('a'), lane('b', shared), lane('c'), lane('d', shared), lane('e', shared)])).toEqual([
    'lane: a',
    'hint: b d e',
    'lane: c',
  ]);
});

test('cheap lanes of one collector are one entry from three on; dear ones, other rules and other collectors stand alone', () => {
  const cheap = { spent: '0.01' };
  expect(
    told([
      lane('a', cheap),
      lane('b', cheap),
      lane('dear'),
      lane('c', cheap),
      lane('other', { ...cheap, rule: 'R05' }),
      lane('ci', { ...cheap, collector: 'ci' }),
      lane('nobody', { ...cheap, collector: '' }),
    ]),
  ).toEqual(['collector: a b c', 'lane: dear', 'lane: other', 'lane: ci', 'lane: nobody']);
  expect(told([lane('a', cheap), lane('b', cheap)])).toEqual(['lane: a', 'lane: b']);
});

test('keys with nothing but what a rule finds in the registry are one entry from three on; one with a second finding stands alone', () => {
  const bare = { rule: 'R22', spent: '40' };
  expect(
    told([
      lane('a', bare),
      lane('used', { ...bare, findings: [1, 2] }),
      lane('unknown'),
      lane('b', bare),
      lane('c', { ...bare, spent: '0.01', collector: 'ci' }),
    ]),
  ).toEqual(['rule: a b c', 'lane: used', 'lane: unknown']);
  expect(told([lane('a', bare), lane('b', bare)])).toEqual(['lane: a', 'lane: b']);
});

test('lanes without a hint are never taken for the same key, and every lane is in exactly one entry', () => {
  const items = [lane('a', { hint: '' }), lane('b', { hint: '' }), lane('c', { hint: '', spent: '0' })];
  expect(told(items)).toEqual(['lane: a', 'lane: b', 'lane: c']);
  expect(entriesOf(items).flatMap(({ members }) => members)).toEqual(items);
});

test('what an entry spent is the exact sum of its lanes', () => {
  expect(spentBy([lane('a', { spent: '0.1' }), lane('b', { spent: '0.2' }), lane('c', { spent: '0.000000001' })])).toBe(
    '0.300000001',
  );
});
