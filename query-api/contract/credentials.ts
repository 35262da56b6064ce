import { z } from 'zod';
import { instantSchema, pageOf, pageQuerySchema, SEVERITIES, standingSchema } from './common.ts';
import { GRACE_SECONDS_MAX } from './credential-facts.ts';
import {
  credentialDetailSchema,
  credentialItemSchema,
  credentialSecretSchema,
  credentialStatusSchema,
  editableFields,
  impactSchema,
  markSchema,
  scopeInputSchema,
  warningSchema,
} from './credential-fields.ts';

export * from './credential-fields.ts';

export type Severity = (typeof SEVERITIES)[number];
const text = (max: number) => z.string().trim().max(max);

/** `GET /v1/credentials` */
export const credentialsQuerySchema = pageQuerySchema.extend({
  status: credentialStatusSchema.optional(),
  kind: z.enum(['managed', 'registered']).optional(),
  module: z.string().max(100).optional().describe('Id of a module; none: keys without one'),
  environment: z.enum(['development', 'sandbox', 'staging', 'production', 'none']).optional(),
  project: z.string().max(200).optional(),
  team: z.string().max(200).optional(),
  owner: z.string().max(200).optional(),
  mark: markSchema.optional(),
  weakly_governed: z.enum(['true']).optional(),
  q: z.string().max(200).optional().describe('Part of name, ID, hint, owner or org'),
  sort: z.enum(['created', 'name', 'id', 'expires', 'last_used']).default('created'),
  order: z.enum(['asc', 'desc']).optional().describe('Default: names and IDs upwards, times newest first'),
});

/**
 * `POST /v1/credentials`: records a provider's key (kind registered: by fingerprint, or by hint + org), or issues one of
 * ours (kind managed: no fingerprint; the secret comes back once). A raw key is refused: it is hashed where it is typed.
 */
export const credentialCreateSchema = z
  .object({
    ...editableFields,
    kind: z.enum(['registered', 'managed']).default('registered'),
    fingerprint: text(80).optional(),
    hint: text(128).optional(),
    provider: text(64).default(''),
    org: text(200).default(''),
    project: editableFields.project.default(''),
    owner: editableFields.owner.default(''),
    owner_kind: editableFields.owner_kind.default(''),
    team: editableFields.team.default(''),
    module: editableFields.module.default(''),
    environment: editableFields.environment.default(''),
    sharing: editableFields.sharing.default('personal'),
    people_declared: editableFields.people_declared.default(1),
    expires_at: editableFields.expires_at.default(null),
    allowed_cidrs: editableFields.allowed_cidrs.default([]),
    expected_agents: editableFields.expected_agents.default([]),
    expected_repos: editableFields.expected_repos.default([]),
    budget: editableFields.budget.default(null),
    rate_limit_per_minute: editableFields.rate_limit_per_minute.default(null),
    /** Managed keys only; default: write on usage-events, what a collector needs. */
    scopes: z.array(scopeInputSchema).max(64).optional(),
  })
  .meta({
    examples: [
      {
        kind: 'managed',
        name: 'Agents pipeline executor',
        module: 'agents_execution',
        scopes: [{ action: 'write', resource: 'runs' }],
        environment: 'production',
        allowed_cidrs: ['10.0.0.0/8', '2001:db8::/32'],
        expires_at: '2027-02-26T00:00:00Z',
        owner: 'pipeline',
        owner_kind: 'service_account',
        budget: { amount_usd: '250', period: 'month' },
      },
    ],
  });
export type CredentialCreate = z.input<typeof credentialCreateSchema>;

/** `Idempotency-Key` of `POST /v1/credentials`: the same request under the same key makes one credential. */
export const IDEMPOTENCY_HEADER = 'idempotency-key';

/** What is there already of the account that a key is for: shown before a key is made, blocks nothing. */
export const preflightSchema = z.object({
  owner: z
    .object({
      name: z.string(),
      kind: z.string(),
      keys_active: z.number().int(),
      spend_30d_usd: z.string().nullable().describe('null: the ledger does not answer'),
      budget_usd_month: z.string().nullable().describe('Sum of its keys’ monthly budgets; null when none has one'),
    })
    .nullable(),
  plan: z.object({
    keys_active: z.number().int(),
    keys_max: z.number().int().nullable().describe('KEYS_MAX of query-api; null for no limit'),
  }),
});
/** Answer of `POST /v1/credentials/preflight`, which takes the body of creation and stores nothing. */
export const preflightAnswerSchema = z.object({
  warnings: z.array(warningSchema),
  preflight: preflightSchema,
  needs_step_up: z.boolean().describe('Creating it takes a fresh proof of the second factor'),
});
export type PreflightAnswer = z.infer<typeof preflightAnswerSchema>;

const changedFields = {
  /**
   * Whether the bus has the record, so that the key's next event meets it; false: it follows as soon as the bus answers.
   */
  published: z.boolean(),
  warnings: z.array(warningSchema),
};

/** Answer of creating: the record, the secret of a managed key (this once), and the findings that it closed. */
export const credentialCreatedSchema = z.object({
  credential: credentialItemSchema,
  secret: z.string().nullable(),
  findings_resolved: z.number().int(),
  findings_lowered: z
    .number()
    .int()
    .describe('Findings that stay open as medium, because nobody or no organisation answers for the key'),
  /**
   * How an event stands that names the key as it is registered: by its fingerprint, else by hint and org. ambiguous where another
   * key has the same hint. An event that names a hint and no org is never known, whatever is registered.
   */
  standing: standingSchema,
  ...changedFields,
});
export type CredentialCreated = z.infer<typeof credentialCreatedSchema>;

