/** Now, as query-api takes it. */
export const instantNow = (): string => new Date().toISOString();

/**
 * Where rows are asked for that were stored after an instant.
 * @param search of the page, whose filters hold for them
 */
export function newerAddress(search: string, storedAfter: string): string {
  const params = new URLSearchParams(search);
  for (const name of ['cursor', 'to']) params.delete(name);
  params.set('stored_after', storedAfter);
  return `/ledger/newer?${params.toString()}`;
}
