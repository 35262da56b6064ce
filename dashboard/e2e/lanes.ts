import type { CredentialItem, Lane, LedgerItem, Overview, Standing, Window } from '@lanewatch/query-api/contract';
import { decimal, type Organisation } from './organisation.ts';

/** Lanes and sums computed from the organisation's rows, so that the numbers on a page agree with the rows behind them. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const LIVE_MS = 30 * MINUTE_MS;
/** `ever` is none that can be asked for. */
type Span = Window | 'ever';
const SPAN_DAYS: Partial<Record<Span, number>> = { '7d': 7, '30d': 30, '90d': 90, ever: 8_000 };
const floorTo = (stepMs: number, instantMs: number) => Math.floor(instantMs / stepMs) * stepMs;

const nano = (dollars: string) => BigInt(dollars.replace('.', ''));
export const sum = (rows: readonly LedgerItem[]) =>
  decimal(rows.reduce((total, row) => total + nano(row.cost_usd), 0n));
export const distinct = (
  rows: readonly LedgerItem[],
  column: 'user' | 'agent' | 'repo' | 'model' | 'session' | 'lane',
) => [...new Set(rows.map((row) => row[column]))].filter((value) => value !== '');

/** Bounds of a window: from 00:00 UTC or a full minute on, to now. */
export function bounds(window: Span, nowMs: number): { from: string; to: string } {
  const days = SPAN_DAYS[window];
  const startMs =
    days === undefined
      ? floorTo(MINUTE_MS, nowMs - (window === '1h' ? HOUR_MS : DAY_MS))
      : floorTo(DAY_MS, nowMs) - (days - 1) * DAY_MS;
  return { from: new Date(startMs).toISOString(), to: new Date(nowMs + 1000).toISOString() };
}

export const inWindow = (rows: readonly LedgerItem[], window: Span, nowMs: number) => {
  const { from, to } = bounds(window, nowMs);
  return rows.filter((row) => row.seen_at >= from && row.seen_at < to);
};
export const isLive = (row: LedgerItem, nowMs: number) => nowMs - Date.parse(row.seen_at) < LIVE_MS;

/** How a lane stands now: by the registry as it is. */
function standingNow(row: LedgerItem, credential: CredentialItem | undefined): Standing {
  if (!credential) return row.standing as Standing;
  return credential.status === 'active' ? 'known' : credential.status;
}

const weakFactsOf = ({ owner, expires_at, environment }: CredentialItem) => [
  ...(owner === '' ? ['no owner'] : []),
  ...(expires_at === null ? ['no expiry'] : []),
  ...(environment === '' ? ['no environment'] : []),
];

export function lanesOf(org: Organisation, window: Span, nowMs: number): Lane[] {
  const rows = inWindow(org.rows, window, nowMs);
  return distinct(rows, 'lane').map((lane): Lane => {
    const own = rows.filter((row) => row.lane === lane);
    const newest = own[0] as LedgerItem;
    const credential = org.credentials.find((one) => one.fingerprint === newest.fingerprint);
    const users = distinct(own, 'user').length;
    const tokens = (column: 'tokens_input_uncached' | 'tokens_cache_read' | 'tokens_cache_write' | 'tokens_output') =>
      own.reduce((total, row) => total + row[column], 0);
    const standing = standingNow(newest, credential);
    const retiredEvents = own.filter((row) => row.standing === 'revoked' || row.standing === 'expired').length;
    const posture: Lane['posture'] = [];
    if (standing === 'unknown') posture.push({ reason: 'unknown_key', text: 'The key is not in the allowlist.' });
    if (standing === 'revoked')
      posture.push({ reason: 'revoked_in_use', text: `Revoked ${credential?.revoked_at}; used after.` });
    if (standing === 'expired') posture.push({ reason: 'expired_in_use', text: 'Used after it expired.' });
    if (standing === 'ambiguous')
      posture.push({ reason: 'ambiguous_hint', text: 'Two registered keys share this hint.' });
    const declared = credential?.sharing === 'personal' ? 1 : (credential?.people_declared ?? Infinity);
    const reason = users > declared ? 'shared_too_broadly' : 'shared';
    if (users > 1) posture.push({ reason, text: `${users} people used it within the window.` });
    const weak = credential ? weakFactsOf(credential) : [];
    if (weak.length > 1) posture.push({ reason: 'weakly_governed', text: `${weak.join(', ').replace('no', 'No')}.` });
    return {
      lane,
      fingerprint: newest.fingerprint,
      hint: newest.hint,
      standing,
      match: credential ? 'proven' : (newest.match as Lane['match']),
      registration: credential ? 'not_needed' : newest.fingerprint === '' ? 'needs_fingerprint' : 'helps',
      posture,
      credential: credential
        ? {
            id: credential.id,
            name: credential.name,
            kind: credential.kind,
            owner: credential.owner,
            sharing: credential.sharing,
          }
        : null,
      org: newest.org,
      provider: newest.provider,
      events: own.length,
      retired_events: retiredEvents,
      sessions: distinct(own, 'session').length,
      live_sessions: distinct(
        own.filter((row) => isLive(row, nowMs)),
        'session',
      ).length,
      users,
      endpoints: new Set(own.map((row) => row.ip || row.host).filter(Boolean)).size,
      agents: distinct(own, 'agent').length,
      repos: distinct(own, 'repo').length,
      models: distinct(own, 'model').length,
      cost_usd: sum(own),
      tokens: {
        input_uncached: tokens('tokens_input_uncached'),
        cache_read: tokens('tokens_cache_read'),
        cache_write: tokens('tokens_cache_write'),
        output: tokens('tokens_output'),
      },
      first_seen: own.at(-1)?.seen_at ?? newest.seen_at,
      last_seen: newest.seen_at,
      open_findings: org.findings.filter(
        (finding) => finding.lane === lane && finding.status !== 'resolved' && finding.status !== 'snoozed',
      ).length,
      // The observing proxy sees those of known keys.
      rate_limits:
        credential === undefined
          ? null
          : { at: newest.seen_at, limits: [{ kind: 'requests', limit: 4000, remaining: 3998, reset_at: null }] },
    };
  });
}

export function trendOf(rows: readonly LedgerItem[], window: Window, nowMs: number): Overview['trend'] {
  const stepMs = window === '1h' ? 5 * MINUTE_MS : window === '24h' ? HOUR_MS : DAY_MS;
  const startMs = Date.parse(bounds(window, nowMs).from);
  const firstMs = floorTo(stepMs, startMs);
  const count = (floorTo(stepMs, nowMs) - firstMs) / stepMs + 1;
  const starts = Array.from({ length: count }, (_, index) => Math.max(startMs, firstMs + index * stepMs));
  return starts.map((atMs, index) => {
    const own = rows.filter((row) => {
      const seenMs = Date.parse(row.seen_at);
      return seenMs >= atMs && seenMs < (starts[index + 1] ?? Infinity);
    });
    return {
      at: new Date(atMs).toISOString(),
      events: own.length,
      cost_usd: sum(own),
      unknown_cost_usd: sum(own.filter((row) => row.standing === 'unknown')),
    };
  });
}
