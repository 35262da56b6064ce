import { z } from 'zod';

/**
 * The usage event in its three forms:
 * - {@link usageEventInputSchema}: the nested JSON object that collectors and other producers send;
 * - {@link UsageEvent}: the flat, normalised form that the code works with, one property per ledger column;
 * - the positional row: the flat form as a JSON array in the order of `USAGE_COLUMNS` (usage-row.ts), as it travels on the bus.
 */

export const CREDENTIAL_KINDS = ['api_key', 'oauth', 'none'] as const;
export const ACTIONS = ['execution', 'access'] as const;
export const OUTCOMES = ['success', 'failed', 'denied', 'rate_limited'] as const;
export const COST_BASES = ['reported', 'estimated', 'none'] as const;
/** Who reports a request: the program that made it, the SDK inside it, a proxy it went through, or an import of what a provider counted. */
export const REPORTERS = ['agent', 'sdk', 'proxy', 'import'] as const;

/** Longest accepted strings, in UTF-16 units. Identity is refused beyond it, descriptions are cut and flagged `truncated`. */
export const TEXT_LIMITS = {
  source: 512,
  id: 512,
  hint: 128,
  credential_provider: 64,
  org: 256,
  user: 256,
  ip: 64,
  host: 256,
  agent: 128,
  agent_version: 64,
  session: 256,
  request_id: 256,
  response_id: 256,
  repo: 512,
  branch: 256,
  provider: 64,
  model: 128,
  module: 128,
  environment: 64,
  operation: 128,
  collector: 64,
  served_by: 64,
  /** All raw names of an event as JSON, where every character of theirs may need an escape. */
  sent_as: 4096,
  /** All limits of an answer as JSON; written here, never cut. */
  rate_limits: 1024,
} as const;

/** What ingest and detector may note on an event; stored in the ledger's `flags`. */
export const FLAGS = [
  /** time is more than {@link TIME_PAST_FLAG_MS} before receipt */
  'time_past',
  /** time is more than {@link TIME_FUTURE_FLAG_MS} after receipt */
  'time_future',
  /** time was outside what the ledger can hold and was moved to its edge */
  'time_clamped',
  /** a description was longer than its limit and was cut */
  'truncated',
  /** a secret was found in a kept field and replaced by its hint */
  'redacted',
  /** a fingerprint was sent that is none; it was dropped */
  'fingerprint_invalid',
  /** the sender named the key in the clear; it became fingerprint and hint at the door */
  'raw_key_hashed',
  /** the row corrects how often and how much other rows count, because several report one request */
  'correction',
  /** a correction that takes a report back whose request counts under another key, because a gateway exchanged the two */
  'other_key',
  /** the observing proxy refused the request by policy */
  'refused_by_policy',
  /** a policy that only watches would refuse the request */
  'would_be_refused',
] as const;
export type Flag = (typeof FLAGS)[number];

export const TIME_PAST_FLAG_MS = 30 * 24 * 3_600_000;
export const TIME_FUTURE_FLAG_MS = 10 * 60_000;
/** What DateTime64(3) and a plain calendar both hold: 1970-01-01 to 2299-12-31. */
export const TIME_MIN_MS = 0;
export const TIME_MAX_MS = Date.UTC(2299, 11, 31, 23, 59, 59, 999);

/** The longest that one request may have taken: a day. */
export const LATENCY_MS_MAX = 86_400_000;

/**
 * A date and time of RFC 3339 with its zone; `t` and `z` may be lower-case (§5.6). zod's own pattern, which knows the calendar, takes
 * capitals only.
 */
export const RFC_3339 = new RegExp(
  z.core.regexes
    .datetime({ offset: true, local: false })
    .source.replace('T(?:', '[Tt](?:')
    .replace('(?:Z|', '(?:[Zz]|'),
);

const tokens = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** A decimal amount of US dollars with at most 9 places, up to 9,000,000 so that nano-dollars stay exact. */
export const DOLLARS_PATTERN = /^(?:[0-8]?\d{1,6}|9000000)(?:\.\d{1,9})?$/;
export const DOLLARS_MAX = 9_000_000;
const dollars = z.union([
  z.number().min(0).max(DOLLARS_MAX),
  z.string().regex(DOLLARS_PATTERN, `must be a decimal amount of dollars, 0 to ${DOLLARS_MAX}, with at most 9 places`),
]);
const anyText = z.string();

/** What the provider counts against a key's limits, as its answers name them. */
export const RATE_LIMITED = ['requests', 'tokens', 'input_tokens', 'output_tokens'] as const;
const rateLimit = z
  .object({
    limit: tokens.optional().describe('How many a key may have in the time until it is full again.'),
    remaining: tokens.optional(),
    reset_at: z.string().regex(RFC_3339).meta({ format: 'date-time' }).optional().describe('When it is full again.'),
  })
  .optional();

