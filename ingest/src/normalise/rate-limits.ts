import { RATE_LIMITED } from '../../contract/usage-event.ts';
import { fault, group, NOTHING, type Pass, rawText, unknownFields, whole } from './fields.ts';
import { parseTime } from './time.ts';

/** What was told of one kind; a number that was not told is not there. */
interface Limit {
  limit?: number;
  remaining?: number;
  reset_at?: string;
}

export interface RateLimits {
  /** JSON by kind; '' where nothing was told. */
  json: string;
  dropped: number;
  /** Fields seen inside, of which the event's own are told apart by subtraction. */
  seenInside: number;
}

const NONE: RateLimits = { json: '', dropped: 0, seenInside: 0 };

function instant(pass: Pass, path: string, value: unknown): string | null {
  const given = rawText(pass, path, value);
  if (given === '') return null;
  const time = parseTime(given);
  if (time === null) fault(pass, path, 'must be RFC 3339 with a zone, such as 2026-11-20T23:14:34.576Z');
  return time === null ? null : new Date(time).toISOString();
}

/** The limits of a key as an answer told them. */
export function rateLimits(pass: Pass, value: unknown): RateLimits {
  const given = group<Record<string, unknown>>(pass, 'rate_limits', value);
  if (given === NOTHING) return NONE;
  const before = pass.seen;
  const told: Record<string, Limit> = {};
  let dropped = 0;
  let seenDeeper = 0;
  for (const kind of RATE_LIMITED) {
    const path = `rate_limits.${kind}`;
    const one = group<Limit>(pass, path, given[kind]);
    if (one === NOTHING) continue;
    const beforeOne = pass.seen;
    const limit: Limit = {};
    for (const name of ['limit', 'remaining'] as const) {
      const count = whole(pass, `${path}.${name}`, one[name], Number.MAX_SAFE_INTEGER);
      if (typeof one[name] === 'number') limit[name] = count;
    }
    const resetAt = instant(pass, `${path}.reset_at`, one.reset_at);
    if (resetAt !== null) limit.reset_at = resetAt;
    dropped += unknownFields(one, pass, beforeOne);
    seenDeeper += pass.seen - beforeOne;
    if (Object.keys(limit).length > 0) told[kind] = limit;
  }
  // Those inside its own groups say nothing about the fields of the group itself.
  dropped += unknownFields(given, pass, before + seenDeeper);
  const json = Object.keys(told).length === 0 ? '' : JSON.stringify(told);
  return { json, dropped, seenInside: pass.seen - before };
}
