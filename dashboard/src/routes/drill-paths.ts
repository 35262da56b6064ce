import type { BannerLane, Overview } from '@lanewatch/query-api/contract';
import { counted, formatCount } from '#lib/format/count.ts';
import { sessionHref } from '#lib/links.ts';
import { queryString } from '#lib/query.ts';

/** A click that matters now, and why. */
export interface DrillPath {
  title: string;
  href: string;
  reason: string;
  /** The key that it is about, with what its newest session cost; null where it is about many. */
  key: Pick<BannerLane, 'lane' | 'hint'> | null;
  cost_usd: string | null;
  /** A second click that follows from it. */
  then: { title: string; href: string } | null;
}

/** Keys that get a path of their own; the queue has the others. */
const KEYS_MAX = 2;
const TITLES: Partial<Record<string, string>> = {
  unknown: 'Unknown key',
  revoked: 'Revoked key in use',
  expired: 'Expired key in use',
};

/** The two to four clicks that matter now, most pressing first; the raw inventory is always the last. Pure. */
export function drillPathsOf(overview: Overview): DrillPath[] {
  const { window } = overview;
  const keys = overview.banner.slice(0, KEYS_MAX).map((lane): DrillPath => {
    const session = lane.session === '' ? null : { title: 'its session', href: sessionHref(lane.session) };
    return {
      title: TITLES[lane.standing] ?? 'Key to look at',
      href: `/${queryString({ window, lane: lane.lane })}`,
      reason: lane.session_live ? 'in use now' : 'at rest now',
      key: lane,
      cost_usd: lane.session === '' ? lane.cost_usd : lane.session_cost_usd,
      then: session,
    };
  });
  const many = governanceOf(overview);
  const raw: DrillPath = {
    title: 'Raw inventory',
    href: `/keys${queryString({ window })}`,
    reason: `${counted(overview.keys_observed, 'key')} with first and last use`,
    ...{ key: null, cost_usd: null, then: null },
  };
  return [...keys, ...(many === null ? [] : [many]), raw];
}

function governanceOf({ window, overshared_lanes: broad, weakly_governed_lanes: weak }: Overview): DrillPath | null {
  const path = (title: string, reason: string, why: string): DrillPath => {
    return { title, reason: why, href: `/${queryString({ window, reason })}`, key: null, cost_usd: null, then: null };
  };
  if (broad > 0) {
    const more = broad === 1 ? 'key' : 'keys';
    return path(
      'Shared too broadly',
      'shared_too_broadly',
      `${formatCount(broad)} ${more} with more people than declared`,
    );
  }
  if (weak === 0) return null;
  const lack = weak === 1 ? 'key lacks' : 'keys lack';
  return path('Weakly governed', 'weakly_governed', `${formatCount(weak)} ${lack} owner, expiry or environment`);
}
