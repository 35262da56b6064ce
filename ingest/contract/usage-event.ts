import { z } from 'zod';
import { laneOf, UNATTRIBUTED_LANE } from './fingerprint.ts';

/**
 * The usage event in its three forms:
 * - {@link usageEventInputSchema}: the nested JSON object that collectors and other producers send;
 * - {@link UsageEvent}: the flat, normalised form that the code works with, one property per ledger column;
 * - the positional row: the flat form as a JSON array in the order of {@link USAGE_COLUMNS}, as it travels on the bus.
 */

export const CREDENTIAL_KINDS = ['api_key', 'oauth', 'none'] as const;
export const ACTIONS = ['execution', 'access'] as const;
export const OUTCOMES = ['success', 'failed', 'denied', 'rate_limited'] as const;
export const COST_BASES = ['reported', 'estimated', 'none'] as const;

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
  repo: 512,
  branch: 256,
  provider: 64,
  model: 128,
  module: 128,
  environment: 64,
  operation: 128,
  collector: 64,
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
] as const;
export type Flag = (typeof FLAGS)[number];

export const TIME_PAST_FLAG_MS = 30 * 24 * 3_600_000;
export const TIME_FUTURE_FLAG_MS = 10 * 60_000;
/** What DateTime64(3) and a plain calendar both hold: 1970-01-01 to 2299-12-31. */
export const TIME_MIN_MS = 0;
export const TIME_MAX_MS = Date.UTC(2299, 11, 31, 23, 59, 59, 999);

/** The longest that one request may have taken: a day. */
export const LATENCY_MS_MAX = 86_400_000;

const tokens = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** A decimal amount of US dollars with at most 9 places, up to 9,000,000 so that nano-dollars stay exact. */
export const DOLLARS_PATTERN = /^(?:[0-8]?\d{1,6}|9000000)(?:\.\d{1,9})?$/;
export const DOLLARS_MAX = 9_000_000;
const dollars = z.union([
  z.number().min(0).max(DOLLARS_MAX),
  z.string().regex(DOLLARS_PATTERN, `must be a decimal amount of dollars, 0 to ${DOLLARS_MAX}, with at most 9 places`),
]);
const anyText = z.string();

/** The nested JSON object of `POST /v1/events`. Fields it does not know are dropped and counted, not refused. */
export const usageEventInputSchema = z.object({
  source: z.string().min(1).max(TEXT_LIMITS.source).describe('Who produced the event. With id its identity, for ever.'),
  id: z.string().min(1).max(TEXT_LIMITS.id).describe('Unique within source.'),
  time: z.iso.datetime({ offset: true, local: false }).describe('When it happened, RFC 3339.'),
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
  repo: anyText.optional(),
  branch: anyText.optional(),
  provider: anyText.optional(),
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
}

/** The one column list of the positional row. A change of order or meaning needs a new {@link USAGE_ROW_VERSION}. */
export const USAGE_COLUMNS = [
  'source',
  'id',
  'time',
  'received_at',
  'fingerprint',
  'hint',
  'credential_provider',
  'credential_kind',
  'org',
  'user',
  'ip',
  'host',
  'agent',
  'agent_version',
  'session',
  'request_id',
  'repo',
  'branch',
  'provider',
  'model',
  'module',
  'environment',
  'action',
  'operation',
  'outcome',
  'status_code',
  'tokens_input_uncached',
  'tokens_cache_read',
  'tokens_cache_write',
  'tokens_output',
  'cost_nano_usd',
  'cost_basis',
  'latency_ms',
  'collector',
  'flags',
] as const satisfies readonly (keyof UsageEvent)[];

/** Record header that names the form of the value: a positional row version. Without it the value holds JSON objects. */
export const ROW_VERSION_HEADER = 'lanewatch-row';
/** The version that is written. Readers need to know the one before too, which a spool still sends after an upgrade. */
export const USAGE_ROW_VERSION = '1';

/**
 * Record header of events that a detector has put on the partition where their key belongs: how many partitions the topic had then.
 * Producers leave it out.
 */
export const MOVED_HEADER = 'lanewatch-moved';

/** A positional row, in the order of {@link USAGE_COLUMNS}. */
export type UsageRow = (string | number | string[])[];

/** Position of each column in the row, for readers that pick values without building an object. */
export const COLUMN_INDEX = Object.fromEntries(USAGE_COLUMNS.map((column, index) => [column, index])) as Record<
  (typeof USAGE_COLUMNS)[number],
  number
>;

type Cells<Columns extends readonly (keyof UsageEvent)[]> = {
  [Position in keyof Columns]: UsageEvent[Columns[Position]];
};
/** What stands at each position of {@link USAGE_COLUMNS}. */
export type UsageCells = Cells<typeof USAGE_COLUMNS>;

/**
 * The event as one line of JSON for the bus; no line break inside. One literal, because looking every column up by its name takes
 * longer; the tuple's type holds it to the column list.
 */
export function encodeUsageRow(event: UsageEvent): string {
  const cells: UsageCells = [
    event.source,
    event.id,
    event.time,
    event.received_at,
    event.fingerprint,
    event.hint,
    event.credential_provider,
    event.credential_kind,
    event.org,
    event.user,
    event.ip,
    event.host,
    event.agent,
    event.agent_version,
    event.session,
    event.request_id,
    event.repo,
    event.branch,
    event.provider,
    event.model,
    event.module,
    event.environment,
    event.action,
    event.operation,
    event.outcome,
    event.status_code,
    event.tokens_input_uncached,
    event.tokens_cache_read,
    event.tokens_cache_write,
    event.tokens_output,
    event.cost_nano_usd,
    event.cost_basis,
    event.latency_ms,
    event.collector,
    event.flags,
  ];
  return JSON.stringify(cells);
}

/**
 * What decides the partition: the lane, so that one credential's events stay in order in one place; events that name no key
 * spread by session instead, because no rule looks across them.
 */
export function partitionKeyOf(
  event: Pick<UsageEvent, 'fingerprint' | 'hint' | 'org' | 'session' | 'source' | 'id'>,
): string {
  const lane = laneOf(event.fingerprint, event.hint, event.org);
  if (lane !== UNATTRIBUTED_LANE) return lane;
  return event.session || `${event.source}\n${event.id}`;
}
