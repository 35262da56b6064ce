import { expect, test } from 'vitest';
import { laneCases } from './build.ts';
import type { FindingOfLane } from './candidates.ts';

const finding = (parts: Partial<FindingOfLane>): FindingOfLane =>
  ({
    id: 'f',
    lane: 'a',
    hint: 'sk-a',
    org: '',
    standing: 'known',
    severity: 'medium',
    first_ms: 1,
    last_ms: 1,
    ...parts,
  }) as FindingOfLane;

test('a case is headed by its gravest finding, of equals by one about its use, however late the registry is judged', () => {
  const judge = ({ severity }: FindingOfLane) => ({ state: 'open' as const, severity, assignee: '' });
  const ruleOf = (...findings: Partial<FindingOfLane>[]) =>
    laneCases({ findings: findings.map(finding), figures: new Map(), isCut: false } as never, judge).open[0]?.rule;
  expect(ruleOf({ rule: 'R22', last_ms: 9 }, { rule: 'R05', last_ms: 2 })).toBe('R05');
  expect(ruleOf({ rule: 'R05', last_ms: 2 }, { rule: 'R22', last_ms: 9 })).toBe('R05');
  expect(ruleOf({ rule: 'R22', severity: 'high' }, { rule: 'R05' })).toBe('R22');
  expect(ruleOf({ rule: 'R05', last_ms: 2 }, { rule: 'R07', last_ms: 3 })).toBe('R07');
});
