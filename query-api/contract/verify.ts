import { z } from 'zod';
import { ACTIONS_ASKED, RESOURCE_CHARS_MAX } from '@lanewatch/ingest/contract/scope';
import { credentialStatusSchema } from './credential-fields.ts';
import { instantSchema } from './common.ts';

/** What verify may answer, in the order in which it looks. */
export const VERIFY_CODES = [
  'VALID',
  'NOT_FOUND',
  'REVOKED',
  'EXPIRED',
  'FORBIDDEN_ENVIRONMENT',
  'FORBIDDEN_IP',
  'FORBIDDEN_SCOPE',
  'BUDGET_EXCEEDED',
  'RATE_LIMITED',
] as const;
export type VerifyCode = (typeof VERIFY_CODES)[number];

/** `POST /v1/credentials/verify` */
export const verifySchema = z
  .object({
    key: z.string().min(1).max(512).describe('The raw key. It is hashed at once and stored and logged nowhere'),
    action: z.enum(ACTIONS_ASKED),
    resource: z.string().min(1).max(RESOURCE_CHARS_MAX).describe('A path such as runs/r_81; see the scope syntax'),
    ip: z
      .union([z.ipv4(), z.ipv6()], { error: 'must be an IPv4 or IPv6 address such as 10.1.2.3, without a port' })
      .optional()
      .describe('Who presents the key. Without it a key that is bound to networks is refused'),
    environment: z.string().max(64).optional().describe('Where it is presented; without it this is not checked'),
    agent: z.string().max(128).optional().describe('Program that presents it; it is recorded and not checked'),
  })
  .meta({
    examples: [{ key: 'lw_prod_…', action: 'write', resource: 'runs', ip: '10.1.2.3', environment: 'production' }],
  });
export type Verify = z.input<typeof verifySchema>;

/** What is public of a credential to whom it was shown. */
export const verifiedCredentialSchema = z.object({
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  kind: z.enum(['managed', 'registered']),
  module: z.string(),
  environment: z.string(),
  project: z.string(),
  owner: z.string(),
  owner_kind: z.string(),
  team: z.string(),
  status: credentialStatusSchema,
  scopes: z.array(z.object({ action: z.string(), resource: z.string() })),
  expires_at: instantSchema.nullable(),
  /** The presented secret was rotated out and is valid until then; null for the present one. */
  grace_ends_at: instantSchema.nullable(),
});

export const verifiedSchema = z
  .object({
    valid: z.boolean(),
    code: z.enum(VERIFY_CODES),
    /** One sentence for the log of whoever asked. */
    detail: z.string(),
    credential: verifiedCredentialSchema.nullable().describe('null when the key is not found'),
  })
  .meta({
    examples: [{ valid: false, code: 'NOT_FOUND', detail: 'This key is not in the registry.', credential: null }],
  });
export type Verified = z.infer<typeof verifiedSchema>;
