import { expect, test } from 'vitest';
import type { RuleSettings } from '../../contract/index.ts';
import { usageEvent, NOON } from '../pipeline/testing/events.ts';
import { liveRules } from './live-rules.ts';
import { parametersOf } from './parameters.ts';
import type { Rule, RuleContext } from './rule.ts';

const iso = (ms: number) => new Date(ms).toISOString();

/** R01 as far as it matters here: it holds when an event costs as much as it is set to. */
const make = ({ R01 }: { R01?: Record<string, unknown> } = {}): Rule[] => {
  const parameters = parametersOf('R01', R01 as never);
  return [
    {
      id: 'R01',
      parameters,
      dependsOn: 'rows',
      evaluate: ({ row }) => (row.cost_nano_usd >= Number(parameters['spend_usd']) * 1e9 ? [] : null),
      describe: () => ({ severity: 'high', facts: { spend_usd: Number(parameters['spend_usd']) } }),
    },
  ];
};

function settings(fields: Partial<RuleSettings>): Uint8Array {
  const all: RuleSettings = {
    ...{ rule: 'R01', version: 1, effective_from: iso(NOON), enabled: true, mode: 'notify', severity: '' },
    ...{ parameters: {}, orgs: [], projects: [], environments: [] },
    ...fields,
  };
  return Buffer.from(JSON.stringify(all));
}

/** Whether the rule holds for an event of seven dollars that was received then. */
function holds(rules: readonly Rule[], receivedMs: number, fields: object = {}): boolean {
  const row = { ...usageEvent({ received_at: receivedMs, cost_nano_usd: 7e9 }), ...fields };
  return rules[0]!.evaluate({ row, credential: null } as unknown as RuleContext) !== null;
}

test('a version decides events received from its time on, and the one before those before it, in whatever order they came', () => {
  const versions = [
    settings({ version: 1, effective_from: iso(NOON), parameters: { spend_usd: 10 } }),
    settings({ version: 2, effective_from: iso(NOON + 1_000), parameters: { spend_usd: 6 } }),
  ];
  for (const order of [versions, versions.toReversed(), [...versions, ...versions]]) {
    const live = liveRules(make);
    expect(order.map((version) => live.apply(version))).not.toContain(false);
    expect([-1, 0, 999, 1_000].map((ms) => holds(live.rules, NOON + ms))).toEqual([true, false, false, true]);
  }
});

test('a rule that is off, or set for other organisations, environments or projects, holds for nothing there', () => {
  const at = (fields: Partial<RuleSettings>) => {
    const live = liveRules(make);
    live.apply(settings(fields));
    return holds(live.rules, NOON, { org: 'acme', environment: 'staging' });
  };
  expect(at({})).toBe(true);
  expect(at({ enabled: false })).toBe(false);
  expect([at({ orgs: ['acme'] }), at({ orgs: ['other'] })]).toEqual([true, false]);
  expect([at({ environments: ['staging'] }), at({ environments: ['production'] })]).toEqual([true, false]);
  expect(at({ projects: ['web'] })).toBe(false);
});

test('a severity that is set is that of its findings', () => {
  const live = liveRules(make);
  live.apply(settings({ severity: 'low' }));
  const described = (ms: number) => live.rules[0]!.describe({} as never, { last_received_at: ms } as never).severity;
  expect([described(NOON - 1), described(NOON)]).toEqual(['high', 'low']);
});

test('what is no version changes nothing and is told', () => {
  const live = liveRules(make);
  for (const bad of ['', 'x', '{}']) expect(live.apply(Buffer.from(bad))).toBe(false);
  expect([holds(live.rules, NOON), live.at(NOON)]).toEqual([true, []]);
});
