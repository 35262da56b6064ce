import { z } from 'zod';
import {
  dollarsSchema,
  instantSchema,
  MATCHES,
  pageOf,
  pageQuerySchema,
  registrationSchema,
  standingSchema,
  windowSchema,
  WINDOW_DEFAULT,
} from './common.ts';

/**
 * What a lane's posture may have in it. shared_too_broadly: by more people than its registration declares; refused: not in the registry, and
 * every event of the window was denied, so that it is no unknown_key.
 */
export const POSTURE_REASONS = [
  'unknown_key',
  'refused',
  'ambiguous_hint',
  'revoked_in_use',
  'expired_in_use',
  'retired',
  'shared',
  'shared_too_broadly',
  'weakly_governed',
  'no_key_named',
] as const;

/** Why a lane is where it is: a reason with the facts that caused it. */
export const postureReasonSchema = z.object({ reason: z.enum(POSTURE_REASONS), text: z.string() });

/** `GET /v1/lanes` */
export const lanesQuerySchema = pageQuerySchema.extend({
  window: windowSchema.default(WINDOW_DEFAULT),
  standing: standingSchema.optional(),
  /** Only lanes used by two or more people in the window. */
  shared: z.stringbool().optional(),
  /** Only lanes with an event in the last 30 minutes. */
  live: z.stringbool().optional(),
  /** Only lanes whose events name a key (true), or the one of events that name none (false). */
  attributed: z.stringbool().optional(),
  /** Only lanes that have this in their posture. */
  reason: z.enum(POSTURE_REASONS).optional(),
  org: z.string().max(256).optional(),
  /**
   * Part of hint, credential name, org, owner, person, agent, host or repository, or the start of a fingerprint, session or address
   */
  q: z.string().max(200).optional(),
  sort: z.enum(['risk', 'last_seen', 'cost', 'sessions', 'events', 'hint']).default('risk'),
  order: z.enum(['asc', 'desc']).default('desc'),
});

/** Limits of a key as an answer told them: what the provider allows, and what was left of it. */
const rateLimitsSchema = z.object({
  /** When it was told. */
  at: instantSchema,
  limits: z.array(
    z.object({
      /** `requests`, `tokens`, `input_tokens` or `output_tokens`. */
      kind: z.string(),
      limit: z.number().int().nullable(),
      remaining: z.number().int().nullable(),
      reset_at: instantSchema.nullable(),
    }),
  ),
});
export type RateLimits = z.infer<typeof rateLimitsSchema>;

export const laneSchema = z.object({
  /** Fingerprint, `hint_…`, or `unattributed`. */
  lane: z.string(),
  fingerprint: z.string(),
  hint: z.string(),
  /** Standing now, by the registry as it is; rows keep the standing of their time. */
  standing: standingSchema,
  match: z.enum(MATCHES),
  registration: registrationSchema,
  posture: z.array(postureReasonSchema),
  credential: z
    .object({
      id: z.string(),
      name: z.string(),
      kind: z.enum(['managed', 'registered']),
      owner: z.string(),
      sharing: z.enum(['personal', 'team']),
    })
    .nullable(),
  org: z.string(),
  provider: z.string(),
  events: z.number().int(),
  /** Events of the window that met the key as revoked or expired. */
  retired_events: z.number().int(),
  sessions: z.number().int(),
  live_sessions: z.number().int(),
  users: z.number().int(),
  endpoints: z.number().int(),
  agents: z.number().int(),
  repos: z.number().int(),
  models: z.number().int(),
  cost_usd: dollarsSchema,
  tokens: z.object({ input_uncached: z.number(), cache_read: z.number(), cache_write: z.number(), output: z.number() }),
  /** Of the window's events; where it has none, of all time. */
  first_seen: instantSchema,
  last_seen: instantSchema,
  open_findings: z.number().int(),
  /** As the newest answer of the last day told them to the observing proxy; null where none did. */
  rate_limits: rateLimitsSchema.nullable(),
});
export type Lane = z.infer<typeof laneSchema>;
/** A page of lanes, and what it counts: `/v1/ledger` between these bounds (until `to`, exclusive) has the rows. */
export const lanesPageSchema = pageOf(laneSchema).extend({
  window: windowSchema,
  from: instantSchema,
  to: instantSchema,
});
export type LanesPage = z.infer<typeof lanesPageSchema>;

