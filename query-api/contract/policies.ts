import { PROXY_REFUSALS } from '@lanewatch/ingest/contract/proxy-policy';
import { z } from 'zod';
import { instantSchema, SEVERITIES } from './common.ts';
import { fieldChangeSchema } from './credentials.ts';
import { POLICY_IDS, POLICY_MODES } from './policy-facts.ts';
import type { PolicyId } from './policy-facts.ts';

export * from './policy-facts.ts';

/** A minute: the shortest that schedules know. */
const DAYS_MIN = 1 / 1440;
const DAYS_MAX = 3650;
const days = z.number().min(DAYS_MIN).max(DAYS_MAX);

/** Settings of each policy. */
export const POLICY_SETTINGS = {
  auto_rotation: z.strictObject({ every_days: days, grace_days: days, collect_within_days: days }),
  expiry_alerts: z.strictObject({ days: z.array(days).min(1).max(10) }),
  usage_monitoring: z.strictObject({ idle_days: days }),
  suspicious_activity: z.strictObject({ min_severity: z.enum(SEVERITIES) }),
  ip_locking: z.strictObject({ observe_days: days.max(90) }),
  maximum_lifetime: z.strictObject({ max_days: days, notice_days: days }),
  mfa_for_execute: z.strictObject({}),
  proxy_refusal: z.strictObject({ refuse: z.array(z.enum(PROXY_REFUSALS)).min(1).max(PROXY_REFUSALS.length) }),
} as const satisfies Record<PolicyId, z.ZodType>;

export const policyIdSchema = z.enum(POLICY_IDS);
const settingsSchema = z.record(
  z.string(),
  z.union([z.number(), z.array(z.number()), z.string(), z.array(z.string())]),
);

/** `PUT /v1/policies/{id}` */
export const policyPutSchema = z
  .object({
    project: z
      .string()
      .trim()
      .max(200)
      .default('')
      .describe('Empty for the organisation, else the project that has it otherwise'),
    mode: z.enum([...POLICY_MODES, 'inherit']).describe('inherit takes back what a project has otherwise'),
    settings: settingsSchema.optional().describe('All of them; left out they stay as they are'),
    version: z
      .number()
      .int()
      .min(0)
      .describe('The version that the change was made on, 0 for none; another one answers 409'),
  })
  .meta({
    examples: [{ mode: 'enforce', settings: { every_days: 90, grace_days: 7, collect_within_days: 30 }, version: 0 }],
  });
export type PolicyPut = z.input<typeof policyPutSchema>;

const setSchema = z.object({
  project: z.string(),
  mode: z.enum(POLICY_MODES),
  settings: settingsSchema,
  version: z.number().int().describe('0: never set'),
  updated_at: instantSchema.nullable(),
  updated_by: z.string(),
});

export const policyItemSchema = setSchema.extend({
  id: policyIdSchema,
  overrides: z.array(setSchema).describe('Projects that have it otherwise'),
  covers: z.number().int().describe('Keys that it covers, where it is not off'),
  violations: z.number().int().describe('Covered keys that break it now'),
  compliance: z.number().min(0).max(1).nullable().describe('Share of covered keys that keep it; null without one'),
  sessions_governed: z
    .number()
    .int()
    .nullable()
    .describe(
      'Sessions of the last 7 days on keys of ours and of providers that it covers, counted on each key; null: not known now',
    ),
  unknown: z.boolean().describe('The ledger does not answer, so that what breaks it is not fully known'),
});
export type PolicyItem = z.infer<typeof policyItemSchema>;

/** `GET /v1/policies` */
export const policiesSchema = z.object({ items: z.array(policyItemSchema) });

const keySchema = z.object({
  credential_id: z.string(),
  name: z.string(),
  hint: z.string(),
  owner: z.string(),
  project: z.string(),
});

export const applicationSchema = z.object({
  id: z.string(),
  started_at: instantSchema,
  started_by: z.string(),
  changed: z.number().int(),
  skipped: z.number().int(),
  ended_at: instantSchema.nullable().describe('null: it is still at work'),
});
export type PolicyApplication = z.infer<typeof applicationSchema>;

export const noticeSchema = z.object({
  id: z.number().int(),
  kind: z.string(),
  subject: z.string(),
  threshold: z.string(),
  at: instantSchema,
  text: z.string(),
});

const collectionSchema = keySchema.extend({
  id: z.string(),
  opened_at: instantSchema,
  last_date: instantSchema,
  grace_seconds: z.number(),
  status: z.enum(['open', 'collected', 'missed', 'withdrawn']),
  ended_at: instantSchema.nullable(),
  ended_by: z.string(),
});

/** `GET /v1/policies/{id}` */
export const policyDetailSchema = policyItemSchema.extend({
  breaking: z.array(keySchema.extend({ why: z.string() })).describe('The first 200 keys that break it'),
  notices: z.array(noticeSchema).describe('The last 50 that came of it'),
  applications: z.array(applicationSchema).describe('The last 10, newest first'),
  collections: z.array(collectionSchema).describe('Replacements that wait for their owners: the first 100'),
});
export type PolicyDetail = z.infer<typeof policyDetailSchema>;

/** Answer of `POST /v1/policies/{id}/preview`: what applying would do now. */
export const policyPreviewSchema = z.object({
  version: z.number().int().describe('Of the policy: applying names it'),
  changes: z.number().int(),
  skipped: z.number().int().describe('Keys that break it and can’t be changed'),
  items: z
    .array(
      keySchema.extend({
        why: z.string(),
        changes: z.array(fieldChangeSchema),
        skipped: z.string().nullable().describe('Why it can’t be changed'),
      }),
    )
    .describe('The first 200'),
  is_complete: z.boolean().describe('false: more keys break it than were looked at for the counts'),
});
export type PolicyPreview = z.infer<typeof policyPreviewSchema>;

/** `POST /v1/policies/{id}/apply` */
export const policyApplySchema = z.object({
  version: z.number().int().min(1).describe('Of the preview; another one answers 409'),
});

/** `GET /v1/collections`: what waits for whoever asks, for admins everything. */
export const collectionsSchema = z.object({ items: z.array(collectionSchema) });
/** `GET /v1/collections/{id}` */
export const collectionDetailSchema = collectionSchema.extend({
  may_collect: z.boolean().describe('Whether whoever asks is the one it waits for'),
  needs_step_up: z.boolean(),
});
export type CollectionDetail = z.infer<typeof collectionDetailSchema>;
/** Answer of `POST /v1/collections/{id}/collect`: the only time that the secret is shown. */
export const collectedSchema = z.object({
  credential_id: z.string(),
  name: z.string(),
  secret: z.string(),
  previous_valid_until: instantSchema,
  published: z.boolean(),
});
export type Collected = z.infer<typeof collectedSchema>;
