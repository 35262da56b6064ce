import { z } from 'zod';
import { FILTER_CHARS_MAX } from './ledger-filter.ts';
import { dollarsSchema, givenTimeSchema, instantSchema, pageOf, pageQuerySchema } from './common.ts';

/**
 * Columns that `GET /v1/ledger` filters by equality; a parameter given several times means any of its values. People, addresses, hosts, agents,
 * repositories and models may be spelled in any way that events spell them.
 */
export const LEDGER_FILTER_COLUMNS = [
  'source',
  'id',
  'lane',
  'fingerprint',
  'hint',
  'credential_provider',
  'credential_kind',
  'credential_id',
  'org',
  'user',
  'ip',
  'host',
  'agent',
  'agent_version',
  'session',
  'request_id',
  'response_id',
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
  'cost_basis',
  'collector',
  'served_by',
  'reporter',
  'standing',
  'match',
] as const;

const many = z
  .union([z.string().max(600), z.array(z.string().max(600)).max(50)])
  .transform((value) => (Array.isArray(value) ? value : [value]));
const filters = Object.fromEntries(LEDGER_FILTER_COLUMNS.map((column) => [column, many.optional()])) as Record<
  (typeof LEDGER_FILTER_COLUMNS)[number],
  z.ZodOptional<typeof many>
>;

/** `GET /v1/ledger`, newest first unless asked otherwise. Without `from` and `to` every row is reached page by page. */
export const ledgerQuerySchema = pageQuerySchema.extend({
  ...filters,
  /** Rows from this endpoint: the address, or the host where no address is reported. */
  endpoint: many.optional(),
  /** Rows that are an occurrence of this finding. */
  finding: z.string().max(64).optional(),
  /** Rows that carry this flag. */
  flag: z.string().max(64).optional(),
  /** Rows where these columns are empty. */
  without: many.pipe(z.array(z.enum(LEDGER_FILTER_COLUMNS))).optional(),
  /** Bounds of seen_at: from inclusive, to exclusive. */
  from: givenTimeSchema.optional(),
  to: givenTimeSchema.optional(),
  /** The row at this place on the bus: partition, offset and index within its record, as `3/4711/0`. */
  place: z
    .string()
    .regex(/^\d{1,9}\/\d{1,15}\/\d{1,9}$/, 'must be a place on the bus such as 3/4711/0')
    .optional(),
  /** A typed filter, such as `agent:codex cost>1 -user:ada`; all other parameters hold as well. */
  q: z.string().max(FILTER_CHARS_MAX).optional(),
  /** Corrections that join the report of this event id with others of its request. */
  joins: z.string().min(1).max(512).optional(),
  /** Rows that were stored after this instant, whenever they were seen. */
  stored_after: givenTimeSchema.optional(),
  /** asc: oldest first. */
  order: z.enum(['asc', 'desc']).optional(),
  /** false leaves out what all rows come to, which `/v1/ledger/totals` tells apart from them. */
  totals: z.stringbool().optional(),
});
export type LedgerQuery = z.infer<typeof ledgerQuerySchema>;

/** One row as it was written; names are the ledger's columns. */
export const ledgerItemSchema = z.object({
  source: z.string(),
  id: z.string(),
  time: instantSchema,
  received_at: instantSchema,
  seen_at: instantSchema,
  stored_at: instantSchema,
  lane: z.string(),
  fingerprint: z.string(),
  hint: z.string(),
  credential_provider: z.string(),
  credential_kind: z.string(),
  credential_id: z.string(),
  standing: z.string(),
  match: z.string(),
  org: z.string(),
  user: z.string(),
  ip: z.string(),
  host: z.string(),
  agent: z.string(),
  agent_version: z.string(),
  session: z.string(),
  request_id: z.string(),
  repo: z.string(),
  branch: z.string(),
  provider: z.string(),
  model: z.string(),
  module: z.string(),
  environment: z.string(),
  action: z.string(),
  operation: z.string(),
  outcome: z.string(),
  status_code: z.number().int(),
  tokens_input_uncached: z.number(),
  tokens_cache_read: z.number(),
  tokens_cache_write: z.number(),
  tokens_output: z.number(),
  cost_usd: dollarsSchema,
  cost_basis: z.string(),
  latency_ms: z.number(),
  collector: z.string(),
  flags: z.array(z.string()),
  served_by: z.string(),
  reporter: z.string(),
  sent_as: z.string().describe('JSON by column: names as they were sent, where the canonical one differs; else empty'),
  response_id: z.string(),
  rate_limits: z
    .string()
    .describe(
      'Limits of the key as the answer told them: JSON of requests, tokens, … with limit, remaining and reset_at',
    ),
  findings: z.array(z.string()),
  calls: z
    .number()
    .int()
    .describe('1; -1 where the row takes a report back, because several reports are of one request. Sums count by it'),
  joins: z.string().describe('On corrections the reports that they join, as JSON of source and id; else empty'),
  kafka_partition: z.number().int(),
  kafka_offset: z.number().int(),
  record_index: z.number().int(),
});
export type LedgerItem = z.infer<typeof ledgerItemSchema>;
/** A page of rows; `totals` covers everything the filter matches, so that sums agree with the number that led here. */
export const ledgerPageSchema = pageOf(ledgerItemSchema).extend({
  totals: z
    .object({ events: z.number().int(), cost_usd: dollarsSchema, sessions: z.number().int() })
    .nullable()
    .describe('On the first page only, the others have the same; null there when counting takes too long'),
});
export type LedgerPage = z.infer<typeof ledgerPageSchema>;

/** `GET /v1/ledger/totals`: what the rows of a filter come to, counted within a budget of rows and time. */
export const ledgerTotalsQuerySchema = ledgerQuerySchema.omit({ limit: true, cursor: true, totals: true, order: true });
export const ledgerTotalsSchema = z.object({
  /** Whether all rows were counted; else there are more than these. */
  is_complete: z.boolean(),
  events: z.number().int(),
  cost_usd: dollarsSchema,
  /** Distinct ones; null where telling them apart takes too long. */
  sessions: z.number().int().nullable(),
});
export type LedgerTotals = z.infer<typeof ledgerTotalsSchema>;

/** `GET /v1/ledger/histogram`: rows of a filter over time, from `from` or the first of them to `to` or now. */
export const ledgerHistogramQuerySchema = ledgerTotalsQuerySchema.omit({ place: true, stored_after: true });
export const ledgerHistogramSchema = z.object({
  from: instantSchema,
  to: instantSchema,
  step_ms: z.number().int(),
  /** Those with a row in them, oldest first. */
  steps: z.array(
    z.object({ at: instantSchema, events: z.number().int(), failed_events: z.number().int(), cost_usd: dollarsSchema }),
  ),
});
export type LedgerHistogram = z.infer<typeof ledgerHistogramSchema>;