/** One value that a lane was seen with, most recent first. */
export const laneNodeSchema = z.object({
  value: z.string(),
  events: z.number().int(),
  cost_usd: dollarsSchema,
  first_seen: instantSchema,
  last_seen: instantSchema,
});

/** Where a lane was used from: an address, or the host where no address was reported. `column` is the one that holds the value. */
export const laneEndpointSchema = laneNodeSchema.extend({ column: z.enum(['ip', 'host']) });

/** What two keys are compared by. */
export const LIKENESSES = ['user', 'repo', 'endpoint', 'agent', 'org', 'provider'] as const;
const likenessSchema = z.object({ what: z.enum(LIKENESSES), value: z.string() });
export type Likeness = z.infer<typeof likenessSchema>;

/** `GET /v1/lanes/{lane}`: the lane with its four topology groups. */
export const laneDetailSchema = laneSchema.extend({
  window: windowSchema,
  /** Bounds for `/v1/ledger` (until `to`, exclusive) that show the rows counted here. */
  from: instantSchema,
  to: instantSchema,
  /** First event on the lane that the ledger has, in the window or before. */
  first_seen_ever: instantSchema,
  /** Rows stored before then have names as they were sent, where one person may be several; null where the lane has none in the window. */
  names_as_sent_until: instantSchema.nullable(),
  observed_with: z.object({
    users: z.array(laneNodeSchema),
    endpoints: z.array(laneEndpointSchema),
    agents: z.array(laneNodeSchema),
  }),
  usage_context: z.object({
    models: z.array(laneNodeSchema),
    repos: z.array(laneNodeSchema),
    sessions: z.array(laneNodeSchema.extend({ user: z.string(), agent: z.string(), live: z.boolean() })),
  }),
  known_comparables: z.array(
    z.object({
      lane: z.string(),
      hint: z.string(),
      name: z.string(),
      standing: standingSchema,
      sessions: z.number().int(),
      cost_usd: dollarsSchema,
      /** What both have, and where the other has something else: one value each. Of uses the other's last hours count. */
      same: z.array(likenessSchema),
      differs: z.array(likenessSchema),
    }),
  ),
  response_path: z.object({
    findings: z.array(
      z.object({ id: z.string(), rule: z.string(), title: z.string(), severity: z.string(), status: z.string() }),
    ),
    credential_actions: z.array(z.enum(['register', 'revoke'])),
  }),
  trend: z.array(z.object({ at: instantSchema, events: z.number().int(), cost_usd: dollarsSchema })),
});
export type LaneDetail = z.infer<typeof laneDetailSchema>;

/** What a lane can be shared by more of. */
export const SHARING_KINDS = ['user', 'endpoint', 'agent', 'repo', 'model'] as const;
const perKind = <Of extends z.ZodType>(of: Of) =>
  z.object(Object.fromEntries(SHARING_KINDS.map((kind) => [kind, of])) as Record<(typeof SHARING_KINDS)[number], Of>);

/** `GET /v1/lanes/{lane}/sharing`: with how many a lane was shared over time, and what of it is new. */
export const laneSharingSchema = z.object({
  /** Distinct values in each step of the lane's trend, oldest first. */
  steps: z.array(perKind(z.number().int()).extend({ at: instantSchema })),
  /** Values that the lane was seen with before the window, up to 500 of a kind; null where there is too much to look through. */
  seen_before: perKind(z.array(z.string())).nullable(),
});
export type LaneSharing = z.infer<typeof laneSharingSchema>;
