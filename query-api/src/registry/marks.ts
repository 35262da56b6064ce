import { isAnyNetwork } from '@lanewatch/ingest/contract';
import type { Mark } from '../../contract/index.ts';
import {
  IDLE_AFTER_MS,
  isNameUnclear,
  OLD_AFTER_MS,
  OLD_KEYS_PER_OWNER_MAX,
  ROTATION_DUE_AFTER_MS,
} from '../../contract/index.ts';
import { statusAt } from './record.ts';
import type { CredentialRow, LastUse } from './record.ts';

/** Whether a key may be used from any address of IPv4 or of IPv6. */
export function isFromAnyNetwork({ allowed_cidrs: cidrs }: Pick<CredentialRow, 'allowed_cidrs'>): boolean {
  return cidrs.length === 0 || cidrs.some(isAnyNetwork);
}

const isOld = (row: CredentialRow, nowMs: number): boolean => nowMs - row.created_at.getTime() > OLD_AFTER_MS;

/** Owners with more active old keys than {@link OLD_KEYS_PER_OWNER_MAX}. */
export function ownersOfTooManyOldKeys(all: readonly CredentialRow[], nowMs: number): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const row of all) {
    if (row.owner === '' || !isOld(row, nowMs) || statusAt(row, nowMs) !== 'active') continue;
    counts.set(row.owner, (counts.get(row.owner) ?? 0) + 1);
  }
  return new Set([...counts].filter(([, keys]) => keys > OLD_KEYS_PER_OWNER_MAX).map(([owner]) => owner));
}

/**
 * What stands out about an active key; the thresholds and where they come from are in the contract. A retired key has no marks: nothing
 * can be done about it any more. Of a provider's key networks are not known here, so they are marked on managed keys only.
 */
export function marksOf(
  row: CredentialRow,
  seen: { lastUse: LastUse; nowMs: number; tooManyOldOf: ReadonlySet<string> },
): Mark[] {
  const { lastUse, nowMs, tooManyOldOf } = seen;
  if (statusAt(row, nowMs) !== 'active') return [];
  const usedMs = typeof lastUse === 'number' ? lastUse : row.created_at.getTime();
  const holds: Record<Mark, boolean> = {
    idle: lastUse !== 'unavailable' && nowMs - usedMs > IDLE_AFTER_MS,
    unclear_name: isNameUnclear(row.name),
    too_many_old_keys: isOld(row, nowMs) && tooManyOldOf.has(row.owner),
    no_owner: row.owner === '',
    no_org: row.kind === 'registered' && row.org === '',
    no_expiry: row.expires_at === null,
    any_network: row.kind === 'managed' && isFromAnyNetwork(row),
    rotation_overdue: nowMs - row.secret_created_at.getTime() > ROTATION_DUE_AFTER_MS,
  };
  return (Object.keys(holds) as Mark[]).filter((mark) => holds[mark]);
}
