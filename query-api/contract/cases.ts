import { z } from 'zod';
import {
  dollarsSchema,
  instantSchema,
  MATCHES,
  pageOf,
  pageQuerySchema,
  registrationSchema,
  SEVERITIES,
  standingSchema,
  windowSchema,
  WINDOW_DEFAULT,
} from './common.ts';
import { bannerLaneSchema } from './overview.ts';
import { lanesQuerySchema, POSTURE_REASONS } from './lanes.ts';

const REGISTRY_RULES: readonly string[] = ['R22'];

/**
 * Whether a rule judges what the registry says of a key, not how it is used: where nobody set limits, it fires on every key at once, and of
 * two findings equally grave the one about use tells more. Pure.
 */
export const isOfRegistry = (rule: string): boolean => REGISTRY_RULES.includes(rule);

/** Where a case is: wants a decision; somebody works on it; put off until later. */
export const CASE_STATES = ['open', 'acknowledged', 'snoozed'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** `GET /v1/cases`: lanes that need a decision, highest score first, alike ones as one entry. */
export const casesQuerySchema = pageQuerySchema.extend({
  window: windowSchema.default(WINDOW_DEFAULT),
  state: z.enum(CASE_STATES).default('open'),
  standing: lanesQuerySchema.shape.standing,
  shared: lanesQuerySchema.shape.shared,
  live: lanesQuerySchema.shape.live,
  attributed: lanesQuerySchema.shape.attributed,
  reason: z.enum(POSTURE_REASONS).optional(),
  org: lanesQuerySchema.shape.org,
  urgent: z
    .stringbool()
    .optional()
    .describe('Needs immediate review: a critical finding, or a session that is live on a key that is not known'),
  assignee: z.string().max(254).optional().describe('E-mail; `me` for whoever asks, `none` for cases of nobody'),
  group: z.string().max(200).optional().describe('The members of one entry, each for itself'),
});

export const SCORE_PARTS = ['severity', 'standing', 'live', 'spend', 'reach'] as const;

/** One entry of the queue: a lane, or several that are alike, told by the one with the highest score. */
export const caseSchema = z.object({
  lane: z.string(),
  hint: z.string(),
  org: z.string(),
  standing: standingSchema,
  match: z.enum(MATCHES),
  registration: registrationSchema,
  /** 0 to 100, never 100: how it comes about is in `score_parts`, in points. */
  score: z.number(),
  score_parts: z.object(
    Object.fromEntries(SCORE_PARTS.map((part) => [part, z.number()])) as Record<
      (typeof SCORE_PARTS)[number],
      z.ZodNumber
    >,
  ),
  severity: z.enum(SEVERITIES),
  /** Of its gravest finding. */
  rule: z.string(),
  title: z.string(),
  finding: z.string(),
  /** How many findings of the state are on it. */
  findings: z.number().int(),
  assignee: z.string(),
  /** When the oldest of them began, and the newest occurred last. */
  first_seen: instantSchema,
  last_seen: instantSchema,
  cost_usd: dollarsSchema,
  people: z.number().int(),
  endpoints: z.number().int(),
  repos: z.number().int(),
  sessions: z.number().int(),
  live: z.boolean(),
  /** The newest event; null where the window has none. */
  latest: bannerLaneSchema
    .pick({ session: true, session_live: true, user: true, ip: true, agent: true, agent_version: true, model: true })
    .nullable(),
  /** Where it stands for several alike ones. */
  group: z
    .object({
      key: z.string(),
      /**
       * hint: the same hint under several organisations · collector: cheap lanes that one collector reported · rule: keys with nothing but
       * what a rule finds in their entry of the registry
       */
      by: z.enum(['hint', 'collector', 'rule']),
      /** How many there are, this one among them. */
      size: z.number().int(),
      cost_usd: dollarsSchema,
      lanes: z.array(z.string()).describe('The first 100'),
    })
    .nullable(),
});
export type Case = z.infer<typeof caseSchema>;

export const casesPageSchema = pageOf(caseSchema).extend({
  window: windowSchema,
  from: instantSchema,
  to: instantSchema,
  /** Entries and lanes that the filter has in all. */
  entries: z.number().int(),
  lanes: z.number().int(),
  /** Lanes in each state, whatever else is filtered. */
  states: z.object({ open: z.number().int(), acknowledged: z.number().int(), snoozed: z.number().int() }),
  /** Lanes that want a decision and need immediate review, whatever else is filtered. */
  urgent: z.number().int(),
  /** How many of those had begun by the end of each step of the overview's trend. */
  urgent_trend: z.array(z.number().int()),
  /** There are more findings than the queue looks at: it has the gravest. */
  truncated: z.boolean(),
});
export type CasesPage = z.infer<typeof casesPageSchema>;

/** `GET /v1/lanes/{lane}/callers`: who used a lane in the last 7 days, and would be hit when its key ends. Most calls first. */
export const callersSchema = z.object({
  from: instantSchema,
  to: instantSchema,
  /** How many there are, of those read; the busiest 50 are listed. */
  callers: z.number().int(),
  calls: z.number().int(),
  items: z.array(
    z.object({
      user: z.string(),
      ip: z.string(),
      agent: z.string(),
      environment: z.string(),
      repo: z.string(),
      calls: z.number().int(),
      last_seen: instantSchema,
    }),
  ),
});
export type Callers = z.infer<typeof callersSchema>;
