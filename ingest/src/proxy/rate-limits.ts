import type { IncomingHttpHeaders } from 'node:http';
import type { UsageEventInput } from '../../contract/index.ts';
import { RATE_LIMITED } from '../../contract/usage-event.ts';

type RateLimits = NonNullable<UsageEventInput['rate_limits']>;
type Kind = (typeof RATE_LIMITED)[number];

/** Headers that tell of one kind: Anthropic's, and those of OpenAI and the many that answer as it does. */
const HEADERS = RATE_LIMITED.map((kind) => {
  const name = kind.replace('_', '-');
  return {
    kind,
    limit: [`anthropic-ratelimit-${name}-limit`, `x-ratelimit-limit-${name}`],
    remaining: [`anthropic-ratelimit-${name}-remaining`, `x-ratelimit-remaining-${name}`],
    reset: [`anthropic-ratelimit-${name}-reset`, `x-ratelimit-reset-${name}`],
  };
});

/**
 * The limits of a key as an answer's headers tell them; undefined where they tell none. What can't be read is left out: a provider's new
 * spelling must not cost the event.
 * @param answeredAt epoch milliseconds; times until a reset count from it
 */
export function rateLimitsIn(headers: IncomingHttpHeaders, answeredAt: number): RateLimits | undefined {
  const told: Partial<Record<Kind, RateLimits[Kind]>> = {};
  for (const { kind, limit, remaining, reset } of HEADERS) {
    const one = {
      limit: countIn(textOf(headers, limit)),
      remaining: countIn(textOf(headers, remaining)),
      reset_at: instantIn(textOf(headers, reset), answeredAt),
    };
    if (one.limit !== undefined || one.remaining !== undefined) told[kind] = one;
  }
  return Object.keys(told).length === 0 ? undefined : told;
}

function textOf(headers: IncomingHttpHeaders, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) return Array.isArray(value) ? value[0] : value;
  }
  return undefined;
}

function countIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/;
const RESET_MS_MAX = 366 * 86_400_000;

/** A time as Anthropic writes it, or how long it is until then: `6m0s`, `1.5s`, `120ms`. */
function instantIn(text: string | undefined, answeredAt: number): string | undefined {
  if (text === undefined || text.length > 40) return undefined;
  if (/^\d{4}-\d\d-\d\dT/.test(text)) {
    const time = Date.parse(text);
    return Math.abs(time - answeredAt) <= RESET_MS_MAX ? new Date(time).toISOString() : undefined;
  }
  if (!DURATION.test(text)) return undefined;
  let untilMs = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g))
    untilMs += Number(number) * UNIT_MS[unit!]!;
  return untilMs <= RESET_MS_MAX ? new Date(answeredAt + Math.ceil(untilMs)).toISOString() : undefined;
}
