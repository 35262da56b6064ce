import { z } from 'zod';
import { dollarsSchema, instantSchema, registrationSchema, windowSchema, WINDOW_DEFAULT } from './common.ts';

/** `GET /v1/overview` */
export const overviewQuerySchema = z.object({ window: windowSchema.default(WINDOW_DEFAULT) });

/** A lane that the banner names: an unknown key, or a retired one in use, live ones first. The first ten; the counts are complete. */
export const bannerLaneSchema = z.object({
  lane: z.string(),
  hint: z.string(),
  org: z.string(),
  standing: z.string(),
  registration: registrationSchema,
  /** Latest session on it, and whether it is live (an event within the last 30 minutes). */
  session: z.string(),
  session_live: z.boolean(),
  user: z.string(),
  ip: z.string(),
  agent: z.string(),
  agent_version: z.string(),
  model: z.string(),
  /** What the lane cost in the window, and what that session did on it there; 0 where the latest event names no session. */
  cost_usd: dollarsSchema,
  session_cost_usd: dollarsSchema,
  last_seen: instantSchema,
});

/** One collector with what was counted for it on its way, so that silence is told apart from calm. */
export const collectorHealthSchema = z.object({
  /** Credential id; '' for events that came straight from a Kafka producer. */
  collector: z.string(),
  name: z.string(),
  hint: z.string(),
  /** Whether the registry has it; own producers have no credential, and a restored registry may have lost one. */
  registered: z.boolean(),
  /**
   * reporting: an event within 5 minutes · silent: none for longer · never: registered, nothing yet · revoked · expired, gone: silent for
   * more than a day, and its key expired, or it is none of the registry's, so that nobody waits for it any more
   */
  state: z.enum(['reporting', 'silent', 'never', 'revoked', 'expired', 'gone']),
  last_received_at: instantSchema.nullable(),
  accepted: z.number().int(),
  rejected: z.number().int(),
  ignored: z.number().int(),
  redacted: z.number().int(),
  stored: z.number().int(),
  duplicates: z.number().int(),
  dead_lettered: z.number().int(),
  /** Lay on another partition than their key's and were put there, repeats after a crash counted again. */
  moved: z.number().int(),
  /** Sources of some of them: producers to set `partitioner=murmur2_random` on. */
  moved_sources: z.array(z.string()),
  /**
   * Accepted and still on the bus: accepted − stored − duplicates − dead_lettered, as far as the detectors have not read beyond them.
   * What the difference has more than that was not counted: a process was killed before it reported, or the bus lost it.
   */
  in_flight: z.number().int(),
});

export const overviewSchema = z.object({
  window: windowSchema,
  from: instantSchema,
  to: instantSchema,
  /** Lanes with a fingerprint or hint seen in the window. */
  keys_observed: z.number().int(),
  /** The org that most of them name, the one with more events among equals; '' where none names one. */
  primary_org: z.string(),
  known_lanes: z.number().int(),
  /** Lanes whose key is unknown now and was not refused every time: `/v1/lanes?reason=unknown_key`. */
  unknown_lanes: z.number().int(),
  /** Unknown keys whose every event of the window was denied, such as a mistyped one: no key in use. `/v1/lanes?reason=refused` */
  refused_lanes: z.number().int(),
  /** Lanes ambiguous now, and the retired ones. */
  doubtful_lanes: z.number().int(),
  /** Lanes revoked or expired now with an event in the window that met them as such; those only used before do not count. */
  retired_lanes: z.number().int(),
  /** Lanes used by two or more distinct people in the window. */
  shared_lanes: z.number().int(),
  /** Those of them that more people used than their registration declares. */
  overshared_lanes: z.number().int(),
  /** Lanes whose registered key lacks two safeguards or more: owner, expiry, environment, and so on. */
  weakly_governed_lanes: z.number().int(),
  /** Distinct sessions with an event of standing unknown, on lanes that `unknown_lanes` counts. */
  unknown_key_sessions: z.number().int(),
  /** Sessions of those with an event in the last 30 minutes. */
  live_unknown_sessions: z.number().int(),
  /** What they spent in the window, and what an unknown lane's events without a session did, where one was in the last 30 minutes. */
  live_unknown_spend_usd: dollarsSchema,
  unattributed_events: z.number().int(),
  events: z.number().int(),
  cost_usd: dollarsSchema,
  open_findings: z.object({
    low: z.number().int(),
    medium: z.number().int(),
    high: z.number().int(),
    critical: z.number().int(),
  }),
  banner: z.array(bannerLaneSchema),
  /**
   * Spend and events per UTC day, oldest first, and what of it was on rows of unknown keys; per hour in 24h and per five minutes in 1h.
   * Steps begin at full ones of the clock, but for the first of a short window, which begins with it.
   */
  trend: z.array(
    z.object({ at: instantSchema, events: z.number().int(), cost_usd: dollarsSchema, unknown_cost_usd: dollarsSchema }),
  ),
  /**
   * What was in use in each of these steps, by the counts above it: unknown as it was met then, weakly governed as it is now. Up to five minutes old.
   */
  count_trend: z.array(
    z.object({
      at: instantSchema,
      keys: z.number().int(),
      unknown_lanes: z.number().int(),
      shared_lanes: z.number().int(),
      weakly_governed_lanes: z.number().int(),
      unknown_key_sessions: z.number().int(),
    }),
  ),
  collectors: z.array(collectorHealthSchema),
  /** When anything was last stored at all; null before the first event. */
  last_stored_at: instantSchema.nullable(),
});
export type Overview = z.infer<typeof overviewSchema>;
export type CollectorHealth = z.infer<typeof collectorHealthSchema>;
export type BannerLane = z.infer<typeof bannerLaneSchema>;

/**
 * Events of `GET /v1/changes` (text/event-stream): sent when rows or findings were stored, the registry changed or somebody triaged, at most twice a
 * second. While a store does not answer its part stays what it was; null, '' and 0 before the first answer.
 */
export const changeSchema = z.object({
  last_stored_at: instantSchema.nullable(),
  /** To be compared only: another one whenever findings were written, which is a moment after their rows. */
  findings_version: z.string(),
  registry_version: z.number().int(),
  /** Another one whenever somebody acted on a finding. */
  triage_version: z.number().int(),
  /** False while ClickHouse does not answer: what is stored meanwhile is not heard of. */
  ledger_answers: z.boolean(),
});
export type Change = z.infer<typeof changeSchema>;
