import { z } from 'zod';
import { dollarsSchema, instantSchema, pageOf, pageQuerySchema, registrationSchema, SEVERITIES } from './common.ts';

/**
 * Where a finding stands. open: nobody decided, a snooze ended, or it was re-opened by hand · reopened: it occurred again after it was resolved ·
 * acknowledged: somebody works on it · snoozed: out of the queue until an instant · resolved: done.
 */
export const FINDING_STATUSES = ['open', 'reopened', 'acknowledged', 'snoozed', 'resolved'] as const;
export type FindingStatus = (typeof FINDING_STATUSES)[number];
/** What `unresolved` means, and what counts of open findings count: neither done nor put off. */
export const UNRESOLVED_STATUSES = ['open', 'reopened', 'acknowledged'] as const satisfies readonly FindingStatus[];
export const FINDING_SORTS = ['severity', 'age', 'spend'] as const;

/** Why a finding was resolved; `registry` where registering or revoking its key did. */
export const RESOLUTIONS = ['fixed', 'false_positive', 'accepted_risk'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** `GET /v1/findings`: highest risk first, then newest, unless sorted otherwise. */
export const findingsQuerySchema = pageQuerySchema.extend({
  status: z
    .enum([...FINDING_STATUSES, 'unresolved'])
    .optional()
    .describe('unresolved = open, reopened and acknowledged'),
  severity: z.enum(SEVERITIES).optional(),
  rule: z.string().max(16).optional(),
  lane: z.string().max(128).optional(),
  org: z.string().max(600).optional(),
  assignee: z.string().max(254).optional().describe('E-mail; `me` for whoever asks, `none` for findings of nobody'),
  sort: z.enum(FINDING_SORTS).default('severity').describe('age = oldest first, spend = dearest lane first'),
  counts: z.enum(['none', 'statuses']).default('none').describe('statuses = also how many of the filter have each'),
});

export const findingItemSchema = z.object({
  id: z.string(),
  rule: z.string(),
  title: z.string(),
  condition: z.string(),
  /** What happened, what is usual, since when, in one sentence; values in it come from events. */
  sentence: z.string(),
  lane: z.string(),
  fingerprint: z.string(),
  hint: z.string(),
  org: z.string(),
  credential_id: z.string(),
  /** Whether registering its key answers it. */
  registration: registrationSchema,
  severity: z.enum(SEVERITIES),
  risk: z.number().int(),
  status: z.enum(FINDING_STATUSES),
  /** Who or what closed it, as what and why; null unless resolved. */
  resolution: z
    .object({ at: instantSchema, by: z.string(), as: z.enum([...RESOLUTIONS, 'registry']), reason: z.string() })
    .nullable(),
  /** Until when it is out of the queue; null unless snoozed. */
  snooze: z.object({ at: instantSchema, by: z.string(), until: instantSchema, reason: z.string() }).nullable(),
  /** Who took it on; null unless acknowledged. */
  acknowledged: z.object({ at: instantSchema, by: z.string() }).nullable(),
  /** E-mail of whom it is assigned to; '' for nobody. */
  assignee: z.string(),
  comments: z.number().int(),
  /** Grows with every act on it; 0 before the first. Send it along to be refused when somebody else acted since. */
  version: z.number().int(),
  first_seen: instantSchema,
  last_seen: instantSchema,
  occurrences: z.number().int(),
  /** What its lane spent within 30 UTC days, today the last of them. */
  lane_cost_usd: dollarsSchema,
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Query string parameters of `/v1/ledger` that show the rows which prove it. */
  ledger_filter: z.record(z.string(), z.string()),
});
export type FindingItem = z.infer<typeof findingItemSchema>;
export const findingsPageSchema = pageOf(findingItemSchema).extend({
  /** How many findings of the filter, whatever its status, have each status; null unless asked for. */
  counts: z.record(z.enum(FINDING_STATUSES), z.number().int()).nullable(),
});
export type FindingsPage = z.infer<typeof findingsPageSchema>;

/** What was done to a finding, as its history names it. */
export const FINDING_ACTS = ['acknowledge', 'resolve', 'reopen', 'snooze', 'assign', 'comment'] as const;
export type FindingActName = (typeof FINDING_ACTS)[number];

/** One line of a finding's history. `occurred_again` is what re-opened it, `registry` what the registry decided. */
export const findingEventSchema = z.object({
  id: z.string(),
  at: instantSchema,
  /** '' for what no person did. */
  by: z.string(),
  act: z.enum([...FINDING_ACTS, 'occurred_again', 'registry']),
  as: z.enum(RESOLUTIONS).nullable(),
  until: instantSchema.nullable(),
  assignee: z.string().nullable(),
  /** The reason given, or what the registry did. */
  reason: z.string(),
});
export type FindingEvent = z.infer<typeof findingEventSchema>;

export const findingCommentSchema = z.object({ id: z.string(), at: instantSchema, by: z.string(), text: z.string() });

/** Another finding that may belong to the same matter, and why it is listed. */
export const similarFindingSchema = findingItemSchema
  .pick({ id: true, rule: true, title: true, lane: true, hint: true, org: true, severity: true, status: true })
  .extend({ last_seen: instantSchema, why: z.enum(['same_key', 'same_hint', 'same_rule_and_org']) });
export type SimilarFinding = z.infer<typeof similarFindingSchema>;

/** `GET /v1/findings/{id}` */
export const findingDetailSchema = findingItemSchema.extend({
  /** Oldest first. */
  history: z.array(findingEventSchema),
  comment_list: z.array(findingCommentSchema),
  similar: z.array(similarFindingSchema),
  /** What to look at and do, step by step. */
  runbook: z.array(z.string()),
});
export type FindingDetail = z.infer<typeof findingDetailSchema>;
