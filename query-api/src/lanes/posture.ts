import type { z } from 'zod';
import type { Lane, postureReasonSchema } from '../../contract/index.ts';
import type { CredentialRow } from '../registry/record.ts';
import type { StandingNow } from './standing-now.ts';

type PostureReason = z.infer<typeof postureReasonSchema>;

/** From how many missing safeguards a key is weakly governed; rule R22's default. */
const WEAK_FACTS_MIN = 2;

/** Why a lane needs attention, worst first; empty when nothing does. */
export function postureOf(
  lane: { hint: string; users: number; live_sessions: number; last_seen: string },
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
  if (standing === 'revoked') {
    const at = credential?.revoked_at?.toISOString() ?? '';
    reasons.push({ reason: 'revoked_in_use', text: `Revoked ${at}; last seen ${lane.last_seen}${live}.` });
  }
  if (standing === 'expired') {
    const at = credential?.expires_at?.toISOString() ?? '';
    reasons.push({ reason: 'expired_in_use', text: `Expired ${at}; last seen ${lane.last_seen}${live}.` });
  }
  if (lane.users >= 2 && standing !== 'unattributed')
    reasons.push({ reason: 'shared', text: sharedText(lane.users, credential, windowLabel) });
  if (credential !== null) {
    const facts = weakFactsOf(credential);
    if (facts.length >= WEAK_FACTS_MIN)
      reasons.push({ reason: 'weakly_governed', text: `${capital(facts.join(', '))}.` });
  }
  return reasons;
}

function sharedText(users: number, credential: CredentialRow | null, windowLabel: string): string {
  const used = `${users} people used it in the last ${windowLabel}`;
  if (credential === null) return `${used}.`;
  if (credential.sharing === 'personal') return `${used}; it is registered as personal.`;
  return users > credential.people_declared
    ? `${used}; it was declared for ${credential.people_declared}.`
    : `${used}, within the ${credential.people_declared} it was declared for.`;
}

/** What rule R22 counts against a key. Networks and scopes only where we enforce them: on keys of our own. */
function weakFactsOf(credential: CredentialRow): string[] {
  const managed = credential.kind === 'managed';
  const anyNetwork = credential.allowed_cidrs.every((cidr) => cidr === '0.0.0.0/0' || cidr === '::/0');
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

const STANDING_RISK = { known: 0, unattributed: 1, ambiguous: 2, expired: 3, revoked: 4, unknown: 5 } as const;
const LIVE_RISK = 10;

/**
 * Where a lane stands in the order of risk: anything doubtful and live first, unknown before revoked, expired and
 * ambiguous; then the same without life; unattributed events; known keys last, those with reasons before those without.
 */
export function riskRankOf(lane: Pick<Lane, 'standing' | 'posture'>, live: boolean): number {
  const base = STANDING_RISK[lane.standing];
  const doubtful = base >= STANDING_RISK.ambiguous;
  return (doubtful && live ? LIVE_RISK : 0) + base + Math.min(lane.posture.length, 9) / 10;
}
