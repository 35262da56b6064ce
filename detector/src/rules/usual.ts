import type { Finding } from '../../contract/index.ts';
import type { Credential } from '../classify/registry-view.ts';
import { AT, PROFILED, type LaneProfile, type Profiled, type Sight } from '../lane-state/profile.ts';
import type { LedgerRow } from '../../contract/index.ts';

export const DAY_MS = 24 * 3_600_000;
const NAMED_MAX = 5;

/** The value of an event in each dimension of which it is known what is usual. */
export function valueOf(dimension: Profiled, row: LedgerRow, sight: Sight): string {
  if (dimension === 'endpoint') return row.ip === '' ? row.host : row.ip;
  if (dimension === 'network') return sight.place?.network ?? '';
  if (dimension === 'country') return sight.place?.country ?? '';
  return row[dimension];
}

/**
 * Whether a dimension's value is new on its lane: never seen, or not for so long while the lane was in use. The time in which nobody used
 * the key makes nothing new: whoever comes back from leave comes back to what they left.
 */
export function isNews({ unseenMs, idleMs }: Sight, dimension: number, historyMs: number): boolean {
  const restedMs = idleMs === Infinity ? 0 : Math.max(0, idleMs);
  return unseenMs[dimension]! - restedMs >= historyMs;
}

/** Of each dimension that is new on the lane its value, and those that are usual there, the latest first. */
export function newsFacts(
  { tables }: LaneProfile,
  row: LedgerRow,
  sight: Sight,
  historyMs: number,
): Record<string, Finding['facts'][string]> {
  const facts: Record<string, Finding['facts'][string]> = {};
  for (const dimension of PROFILED) {
    if (dimension === 'user' || !isNews(sight, AT[dimension], historyMs)) continue;
    const value = valueOf(dimension, row, sight);
    facts[`new_${dimension}`] = value;
    const table = tables[AT[dimension]] ?? null;
    if (table === null) continue;
    const usual = table.values
      .map((held, index) => ({ held, lastMs: table.sights[index * 2 + 1]! }))
      .filter(({ held }) => held !== value)
      .sort((left, right) => right.lastMs - left.lastMs);
    if (usual.length > 0) facts[`usual_${dimension}`] = usual.slice(0, NAMED_MAX).map(({ held }) => held);
  }
  return facts;
}

/** Whether the registry has a key as this person's own. */
export function isOwner(credential: Credential | null, user: string): boolean {
  if (credential === null || user === '') return false;
  const { owner_kind, owner, sharing } = credential.record;
  return owner_kind === 'person' && sharing === 'personal' && owner.toLowerCase() === user.toLowerCase();
}

/** Whether a network is one that a database named, as opposed to a range of addresses. */
export function isNamedNetwork(network: string): boolean {
  return network.startsWith('AS');
}
