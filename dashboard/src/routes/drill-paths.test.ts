import { expect, it } from 'vitest';
import { overviewOf } from '../../e2e/answers.ts';
import { organisation } from '../../e2e/organisation.ts';
import { drillPathsOf } from './drill-paths.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const overview = overviewOf(organisation(NOW_MS), '7d', NOW_MS);

it('names the most pressing keys with where they are decided and their session, and ends with the raw inventory', () => {
  const paths = drillPathsOf(overview);
  const [first] = overview.banner;
  expect(paths[0]).toMatchObject({
    title: 'Unknown key',
    href: `/?window=7d&lane=${first!.lane}`,
    key: { lane: first!.lane },
  });
  expect(paths[0]!.then!.href).toBe(`/sessions/${first!.session}`);
  expect(paths.at(-1)).toMatchObject({ title: 'Raw inventory', href: '/keys?window=7d' });
  expect(paths.length).toBeLessThanOrEqual(4);
});

it('puts sharing before governance, and says nothing where all is well', () => {
  const calm = { ...overview, banner: [], overshared_lanes: 0, weakly_governed_lanes: 0 };
  expect(drillPathsOf(calm).map(({ title }) => title)).toEqual(['Raw inventory']);
  expect(drillPathsOf({ ...calm, weakly_governed_lanes: 1 })[0]!.reason).toBe(
    '1 key lacks owner, expiry or environment',
  );
  expect(drillPathsOf({ ...calm, weakly_governed_lanes: 1, overshared_lanes: 2 })[0]).toMatchObject({
    title: 'Shared too broadly',
    href: '/?window=7d&reason=shared_too_broadly',
  });
});
