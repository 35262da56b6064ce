import { z } from 'zod';
import { givenTimeSchema, instantSchema, pageOf, pageQuerySchema } from './common.ts';
import { fieldChangeSchema } from './credentials.ts';

/** What an act is done to. `setting` is whatever has no kind of its own. */
export const AUDIT_SUBJECTS = [
  'credential',
  'person',
  'project',
  'team',
  'service_account',
  'finding',
  'policy',
  'rule',
  'job',
  'channel',
  'export',
  'setting',
] as const;
export type AuditSubject = (typeof AUDIT_SUBJECTS)[number];

/** A place in the trail: the number of a row and its hash. Number 0 is the place before the first row. */
export const chainHeadSchema = z.object({
  seq: z.number().int().min(0),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ChainHead = z.infer<typeof chainHeadSchema>;

/** One act. */
export const auditItemSchema = z.object({
  seq: z.number().int(),
  at: instantSchema,
  actor: z.string(),
  action: z.string(),
  subject: z.object({ kind: z.enum(AUDIT_SUBJECTS), id: z.string() }),
  credential_id: z.string().describe('The credential it concerns; empty for none'),
  detail: z.string(),
  changes: z.array(fieldChangeSchema),
  previous: z.string().describe('Hash of the row before'),
  hash: z.string(),
});
export type AuditItem = z.infer<typeof auditItemSchema>;

/** What of the trail is meant. */
export const auditFilterSchema = z.object({
  actor: z.string().max(254).optional(),
  /** An action, or the beginning of several: `person` has all of them that begin so. */
  action: z.string().max(100).optional(),
  subject_kind: z.enum(AUDIT_SUBJECTS).optional(),
  subject: z.string().max(300).optional(),
  credential_id: z.string().max(64).optional(),
  /** Bounds of the instant: from inclusive, to exclusive. */
  from: givenTimeSchema.optional(),
  to: givenTimeSchema.optional(),
});
export type AuditFilter = z.infer<typeof auditFilterSchema>;

/** `GET /v1/audit`, newest first. */
export const auditQuerySchema = pageQuerySchema.extend(auditFilterSchema.shape);
export const auditPageSchema = pageOf(auditItemSchema);
export type AuditPage = z.infer<typeof auditPageSchema>;

/** `GET /v1/audit/chain`: whether the trail is as it was written. */
export const chainStateSchema = z.object({
  holds: z.boolean(),
  rows: z.number().int(),
  head: chainHeadSchema,
  broken: z
    .object({ seq: z.number().int(), reason: z.string() })
    .nullable()
    .describe('The first row that is not as it was written'),
  checked_at: instantSchema,
});
export type ChainState = z.infer<typeof chainStateSchema>;
