import { expect, test } from 'vitest';
import { isSelect } from './estimate.ts';

test('what selects is known behind comments and brackets, and no text of comments keeps the process busy', () => {
  const selecting = ['select 1', ' -- why\n/* a * b **/ (WITH x AS (SELECT 1) SELECT * FROM x)', 'FROM usage SELECT 1'];
  expect(selecting.map(isSelect)).toEqual([true, true, true]);
  expect(['SHOW TABLES', '/* select */ EXPLAIN SELECT 1', 'selected', '-- select'].map(isSelect)).toEqual([
    ...[false, false, false, false],
  ]);
  const startedMs = performance.now();
  expect(isSelect(`${'/**/'.repeat(30)}x`)).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});
