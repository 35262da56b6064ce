import { z } from 'zod';
import {
  dollarsSchema,
  instantSchema,
  pageOf,
  pageQuerySchema,
  standingSchema,
  windowSchema,
  WINDOW_DEFAULT,
} from './common.ts';
import { ENTITY_KINDS } from './entity-address.ts';
import { postureReasonSchema } from './lanes.ts';

export const entityKindSchema = z.enum(ENTITY_KINDS);

/** `GET /v1/entities/{kind}` */
export const entitiesQuerySchema = pageQuerySchema.extend({
  window: windowSchema.default(WINDOW_DEFAULT),
  /** Part of the value. */
  q: z.string().max(200).optional(),
  /** Only values seen on this lane. */
  lane: z.string().max(128).optional(),
  /** Only values with no event before the window (true), or only others. */
  new: z.stringbool().optional(),
  /** Only values that used a key that is unknown now (true), or only others. */
  unknown: z.stringbool().optional(),
  sort: z.enum(['last_seen', 'first_seen', 'events', 'cost', 'keys', 'unknown_keys', 'value']).default('last_seen'),
  order: z.enum(['asc', 'desc']).default('desc'),
});
export type EntitiesQuery = z.output<typeof entitiesQuerySchema>;

const entityLaneSchema = z.object({ lane: z.string(), hint: z.string(), standing: standingSchema });

/** One value and what was seen with it in the window. The empty value stands for all events that name none. */
export const entitySchema = z.object({
  value: z.string(),
  events: z.number().int(),
  /** Events that failed, were denied or were rate limited. */
  failed_events: z.number().int(),
  cost_usd: dollarsSchema,
  /** Distinct keys, and those of them that are unknown now. */
  keys: z.number().int(),
  unknown_keys: z.number().int(),
  /** Three of them, unknown ones first, then those with most events. */
  lanes: z.array(entityLaneSchema),
  users: z.number().int(),
  sessions: z.number().int(),
  /** Of its newest event. */
  latest: z.object({ user: z.string(), agent: z.string(), repo: z.string(), model: z.string() }),
  /** First and last event in the window. */
  first_seen: instantSchema,
  last_seen: instantSchema,
  /** No event before the window, as far as the ledger reaches back. */
  is_new: z.boolean(),
  /** An event within the last half hour. */
  is_live: z.boolean(),
});
export type Entity = z.infer<typeof entitySchema>;

const bounds = {
  window: windowSchema,
  /** What is counted: `/v1/ledger` between these bounds (until `to`, exclusive) has the rows. */
  from: instantSchema,
  to: instantSchema,
  /** False where the whole window has more rows than may be counted: then `from` is that of a shorter one. */
  is_complete: z.boolean(),
};

export const entitiesPageSchema = pageOf(entitySchema).extend(bounds);
export type EntitiesPage = z.infer<typeof entitiesPageSchema>;

/** One value that another was seen with, newest first. */
export const entityNodeSchema = z.object({
  value: z.string(),
  events: z.number().int(),
  cost_usd: dollarsSchema,
  first_seen: instantSchema,
  last_seen: instantSchema,
});
export type EntityNode = z.infer<typeof entityNodeSchema>;

/** A kind of values seen with another: how many there are, and the newest of them. The empty value is one of them, and not counted. */
const entityGroupSchema = z.object({
  kind: entityKindSchema,
  total: z.number().int(),
  nodes: z.array(entityNodeSchema),
});
export type EntityGroup = z.infer<typeof entityGroupSchema>;

/** `GET /v1/entities/{kind}/{value}`: the four groups, seen from a value. `value` is written as `segmentOf` has it. */
export const entityDetailSchema = z.object({
  kind: entityKindSchema,
  value: z.string(),
  ...bounds,
  events: z.number().int(),
  failed_events: z.number().int(),
  cost_usd: dollarsSchema,
  keys: z.number().int(),
  unknown_keys: z.number().int(),
  /** Of all time; `first_seen_ever` is as far as the ledger reaches back. */
  first_seen_ever: instantSchema,
  last_seen_ever: instantSchema,
  is_new: z.boolean(),
  is_live: z.boolean(),
  /** The keys it used, newest first, each as it stands now and with its posture. */
  lanes: z.array(
    entityNodeSchema
      .omit({ value: true })
      .extend({ ...entityLaneSchema.shape, org: z.string(), posture: z.array(postureReasonSchema) }),
  ),
  /** Every other kind of values. */
  groups: z.array(entityGroupSchema),
  trend: z.array(
    z.object({ at: instantSchema, events: z.number().int(), cost_usd: dollarsSchema, unknown_cost_usd: dollarsSchema }),
  ),
});
export type EntityDetail = z.infer<typeof entityDetailSchema>;
