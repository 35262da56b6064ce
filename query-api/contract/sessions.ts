import { z } from 'zod';
import { dollarsSchema, instantSchema, pageOf, pageQuerySchema, standingSchema } from './common.ts';
import { ledgerItemSchema } from './ledger.ts';

/** `GET /v1/sessions/{session}`, its calls oldest first */
export const sessionQuerySchema = pageQuerySchema;

/** Another session next to this one on a lane, and its call that is nearest. */
const neighbourSchema = z.object({ session: z.string(), at: instantSchema }).nullable();

const countsShape = {
  events: z.number().int(),
  failed_events: z.number().int(),
  cost_usd: dollarsSchema,
};

const partSchema = z.object({ value: z.string(), ...countsShape });

/** One run of an agent. `session` is written as `segmentOf` has it. */
export const sessionSchema = z.object({
  session: z.string(),
  ...countsShape,
  tokens: z.object({ input_uncached: z.number(), cache_read: z.number(), cache_write: z.number(), output: z.number() }),
  first_seen: instantSchema,
  last_seen: instantSchema,
  is_live: z.boolean(),
  /** What its calls name, most calls first, up to ten each; the empty value stands for calls that name none. */
  users: z.array(partSchema),
  endpoints: z.array(partSchema),
  agents: z.array(partSchema),
  models: z.array(partSchema),
  repos: z.array(partSchema),
  orgs: z.array(partSchema),
  outcomes: z.array(partSchema),
  /** The keys it used, in the order in which it began to; up to eight. */
  lanes: z.array(
    z.object({
      lane: z.string(),
      hint: z.string(),
      /** As it stands now. */
      standing: standingSchema,
      ...countsShape,
      first_seen: instantSchema,
      last_seen: instantSchema,
      /** Within thirty days: the session whose last call on this lane came before this one's first, and the first to call after its last. */
      before: neighbourSchema,
      after: neighbourSchema,
    }),
  ),
  /** Calls that used another key than the call before, oldest first; up to fifty. */
  key_changes: z.array(z.object({ at: instantSchema, from_lane: z.string(), to_lane: z.string() })),
  /** Calls by time and key: steps of equal length from `first_seen` on; those without a call are left out. */
  axis: z.object({
    step_ms: z.number().int(),
    steps: z.array(z.object({ step: z.number().int(), lane: z.string(), ...countsShape })),
  }),
  calls: pageOf(ledgerItemSchema),
});
export type Session = z.infer<typeof sessionSchema>;