/** The nested JSON object of `POST /v1/events`. Fields it does not know are dropped and counted, not refused. */
export const usageEventInputSchema = z.object({
  source: z.string().min(1).max(TEXT_LIMITS.source).describe('Who produced the event. With id its identity, for ever.'),
  id: z.string().min(1).max(TEXT_LIMITS.id).describe('Unique within source.'),
  time: z.string().regex(RFC_3339).meta({ format: 'date-time' }).describe('When it happened, RFC 3339.'),
  credential: z
    .object({
      fingerprint: anyText.optional().describe('SHA-256 of the key, 64 lower-case hex digits.'),
      hint: anyText.optional().describe('Masked form, such as sk-ant-api03-R2D...igAA.'),
      provider: anyText.optional(),
      kind: z.enum(CREDENTIAL_KINDS).optional(),
    })
    .optional(),
  org: anyText.optional(),
  user: anyText.optional(),
  ip: anyText.optional(),
  host: anyText.optional(),
  agent: z.object({ name: anyText.optional(), version: anyText.optional() }).optional(),
  session: anyText.optional(),
  request_id: anyText.optional(),
  response_id: anyText.optional().describe('Id of the answer itself, such as msg_… or chatcmpl-….'),
  repo: anyText.optional(),
  branch: anyText.optional(),
  provider: anyText.optional(),
  served_by: anyText
    .optional()
    .describe('Where the request was served when not by the provider itself, such as bedrock or openrouter.'),
  model: anyText.optional(),
  module: anyText.optional(),
  environment: anyText.optional(),
  action: z.enum(ACTIONS).optional(),
  operation: anyText.optional(),
  outcome: z.enum(OUTCOMES).optional(),
  status_code: z.number().int().min(0).max(999).optional(),
  tokens: z
    .object({
      input_uncached: tokens.optional(),
      cache_read: tokens.optional(),
      cache_write: tokens.optional(),
      output: tokens.optional(),
    })
    .optional()
    .describe('Four disjoint counts: input_uncached excludes what was read from or written to the cache.'),
  cost_usd: dollars.optional(),
  cost_basis: z.enum(COST_BASES).optional(),
  latency_ms: z.number().min(0).max(LATENCY_MS_MAX).optional(),
  reporter: z
    .enum(REPORTERS)
    .optional()
    .describe('Who reports the request; an agent and its proxy may both report one.'),
  rate_limits: z
    .object({ requests: rateLimit, tokens: rateLimit, input_tokens: rateLimit, output_tokens: rateLimit })
    .optional()
    .describe("The key's limits as the answer told them."),
});

export type UsageEventInput = z.infer<typeof usageEventInputSchema>;

/** The flat form. Texts that are not there are '', numbers that are not there are 0 (`cost_basis: none` tells a missing cost). */
export interface UsageEvent {
  source: string;
  id: string;
  /** Epoch milliseconds. */
  time: number;
  /** Epoch milliseconds. */
  received_at: number;
  fingerprint: string;
  hint: string;
  credential_provider: string;
  credential_kind: (typeof CREDENTIAL_KINDS)[number];
  org: string;
  user: string;
  ip: string;
  host: string;
  agent: string;
  agent_version: string;
  session: string;
  request_id: string;
  repo: string;
  branch: string;
  provider: string;
  model: string;
  module: string;
  environment: string;
  action: (typeof ACTIONS)[number];
  operation: string;
  outcome: (typeof OUTCOMES)[number];
  status_code: number;
  tokens_input_uncached: number;
  tokens_cache_read: number;
  tokens_cache_write: number;
  tokens_output: number;
  /** Billionths of a US dollar: exact integers where decimal dollars would round. The ledger shows it as `cost_usd`. */
  cost_nano_usd: number;
  cost_basis: (typeof COST_BASES)[number];
  latency_ms: number;
  /** Credential id of the collector that shipped it; '' from a producer of its own. */
  collector: string;
  flags: Flag[];
  /** Where the request was served when not by the provider itself; ''. */
  served_by: string;
  /** Who reports the request; '' where nothing says. */
  reporter: (typeof REPORTERS)[number] | '';
  /** Names as they were sent, as JSON by column, where the canonical form differs; '' where none does. */
  sent_as: string;
  /** Id of the answer, which reports of one request share where none has its request id; ''. */
  response_id: string;
  /** The key's limits as the answer told them: JSON of {@link RATE_LIMITED} with limit, remaining and reset_at; '' where none did. */
  rate_limits: string;
}
