import type { z } from 'zod';
import type { Lane, postureReasonSchema } from '../../contract/index.ts';
import { isAnyNetwork } from '../registry/cidr.ts';
import type { CredentialRow } from '../registry/record.ts';
import type { StandingNow } from './standing-now.ts';

type PostureReason = z.infer<typeof postureReasonSchema>;

/** From how many missing safeguards a key is weakly governed; rule R22's default. */
const WEAK_FACTS_MIN = 2;

/** Why a lane needs attention, worst first; empty when nothing does. */
export function postureOf(
  lane: Pick<Lane, 'hint' | 'users' | 'live_sessions' | 'last_seen' | 'retired_events'>,
  { standing, credential }: StandingNow,
  windowLabel: string,
): PostureReason[] {
  const reasons: PostureReason[] = [];
  const live =
    lane.live_sessions === 0
      ? ''
      : `, with ${lane.live_sessions} live ${lane.live_sessions === 1 ? 'session' : 'sessions'}`;
  if (standing === 'unattributed') {
    reasons.push({ reason: 'no_key_named', text: 'These events name no key, so nothing can be said about one.' });
  }
  if (standing === 'unknown') reasons.push({ reason: 'unknown_key', text: `Not in the registry${live}.` });
  if (standing === 'ambiguous') {
    reasons.push({
      reason: 'ambiguous_hint',
      text: `The hint ${lane.hint} fits registered keys without telling which${live}.`,
    });
  }
  if (isRetired(standing)) {
    const at = (standing === 'revoked' ? credential?.revoked_at : credential?.expires_at)?.toISOString() ?? '';
    const seen = `${capital(standing)} ${at}; last seen ${lane.last_seen}`;
    if (lane.retired_events > 0) reasons.push({ reason: `${standing}_in_use`, text: `${seen}${live}.` });
    else {
      const text = `${seen}. No event in the last ${windowLabel} met it as ${standing}.`;
      reasons.push({ reason: 'retired', text });
    }
  }
  if (lane.users >= 2 && standing !== 'unattributed') reasons.push(sharedReason(lane.users, credential, windowLabel));
  if (credential !== null) {
    const facts = weakFactsOf(credential);
    if (facts.length >= WEAK_FACTS_MIN)
      reasons.push({ reason: 'weakly_governed', text: `${capital(facts.join(', '))}.` });
  }
  return reasons;
}

function sharedReason(users: number, credential: CredentialRow | null, windowLabel: string): PostureReason {
  const used = `${users} people used it in the last ${windowLabel}`;
  if (credential === null) return { reason: 'shared', text: `${used}.` };
  if (credential.sharing === 'personal')
    return { reason: 'shared_too_broadly', text: `${used}; it is registered as personal.` };
  return users > credential.people_declared
    ? { reason: 'shared_too_broadly', text: `${used}; it was declared for ${credential.people_declared}.` }
    : { reason: 'shared', text: `${used}, within the ${credential.people_declared} it was declared for.` };
}

/** What rule R22 counts against a key. Networks and scopes only where we enforce them: on keys of our own. */
function weakFactsOf(credential: CredentialRow): string[] {
  const managed = credential.kind === 'managed';
  const anyNetwork = credential.allowed_cidrs.length === 0 || credential.allowed_cidrs.some(isAnyNetwork);
  return [
    credential.owner === '' ? 'no owner' : '',
    credential.expires_at === null ? 'no expiry' : '',
    credential.environment === '' ? 'no environment' : '',
    managed && anyNetwork ? 'any network' : '',
    managed && credential.scopes.some(({ action }) => action === '*' || action === 'admin') ? 'scope * or admin' : '',
  ].filter((fact) => fact !== '');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function isRetired(standing: Lane['standing']): standing is 'revoked' | 'expired' {
  return standing === 'revoked' || standing === 'expired';
}

/** Whether a revoked or expired key was used as such. One that was only used before is settled. */
export function isRetiredInUse(lane: Pick<Lane, 'standing' | 'retired_events'>): boolean {
  return isRetired(lane.standing) && lane.retired_events > 0;
}

/** Of a revoked or expired key that was only used before. */
const SETTLED_RISK = 1;
const STANDING_RISK = { known: 0, unattributed: 2, ambiguous: 3, expired: 4, revoked: 5, unknown: 6 } as const;
const LIVE_RISK = 10;

/**
 * Where a lane stands in the order of risk: anything doubtful and live first, unknown before revoked, expired and
 * ambiguous; then the same without life; unattributed events; retired keys that were used only before; known keys last,
 * those with reasons before those without.
 */
export function riskRankOf(lane: Pick<Lane, 'standing' | 'posture' | 'retired_events'>, live: boolean): number {
  const settled = isRetired(lane.standing) && !isRetiredInUse(lane);
  const base = settled ? SETTLED_RISK : STANDING_RISK[lane.standing];
  const doubtful = base >= STANDING_RISK.ambiguous;
  return (doubtful && live ? LIVE_RISK : 0) + base + Math.min(lane.posture.length, 9) / 10;
}
