import { z } from 'zod';
import { givenTimeSchema, instantSchema, SEVERITIES } from './common.ts';
import { FINDING_ACTS, FINDING_STATUSES } from './findings.ts';

/** `GET /v1/stream`: what happened from an instant on is told first, as far as it is remembered. */
export const streamQuerySchema = z.object({ since: givenTimeSchema.optional() });

/** Event `finding`: one that was not there before, or that grew. */
export const streamFindingSchema = z.object({
  id: z.string(),
  rule: z.string(),
  title: z.string(),
  lane: z.string(),
  hint: z.string(),
  org: z.string(),
  severity: z.enum(SEVERITIES),
  occurrences: z.number().int(),
  is_new: z.boolean(),
});
export type StreamFinding = z.infer<typeof streamFindingSchema>;

/** Event `triage`: somebody acted on a finding, which stands so now. */
export const streamTriageSchema = z.object({
  finding_id: z.string(),
  act: z.enum([...FINDING_ACTS, 'occurred_again']),
  by: z.string(),
  at: instantSchema,
  status: z.enum(FINDING_STATUSES),
  severity: z.enum(SEVERITIES),
  assignee: z.string(),
  comments: z.number().int(),
  version: z.number().int(),
});
export type StreamTriage = z.infer<typeof streamTriageSchema>;

/** Event `registry`: keys were registered, changed or revoked. */
export const streamRegistrySchema = z.object({ registry_version: z.number().int() });