/** `PATCH /v1/credentials/{id}` */
export const credentialEditSchema = z
  .object({
    ...editableFields,
    org: text(200),
    scopes: z.array(scopeInputSchema).min(1).max(64),
  })
  .partial()
  .extend({
    version: z.number().int().min(1).describe('The version that the change was made on; another one answers 409'),
    dry_run: z.boolean().default(false).describe('Check and tell the impact, and change nothing'),
  })
  .meta({ examples: [{ version: 1, allowed_cidrs: ['10.0.0.0/8'], dry_run: true }] });
export type CredentialEdit = z.input<typeof credentialEditSchema>;

/** One field that a change touches. */
export const fieldChangeSchema = z.object({ field: z.string(), before: z.unknown(), after: z.unknown() });
export type FieldChange = z.infer<typeof fieldChangeSchema>;

export const credentialEditedSchema = z.object({
  credential: credentialItemSchema.describe('As it is after the change; of a dry run as it would be'),
  dry_run: z.boolean(),
  changes: z.array(fieldChangeSchema),
  impact: impactSchema.describe('Callers of the last 7 days for whom the change makes a difference, and the rest'),
  needs_step_up: z.boolean(),
  ...changedFields,
});
export type CredentialEdited = z.infer<typeof credentialEditedSchema>;

/** `POST /v1/credentials/{id}/rotate`. Of a provider's key its new fingerprint is named; of ours a secret is made. */
export const credentialRotateSchema = z
  .object({
    version: z.number().int().min(1).optional().describe('Refuse when the key was changed since'),
    grace_seconds: z
      .number()
      .int()
      .min(0)
      .max(GRACE_SECONDS_MAX)
      .default(0)
      .describe('How long the old secret stays valid: 0 ends it at once; never past its expiry'),
    fingerprint: text(80).optional().describe('Registered keys only: SHA-256 of the new key'),
    hint: text(128).optional().describe('Registered keys only: masked form of the new key'),
    reason: text(500).default(''),
  })
  .meta({ examples: [{ grace_seconds: 3600 }] });
export type CredentialRotate = z.input<typeof credentialRotateSchema>;

/** `POST /v1/credentials/{id}/regenerate`: the same key and ID, a new secret; every older one is dead at once. */
export const credentialRegenerateSchema = z.object({
  version: z.number().int().min(1).optional(),
  reason: text(500).default(''),
});

/** Answer of rotating and regenerating. */
export const credentialRotatedSchema = z.object({
  credential: credentialDetailSchema,
  secret: z.string().nullable().describe('The new secret, this once; null for a provider’s key'),
  previous: credentialSecretSchema,
  ...changedFields,
});
export type CredentialRotated = z.infer<typeof credentialRotatedSchema>;

/** `POST /v1/credentials/{id}/revoke`. For ever; the reason is kept. */
export const credentialRevokeSchema = z.object({
  reason: text(500).default(''),
  confirm: text(200).optional().describe('Name of the key; when it is given it must be right'),
});

/** `POST /v1/credentials/refuse`: a provider's key that nobody registered is put on record as revoked, in one act. */
export const credentialRefuseSchema = z.object({
  fingerprint: text(80).optional(),
  hint: text(128).optional(),
  provider: text(64).default(''),
  org: text(200).default(''),
  reason: text(500).min(1, 'is needed: it is kept with the key'),
});
export type CredentialRefuse = z.input<typeof credentialRefuseSchema>;

/** Answer of revoking: the record as it is now, and whether the bus has it ({@link credentialCreatedSchema}). */
export const credentialRevokedSchema = credentialItemSchema.extend({
  published: z.boolean(),
  findings_resolved: z.number().int(),
});
export type CredentialRevoked = z.infer<typeof credentialRevokedSchema>;

/** `GET /v1/credentials/{id}/impact`: who would be hit. Edits are asked with `PATCH` and `dry_run`. */
export const impactQuerySchema = z.object({
  act: z.enum(['revoke', 'rotate', 'regenerate']).default('revoke'),
});

export const credentialsPageSchema = pageOf(credentialItemSchema).extend({
  totals: z.object({
    total: z.number().int(),
    active: z.number().int(),
    expired: z.number().int(),
    revoked: z.number().int(),
  }),
  /** How many fit the filters, all pages together. */
  matching: z.number().int(),
});
export type CredentialsPage = z.infer<typeof credentialsPageSchema>;

/** `GET /v1/credentials/{id}/drain`: who still uses secrets that were rotated out. */
export const drainSchema = z.object({
  credential_id: z.string(),
  ledger: z.enum(['available', 'unavailable']),
  current: z.object({
    fingerprint: z.string(),
    hint: z.string(),
    calls: z.number().int(),
    last_used_at: instantSchema.nullable(),
  }),
  old: z.array(
    credentialSecretSchema.extend({
      calls: z.number().int().describe('Since it was replaced'),
      last_used_at: instantSchema.nullable(),
      callers: z.array(
        z.object({
          user: z.string(),
          ip: z.string(),
          agent: z.string(),
          environment: z.string(),
          calls: z.number().int(),
          last_seen: instantSchema,
        }),
      ),
    }),
  ),
});
export type Drain = z.infer<typeof drainSchema>;

/** `GET /v1/credentials/{id}/log`, newest first. It outlives the key. */
export const credentialLogItemSchema = z.object({
  id: z.number().int(),
  at: instantSchema,
  actor: z.string(),
  action: z.string().describe('issued, registered, edited, rotated, regenerated, revoked'),
  detail: z.string(),
  changes: z.array(fieldChangeSchema),
});
export type CredentialLogItem = z.infer<typeof credentialLogItemSchema>;
export const credentialLogSchema = pageOf(credentialLogItemSchema);
export type CredentialLog = z.infer<typeof credentialLogSchema>;
