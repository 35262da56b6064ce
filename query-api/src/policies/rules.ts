import { isPrivileged } from '@lanewatch/ingest/contract';
import type { CredentialScope } from '@lanewatch/ingest/contract';
import { SEVERITIES } from '../../contract/index.ts';
import type { PolicyId, PolicySettings, Severity } from '../../contract/index.ts';
import { isFromAnyNetwork } from '../registry/marks.ts';
import { statusAt } from '../registry/record.ts';
import type { CredentialRow, LastUse } from '../registry/record.ts';

export const DAY_MS = 86_400_000;

/** What policies know of a key beside its row. */
export interface KeyFacts {
  lastUse: LastUse;
  /** Of its worst open finding; `unavailable` while the ledger does not answer. */
  worstOpen: Severity | null | 'unavailable';
  /** Whether the person who answers for it has a second factor. */
  ownerHasMfa: boolean;
  /** Requests of the last 7 days that break what holds for the proxy; null while the ledger does not answer. */
  refusals: number | null;
  /** It speaks for a person here; its owner renews it under Account. */
  isPersonalToken: boolean;
}

/** Networks that a key was used from; `unavailable` while the ledger does not answer. */
export type SeenNetworks = readonly string[] | 'unavailable';

/** More networks than this are no place that a key is used from. */
const NETWORKS_MAX = 32;

const daysOf = (settings: PolicySettings, name: string): number => Number(settings[name]) * DAY_MS;
const inDays = (ms: number): string => {
  const count = Math.floor(ms / DAY_MS);
  return count === 1 ? '1 day' : `${count} days`;
};

/** Whether a policy is about a key at all. Pure. */
export function covers(id: PolicyId, row: CredentialRow, facts: KeyFacts, nowMs: number): boolean {
  if (facts.isPersonalToken || statusAt(row, nowMs) !== 'active') return false;
  switch (id) {
    case 'auto_rotation':
    case 'ip_locking':
      return row.kind === 'managed';
    case 'mfa_for_execute':
      return row.kind === 'managed' && isPrivileged(row.scopes);
    case 'expiry_alerts':
      return row.expires_at !== null;
    default:
      return true;
  }
}

/** Why a covered key breaks a policy now, as one sentence; null when it keeps it, or nobody can tell. Pure. */
export function whyBroken(
  id: PolicyId,
  settings: PolicySettings,
  row: CredentialRow,
  facts: KeyFacts,
  nowMs: number,
): string | null {
  switch (id) {
    case 'auto_rotation': {
      const ageMs = nowMs - row.secret_created_at.getTime();
      return ageMs < daysOf(settings, 'every_days') ? null : `Its secret is ${inDays(ageMs)} old.`;
    }
    case 'expiry_alerts': {
      const leftMs = row.expires_at!.getTime() - nowMs;
      const days = Math.max(...(settings['days'] as number[]));
      return leftMs > days * DAY_MS ? null : `It ends in ${inDays(leftMs)}.`;
    }
    case 'usage_monitoring': {
      if (facts.lastUse === 'unavailable') return null;
      const idleMs = nowMs - (facts.lastUse ?? row.created_at.getTime());
      if (idleMs < daysOf(settings, 'idle_days')) return null;
      return facts.lastUse === null ? 'It was never used.' : `It was not used for ${inDays(idleMs)}.`;
    }
    case 'suspicious_activity': {
      const { worstOpen } = facts;
      if (worstOpen === null || worstOpen === 'unavailable') return null;
      const isBad = SEVERITIES.indexOf(worstOpen) >= SEVERITIES.indexOf(settings['min_severity'] as Severity);
      return isBad ? `An open finding of severity ${worstOpen} is about it.` : null;
    }
    case 'ip_locking':
      return isFromAnyNetwork(row) ? 'It works from any address.' : null;
    case 'maximum_lifetime': {
      const lastMs = row.created_at.getTime() + daysOf(settings, 'max_days');
      if (row.expires_at === null) return 'It never ends.';
      return row.expires_at.getTime() <= lastMs ? null : 'It ends later than it may.';
    }
    case 'mfa_for_execute':
      return facts.ownerHasMfa ? null : 'Nobody with a second factor answers for it.';
    case 'proxy_refusal':
      return (facts.refusals ?? 0) === 0 ? null : `${facts.refusals} of its requests in the last 7 days break it.`;
  }
}

/** What applying a policy does to a key that breaks it. */
export type PolicyChange =
  | { kind: 'edit'; fields: Partial<Pick<CredentialRow, 'expires_at' | 'allowed_cidrs' | 'scopes'>> }
  | { kind: 'collection'; graceMs: number; lastMs: number }
  | { kind: 'none'; why: string };

/** The change that a policy makes to a covered key which breaks it. Pure. */
export function changeOf(
  id: PolicyId,
  settings: PolicySettings,
  row: CredentialRow,
  seen: SeenNetworks,
  nowMs: number,
): PolicyChange {
  switch (id) {
    case 'auto_rotation':
      return {
        kind: 'collection',
        graceMs: daysOf(settings, 'grace_days'),
        lastMs: nowMs + daysOf(settings, 'collect_within_days'),
      };
    case 'maximum_lifetime': {
      const noticeMs = nowMs + daysOf(settings, 'notice_days');
      const endMs = Math.max(row.created_at.getTime() + daysOf(settings, 'max_days'), noticeMs);
      // Else each application would put off the end that the one before it set.
      if (row.expires_at !== null && row.expires_at.getTime() <= endMs) {
        return { kind: 'none', why: 'It ends within the notice already.' };
      }
      return { kind: 'edit', fields: { expires_at: new Date(endMs) } };
    }
    case 'ip_locking':
      if (seen === 'unavailable') return { kind: 'none', why: 'The ledger does not answer.' };
      if (seen.length === 0)
        return { kind: 'none', why: 'No use with an address was seen, so there is nothing to propose.' };
      if (seen.length > NETWORKS_MAX) {
        return { kind: 'none', why: `It is used from ${seen.length} networks: name its networks by hand.` };
      }
      return { kind: 'edit', fields: { allowed_cidrs: [...seen] } };
    case 'mfa_for_execute':
      return { kind: 'edit', fields: { scopes: withoutPrivilege(row.scopes) } };
    default:
      return { kind: 'none', why: 'This policy only watches.' };
  }
}

/** Scopes as they are without triggering and administering. Pure. */
export function withoutPrivilege(scopes: readonly CredentialScope[]): CredentialScope[] {
  const kept = scopes.flatMap(({ action, resource }): CredentialScope[] => {
    if (action === 'execute') return [];
    if (action !== 'admin' && action !== '*') return [{ action, resource }];
    return [
      { action: 'read', resource },
      { action: 'write', resource },
    ];
  });
  return [...new Map(kept.map((scope) => [`${scope.action} ${scope.resource}`, scope])).values()];
}

/** The network of an address that is proposed: /24 of IPv4, /64 of IPv6. Pure; null for what is no address. */
export function networkOf(address: string): string | null {
  const four = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(address);
  if (four !== null) return `${four[1]}.0/24`;
  if (!address.includes(':') || address.includes('.')) return null;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined
      ? before
      : [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
  return groups.length === 8 ? `${groups.slice(0, 4).join(':')}::/64` : null;
}
