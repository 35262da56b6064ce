import type { Backtest, RuleItem } from '@lanewatch/query-api/contract';
import { expect, test } from 'vitest';
import { ruleShown, triedText } from './trial-words.ts';

const tried = {
  ...{ enabled: true, severity: 'high', parameters: { events: 40 }, orgs: ['acme'], projects: [], environments: [] },
} satisfies Backtest['tried'];

test('what was tried reads as the form says it', () => {
  expect(triedText(tried, { events: 'events' })).toBe('events 40, always high, for organisation acme');
  const off = { ...tried, enabled: false, severity: '', parameters: {}, orgs: [] } satisfies Backtest['tried'];
  expect(triedText(off, {})).toBe('off, parameters as the catalogue has them, for everything');
});

test('the form shows what was tried, so that saving saves it, and what can’t be set as it is', () => {
  const parameter = (name: string, value: number, settable: boolean) => ({ name, default: 20, value, settable });
  const rule = {
    ...{ severity: '', orgs: [] },
    parameters: [parameter('events', 30, true), parameter('days', 5, true), parameter('window_ms', 7, false)],
  } as unknown as RuleItem;
  const shown = ruleShown(rule, { tried } as unknown as Backtest);
  expect(shown).toMatchObject({ severity: 'high', orgs: ['acme'] });
  expect(shown.parameters.map(({ value }) => value)).toEqual([40, 20, 7]);
  expect(ruleShown(rule, null)).toBe(rule);
});
