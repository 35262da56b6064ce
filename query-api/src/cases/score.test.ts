import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SEVERITIES, STANDINGS } from '../../contract/index.ts';
import { scoreOf } from './score.ts';
import type { Scored } from './score.ts';

const scored = fc.record<Scored>({
  severity: fc.constantFrom(...SEVERITIES),
  standing: fc.constantFrom(...STANDINGS),
  live: fc.boolean(),
  spentUsd: fc.double({ min: 0, max: 1e7, noNaN: true }),
  people: fc.nat(100_000),
  endpoints: fc.nat(100_000),
  repos: fc.nat(100_000),
});
const more = fc.integer({ min: 1, max: 100_000 });
const of = (one: Scored): number => scoreOf(one).score;

test('more of anything that makes a case worse always scores more, and nothing reaches 100', () => {
  fc.assert(
    fc.property(scored, more, (one, amount) => {
      expect(of(one)).toBeGreaterThanOrEqual(0);
      expect(of(one)).toBeLessThan(100);
      const worse: Scored[] = [
        { ...one, spentUsd: one.spentUsd + amount },
        { ...one, people: one.people + amount },
        { ...one, endpoints: one.endpoints + amount },
        { ...one, repos: one.repos + amount },
      ];
      const grave = SEVERITIES[SEVERITIES.indexOf(one.severity) + 1];
      if (grave !== undefined) worse.push({ ...one, severity: grave });
      if (!one.live) worse.push({ ...one, live: true });
      for (const other of worse) expect(of(other)).toBeGreaterThan(of(one));
    }),
  );
});

test('an unknown or given-up key scores more than one of any other standing, a known one less than a doubtful one', () => {
  const at = (standing: Scored['standing']): number =>
    of({ severity: 'high', standing, live: false, spentUsd: 1, people: 1, endpoints: 1, repos: 1 });
  expect(at('unknown')).toBe(at('revoked'));
  const order = (['unknown', 'expired', 'ambiguous', 'known', 'unattributed'] as const).map(at);
  expect(order).toEqual(order.toSorted((a, b) => b - a));
});

test('an unknown or revoked key in use right now comes before every known one, whatever that spends and reaches', () => {
  const given = scored.filter(({ severity }) => severity !== 'low');
  fc.assert(
    fc.property(given, scored, fc.constantFrom('unknown', 'revoked'), (one, other, standing) => {
      const pressing = of({ ...one, standing, live: true });
      for (const settled of ['known', 'unattributed'] as const) {
        expect(pressing).toBeGreaterThan(of({ ...other, standing: settled }));
      }
    }),
  );
});

test('the parts are the score', () => {
  fc.assert(
    fc.property(scored, (one) => {
      const { score, parts } = scoreOf(one);
      expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(score, 9);
    }),
  );
});
