import { isIP } from 'node:net';
import type { ValueTable } from '../lane-state/value-table.ts';

const PLACEHOLDERS = new Set(['unknown', 'anonymous', 'none', 'null', 'undefined', 'root', 'user', '-']);
/** Claude Code's `user.id` without an account: random 64 hex digits per installation, which says nothing of the person. */
const INSTALLATION_ID = /^[0-9a-f]{64}$/;

/** Whether a user value names somebody, as opposed to a placeholder, an installation or an address. */
export function isResolvedUser(user: string): boolean {
  if (user === '') return false;
  if (user.length === 64 && INSTALLATION_ID.test(user)) return false;
  return !PLACEHOLDERS.has(user.toLowerCase()) && isIP(user) === 0;
}

/** Whether the lane was seen from an address while nobody who used it is known by name. */
export function hasUnresolvedEndpoint(endpoints: ValueTable | null, users: ValueTable | null): boolean {
  const fromAddress = endpoints?.values.some((endpoint) => isIP(endpoint) !== 0) ?? false;
  return fromAddress && !(users?.values.some(isResolvedUser) ?? false);
}
