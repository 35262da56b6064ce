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

/** Answers by the list of networks, which a key keeps for as long as nobody changes it: cards ask for all keys at once. */
const fromAnywhere = new WeakMap<readonly string[], boolean>();

/** Whether a key may be used from any address of IPv4 or of IPv6. */
export function isFromAnyNetwork({ allowed_cidrs: cidrs }: Pick<CredentialRow, 'allowed_cidrs'>): boolean {
  let answer = fromAnywhere.get(cidrs);
  if (answer === undefined) {
    answer = cidrs.length === 0 || cidrs.some(isAnyNetwork);
    fromAnywhere.set(cidrs, answer);
  }
  return answer;
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

/** What marks are judged by beside the key itself. */
export interface Seen {
  lastUse: LastUse;
  nowMs: number;
  tooManyOldOf: ReadonlySet<string>;
}

/** When each mark holds of an active key. */
const HOLDS: Record<Mark, (row: CredentialRow, seen: Seen) => boolean> = {
  idle: ({ created_at: created }, { lastUse, nowMs }) =>
    lastUse !== 'unavailable' && nowMs - (typeof lastUse === 'number' ? lastUse : created.getTime()) > IDLE_AFTER_MS,
  unclear_name: ({ name }) => isNameUnclear(name),
  too_many_old_keys: (row, { nowMs, tooManyOldOf }) => tooManyOldOf.has(row.owner) && isOld(row, nowMs),
  no_owner: ({ owner }) => owner === '',
  no_org: ({ kind, org }) => kind === 'registered' && org === '',
  no_expiry: ({ expires_at: expires }) => expires === null,
  any_network: (row) => row.kind === 'managed' && isFromAnyNetwork(row),
  rotation_overdue: ({ secret_created_at: made }, { nowMs }) => nowMs - made.getTime() > ROTATION_DUE_AFTER_MS,
};

/** Whether one mark holds of a key that is active, which costs less than asking for all of them. */
export const hasMark = (row: CredentialRow, mark: Mark, seen: Seen): boolean => HOLDS[mark](row, seen);

/**
 * What stands out about an active key; the thresholds and where they come from are in the contract. A retired key has no marks: nothing
 * can be done about it any more. Of a provider's key networks are not known here, so they are marked on managed keys only.
 */
export function marksOf(row: CredentialRow, seen: Seen): Mark[] {
  if (statusAt(row, seen.nowMs) !== 'active') return [];
  return (Object.keys(HOLDS) as Mark[]).filter((mark) => HOLDS[mark](row, seen));
}
