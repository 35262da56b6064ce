import { z } from 'zod';
import { instantSchema, SEVERITIES } from './common.ts';

export const CHANNEL_KINDS = ['webhook', 'slack', 'email'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];
/** When findings are told: each at once, those of an hour together, or those of a day together. */
export const CHANNEL_PACES = ['each', 'hourly', 'daily'] as const;
export const CHANNEL_PATTERNS_MAX = 50;

const names = z.array(z.string().trim().min(1).max(200)).max(CHANNEL_PATTERNS_MAX);
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be HH:MM');

/** Which findings a channel tells of, and when. Empty lists mean any. */
const channelRouting = {
  severity: z.enum(SEVERITIES).describe('The least severe that is told'),
  orgs: names,
  projects: names.describe('Of the registered key'),
  owners: names.describe('Of the registered key'),
  pace: z.enum(CHANNEL_PACES),
  /** Between these times of day (UTC) nothing is told; it follows at the end. Both or none. */
  quiet_from: clock.nullable(),
  quiet_to: clock.nullable(),
  enabled: z.boolean(),
};

/** A channel as readers see it: never the address as a whole where it is a secret, nor the signing secret. */
export const channelSchema = z.object({
  id: z.string(),
  kind: z.enum(CHANNEL_KINDS),
  name: z.string(),
  /** Where to: host of a webhook, addresses of an e-mail. */
  target: z.string(),
  ...channelRouting,
  created_at: instantSchema,
  created_by: z.string(),
  version: z.number().int(),
  /** Waiting to be told, what of it failed at least once, and what was given up. */
  waiting: z.number().int(),
  failing: z.number().int(),
  given_up: z.number().int(),
  last_sent_at: instantSchema.nullable(),
});
export type Channel = z.infer<typeof channelSchema>;
export const channelsSchema = z.object({ items: z.array(channelSchema), email_ready: z.boolean() });

const addressShape = {
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional()
    .describe('Of a webhook or Slack’s incoming webhook'),
  to: z.array(z.email().max(254)).min(1).max(20).optional().describe('Of an e-mail'),
};

/** `POST /v1/channels` */
export const channelCreateSchema = z
  .strictObject({
    kind: z.enum(CHANNEL_KINDS),
    name: z.string().trim().min(1).max(120),
    ...addressShape,
    severity: channelRouting.severity.default('high'),
    orgs: names.default([]),
    projects: names.default([]),
    owners: names.default([]),
    pace: channelRouting.pace.default('each'),
    quiet_from: clock.nullable().default(null),
    quiet_to: clock.nullable().default(null),
    enabled: z.boolean().default(true),
  })
  .superRefine(({ kind, url, to }, context) => {
    const path = kind === 'email' ? 'to' : 'url';
    const isThere = kind === 'email' ? to !== undefined : url !== undefined;
    if (!isThere) context.addIssue({ code: 'custom', path: [path], message: `is needed for ${kind}` });
  });
export type ChannelCreate = z.output<typeof channelCreateSchema>;
/** The signing secret of a webhook is in this answer and never again. */
export const channelCreatedSchema = z.object({ channel: channelSchema, signing_secret: z.string().nullable() });

/** `PATCH /v1/channels/{id}`: what is left out stays. Another address keeps the signing secret. */
export const channelEditSchema = z
  .object({ name: z.string().trim().min(1).max(120), ...channelRouting, ...addressShape })
  .partial()
  .extend({ version: z.number().int().optional() });
export type ChannelEdit = z.input<typeof channelEditSchema>;

/** `POST /v1/channels/{id}/test`: what came of one message sent at once. */
export const channelTestedSchema = z.object({ ok: z.boolean(), detail: z.string(), duration_ms: z.number().int() });

/** `GET /v1/channels/{id}/deliveries`: the last hundred attempts, newest first. */
export const channelDeliveriesSchema = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      at: instantSchema,
      delivery_id: z.string(),
      findings: z.number().int(),
      ok: z.boolean(),
      detail: z.string(),
      duration_ms: z.number().int(),
    }),
  ),
});
