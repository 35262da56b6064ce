import { z } from 'zod';
import { instantSchema, pageOf, pageQuerySchema, registrationSchema, SEVERITIES } from './common.ts';

export const FINDING_STATUSES = ['open', 'resolved', 'reopened'] as const;

/** `GET /v1/findings`, highest risk first, then newest. */
export const findingsQuerySchema = pageQuerySchema.extend({
  status: z
    .enum([...FINDING_STATUSES, 'unresolved'])
    .optional()
    .describe('unresolved = open and reopened'),
  severity: z.enum(SEVERITIES).optional(),
  rule: z.string().max(16).optional(),
  lane: z.string().max(128).optional(),
});

export const findingItemSchema = z.object({
  id: z.string(),
  rule: z.string(),
  title: z.string(),
  condition: z.string(),
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
  /** Who or what closed it and why; null while open. */
  resolution: z.object({ at: instantSchema, by: z.string(), reason: z.string() }).nullable(),
  first_seen: instantSchema,
  last_seen: instantSchema,
  occurrences: z.number().int(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Query string parameters of `/v1/ledger` that show the rows which prove it. */
  ledger_filter: z.record(z.string(), z.string()),
});
export type FindingItem = z.infer<typeof findingItemSchema>;
export const findingsPageSchema = pageOf(findingItemSchema);
export type FindingsPage = z.infer<typeof findingsPageSchema>;
