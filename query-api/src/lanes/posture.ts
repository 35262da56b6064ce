import type { z } from 'zod';
import type { postureReasonSchema } from '../../contract/index.ts';
import { instantOf } from '../ledger/window.ts';
import type { LaneRow } from './lane-row.ts';

type PostureReason = z.infer<typeof postureReasonSchema>;

/** What the texts of reasons say; which reasons hold is decided in SQL. */
type Facts = Pick<
  LaneRow,
  'lane_hint' | 'standing' | 'posture' | 'user_count' | 'live_sessions' | 'last_at' | 'weak_facts' | 'record_sharing'
> &
  Pick<LaneRow, 'record_people_declared' | 'record_expires_at' | 'record_revoked_at'>;

/** The reasons why a lane needs attention, each with the facts that caused it. Pure. */
export function postureOf(facts: Facts, windowLabel: string): PostureReason[] {
  return facts.posture.map((reason) => ({ reason, text: textOf(reason, facts, windowLabel) }));
}

function textOf(reason: PostureReason['reason'], facts: Facts, windowLabel: string): string {
  const { user_count: users, live_sessions: sessions, record_people_declared: declared } = facts;
  const live = sessions === 0 ? '' : `, with ${sessions} live ${sessions === 1 ? 'session' : 'sessions'}`;
  const used = `${users} people used it in the last ${windowLabel}`;
  switch (reason) {
    case 'no_key_named':
      return 'These events name no key, so nothing can be said about one.';
    case 'unknown_key':
      return `Not in the registry${live}.`;
    case 'refused':
      return `Refused every time in the last ${windowLabel}; not in the registry. A mistyped key looks like this.`;
    case 'ambiguous_hint':
      return `The hint ${facts.lane_hint} fits registered keys without telling which${live}.`;
    case 'revoked_in_use':
    case 'expired_in_use':
      return `${retiredText(facts)}${live}.`;
    case 'retired':
      return `${retiredText(facts)}. No event in the last ${windowLabel} met it as ${facts.standing}.`;
    case 'shared':
      return facts.record_sharing === '' ? `${used}.` : `${used}, within the ${declared} it was declared for.`;
    case 'shared_too_broadly':
      return facts.record_sharing === 'personal'
        ? `${used}; it is registered as personal.`
        : `${used}; it was declared for ${declared}.`;
    case 'weakly_governed':
      return `${capital(facts.weak_facts.join(', '))}.`;
  }
}

function retiredText({ standing, record_revoked_at, record_expires_at, last_at }: Facts): string {
  const atMs = standing === 'revoked' ? record_revoked_at : record_expires_at;
  return `${capital(standing)} ${atMs === null ? '' : instantOf(atMs)}; last seen ${instantOf(last_at)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
