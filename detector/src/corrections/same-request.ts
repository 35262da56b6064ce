import { tokensOf } from './merge.ts';
import type { Report } from './correction.ts';

/** A request is reported this long apart at most; agents and proxies send within minutes, but each by its own clock. */
export const APART_MS_MAX = 10 * 60_000;
/** Without a request id in common, beside the time that the request took. */
const APART_IN_SESSION_MS = 60_000;
/** Without a session in common either. */
const APART_ALONE_MS = 10_000;

/**
 * How surely two reports are of one request, the smaller the surer; null when they are not. By the provider's request id or the id of its answer; else
 * by session and model with the same tokens; else by program, address, model and the same tokens. None is an identity, gateways repeat ids and
 * programs choose their sessions: who decides by this pairs one report of each kind with one of another.
 */
export function likeness(left: Report, right: Report): number | null {
  if (areApart(left, right)) return null;
  const apartMs = Math.abs(left.time - right.time);
  const sameTokens = hasSameTokens(left, right);
  const slackMs = Math.min(Math.max(left.latency_ms, right.latency_ms), APART_MS_MAX - APART_IN_SESSION_MS);
  if (isShared(left.request_id, right.request_id) || isShared(left.response_id, right.response_id)) {
    if (areOfTwoKeys(left, right))
      return isExchanged(left, right) && apartMs <= APART_IN_SESSION_MS + slackMs ? APART_MS_MAX + apartMs : null;
    return apartMs > APART_MS_MAX ? null : apartMs + (sameTokens ? 0 : APART_MS_MAX);
  }
  if (areOfTwoKeys(left, right) || contradicts(left.session, right.session) || !sameTokens) return null;
  if (isShared(left.session, right.session))
    return apartMs > APART_IN_SESSION_MS + slackMs ? null : 2 * APART_MS_MAX + apartMs;
  const isAlike = left.agent !== '' && left.agent === right.agent && left.ip === right.ip && tokensOf(left) > 0;
  return isAlike && left.model !== '' && apartMs <= APART_ALONE_MS ? 4 * APART_MS_MAX + apartMs : null;
}

/** Whether two reports can't be of one request, whatever a third has in common with both: they name two models or request ids. */
export function areApart(left: Report, right: Report): boolean {
  return contradicts(left.request_id, right.request_id) || !isOneModel(left.model, right.model);
}

/** Whether each names a key, and not the same. */
export function areOfTwoKeys(left: Report, right: Report): boolean {
  return (
    contradicts(left.fingerprint, right.fingerprint) ||
    (left.fingerprint === '' && right.fingerprint === '' && contradicts(left.hint, right.hint))
  );
}

/** Whether a gateway on the way may have exchanged the key of the one for that of the other: something on the way reports, and the tokens agree. */
function isExchanged(left: Report, right: Report): boolean {
  const isOnTheWay = left.reporter === 'proxy' || right.reporter === 'proxy';
  return isOnTheWay && (hasSameTokens(left, right) || tokensOf(left) === 0 || tokensOf(right) === 0);
}

const isShared = (left: string, right: string): boolean => left !== '' && left === right;
const contradicts = (left: string, right: string): boolean => left !== '' && right !== '' && left !== right;

/** `claude-sonnet-4-5` and `claude-sonnet-4-5-20250929` are one. */
const isOneModel = (left: string, right: string): boolean =>
  left === '' || right === '' || left.startsWith(right) || right.startsWith(left);

/** The four of both; of requests without any, that both failed: a count of tokens is not among other things. */
function hasSameTokens(left: Report, right: Report): boolean {
  if (tokensOf(left) === 0 && tokensOf(right) === 0)
    return (left.outcome === 'success') === (right.outcome === 'success');
  return (
    left.tokens_output === right.tokens_output &&
    left.tokens_input_uncached + left.tokens_cache_read + left.tokens_cache_write ===
      right.tokens_input_uncached + right.tokens_cache_read + right.tokens_cache_write
  );
}
