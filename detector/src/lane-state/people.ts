/**
 * What a user value is when it names nobody: a placeholder; Claude Code's `user.id` without an account, 64 random hex digits per
 * installation; an address. One text for both sides, because the ledger must tell people apart as the running detector does: for
 * JavaScript's matcher (ignoring the case of ASCII letters) and, on lower-cased values, for ClickHouse's.
 */
export const UNRESOLVED_USER =
  '^(?:unknown|anonymous|none|null|undefined|root|user|-|[0-9a-f]{64}|[0-9]{1,3}(?:[.][0-9]{1,3}){3}|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?:%[0-9a-z_]+)?)$';

const UNRESOLVED = new RegExp(UNRESOLVED_USER, 'i');

/** Whether a user value names somebody, as opposed to a placeholder, an installation or an address. */
export function isResolvedUser(user: string): boolean {
  return user !== '' && !UNRESOLVED.test(user);
}
