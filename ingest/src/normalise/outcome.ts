import type { UsageEvent } from '../../contract/usage-event.ts';

/** What kind of failure an HTTP status tells of; `failed` also where there is none. */
export function failureOf(statusCode: number | null | undefined): UsageEvent['outcome'] {
  if (statusCode === 401 || statusCode === 403) return 'denied';
  return statusCode === 429 ? 'rate_limited' : 'failed';
}
