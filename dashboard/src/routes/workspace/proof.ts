import type { LaneDetail } from '@lanewatch/query-api/contract';
import { credentialHref, ledgerHref } from '#lib/links.ts';
import type { Query } from '#lib/query.ts';

type Reason = LaneDetail['posture'][number]['reason'];

/** Which rows of its window a reason is made from, beside the lane; reasons that lie in the registry have none. */
const ROWS: Partial<Record<Reason, Query>> = {
  no_key_named: {},
  unknown_key: { standing: 'unknown' },
  refused: { outcome: 'denied' },
  ambiguous_hint: { standing: 'ambiguous' },
  revoked_in_use: { standing: 'revoked' },
  expired_in_use: { standing: 'expired' },
  retired: {},
  shared: {},
  shared_too_broadly: {},
};

/** What proves a reason of a lane's posture: its rows, or the registry's entry of the key. Pure. */
export function proofOf(
  lane: Pick<LaneDetail, 'lane' | 'from' | 'to' | 'credential'>,
  reason: Reason,
): { href: string; text: string } | null {
  const rows = ROWS[reason];
  if (rows !== undefined) return { href: ledgerHref({ lane: lane.lane, ...rows }, lane), text: 'rows' };
  return lane.credential === null ? null : { href: credentialHref(lane.credential.id), text: 'registry entry' };
}
