/** Fields whose labels on the page are other words than query-api's names. */
const LABELS: Record<string, string> = {
  expires_at: 'Expiry',
  allowed_cidrs: 'Networks',
  org: 'Organization',
  people_declared: 'People in the team',
  rate_limit_per_minute: 'Calls a minute',
};

/** What a form calls a field: `allowed_cidrs.1` is the second network. */
export function wordsOf(path: string): string {
  const [name = '', index] = path.split('.');
  const words = LABELS[name] ?? name.replaceAll('_', ' ');
  const place = /^\d+$/.test(index ?? '') ? ` no. ${Number(index) + 1}` : '';
  return words.charAt(0).toUpperCase() + words.slice(1) + place;
}
