import { z } from 'zod';
import { instantSchema, pageOf, pageQuerySchema, standingSchema, givenTimeSchema } from './common.ts';

const ENVIRONMENTS = ['development', 'sandbox', 'staging', 'production', ''] as const;
const text = (max: number) => z.string().trim().max(max);

/** `GET /v1/credentials` */
export const credentialsQuerySchema = pageQuerySchema.extend({
  status: z.enum(['active', 'expired', 'revoked']).optional(),
  kind: z.enum(['managed', 'registered']).optional(),
  q: z.string().max(200).optional().describe('Part of name, hint, owner or org'),
});

/**
 * `POST /v1/credentials`: records a provider's key (kind registered: by fingerprint, or by hint + org), or issues one of
 * ours (kind managed: no fingerprint; the secret comes back once). A raw key is refused: it is hashed where it is typed.
 */
export const credentialCreateSchema = z.object({
  kind: z.enum(['registered', 'managed']).default('registered'),
  name: text(200).min(1),
  fingerprint: text(80).optional(),
  hint: text(128).optional(),
  provider: text(64).default(''),
  org: text(200).default(''),
  project: text(200).default(''),
  owner: text(200).default(''),
  owner_kind: z.enum(['person', 'service_account', '']).default(''),
  team: text(200).default(''),
  environment: z.enum(ENVIRONMENTS).default(''),
  sharing: z.enum(['personal', 'team']).default('personal'),
  people_declared: z.number().int().min(1).max(100_000).default(1),
  expires_at: givenTimeSchema.nullable().default(null),
  allowed_cidrs: z.array(text(64)).max(256).default([]),
  /** Managed keys only; default: write on usage-events, what a collector needs. */
  scopes: z
    .array(z.object({ action: z.enum(['read', 'write', 'execute', 'admin', '*']), resource: text(256).min(1) }))
    .max(64)
    .optional(),
});
export type CredentialCreate = z.input<typeof credentialCreateSchema>;

/** `POST /v1/credentials/{id}/revoke`. For ever; the reason is kept. */
export const credentialRevokeSchema = z.object({ reason: text(500).default('') });

export const credentialItemSchema = z.object({
  id: z.string(),
  kind: z.enum(['managed', 'registered']),
  name: z.string(),
  fingerprint: z.string(),
  hint: z.string(),
  provider: z.string(),
  org: z.string(),
  project: z.string(),
  owner: z.string(),
  owner_kind: z.string(),
  team: z.string(),
  environment: z.string(),
  sharing: z.enum(['personal', 'team']),
  people_declared: z.number().int(),
  scopes: z.array(z.object({ action: z.string(), resource: z.string() })),
  /** Whether it may ship usage events, which makes it a collector. */
  may_ship_events: z.boolean(),
  allowed_cidrs: z.array(z.string()),
  /** Status now: an active key past expires_at is expired. */
  status: z.enum(['active', 'expired', 'revoked']),
  created_at: instantSchema,
  created_by: z.string(),
  expires_at: instantSchema.nullable(),
  revoked_at: instantSchema.nullable(),
  revoked_by: z.string(),
  revoke_reason: z.string(),
  last_used_at: instantSchema
    .nullable()
    .describe(
      'Last event seen on it, from the ledger; null when never, and where `usage` is unavailable. Events that named it by hint and org on another key’s lane are left out where the ledger is too large to look for them in time',
    ),
  usage: z
    .enum(['available', 'unavailable'])
    .describe('unavailable: the ledger does not answer, so that when the key was used last is not known now'),
  version: z.number().int(),
});
export type CredentialItem = z.infer<typeof credentialItemSchema>;
export const credentialsPageSchema = pageOf(credentialItemSchema).extend({
  totals: z.object({
    total: z.number().int(),
    active: z.number().int(),
    expired: z.number().int(),
    revoked: z.number().int(),
  }),
});
export type CredentialsPage = z.infer<typeof credentialsPageSchema>;

/** Answer of creating: the record, the secret of a managed key (this once), and the findings that it closed. */
export const credentialCreatedSchema = z.object({
  credential: credentialItemSchema,
  secret: z.string().nullable(),
  findings_resolved: z.number().int(),
  /**
   * How an event stands that names the key as it is registered: by its fingerprint, else by hint and org. ambiguous where another
   * key has the same hint. An event that names a hint and no org is never known, whatever is registered.
   */
  standing: standingSchema,
  /** Whether the bus has the record, so that the key's next event meets it; false: it follows as soon as the bus answers. */
  published: z.boolean(),
});
export type CredentialCreated = z.infer<typeof credentialCreatedSchema>;

/** Answer of revoking: the record as it is now, and whether the bus has it ({@link credentialCreatedSchema}). */
export const credentialRevokedSchema = credentialItemSchema.extend({ published: z.boolean() });
export type CredentialRevoked = z.infer<typeof credentialRevokedSchema>;
