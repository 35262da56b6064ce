import { z } from 'zod';
import { BUDGET_PERIODS } from '@lanewatch/ingest/contract/budget';
import { RESOURCE_CHARS_MAX, SCOPE_ACTIONS } from '@lanewatch/ingest/contract/scope';
import { CREDENTIAL_ENVIRONMENTS, MARKS } from './credential-facts.ts';
import { givenTimeSchema, instantSchema } from './common.ts';

/** Fields of credentials, as forms send them and as answers show them. */

const text = (max: number) => z.string().trim().max(max);

export const environmentSchema = z.enum([...CREDENTIAL_ENVIRONMENTS, ''], {
  error: `must be one of ${CREDENTIAL_ENVIRONMENTS.join(', ')}, or empty`,
});
export const credentialStatusSchema = z.enum(['active', 'expired', 'revoked']);
export const markSchema = z.enum(MARKS);
export const scopeInputSchema = z.object({
  action: z.enum(SCOPE_ACTIONS).describe('admin is full control, as * is'),
  resource: text(RESOURCE_CHARS_MAX)
    .min(1)
    .describe('Resource filter: segments parted by /, * for a whole segment or for any ending, such as runs/*'),
});
export const budgetInputSchema = z.object({
  amount_usd: z
    .string()
    .regex(/^\d{1,7}(\.\d{1,9})?$/, 'must be a decimal amount of dollars as text, such as "250" or "12.50"')
    .refine((amount) => Number(amount) > 0, 'must be more than 0; leave the budget out for no limit'),
  period: z.enum(BUDGET_PERIODS).describe('In UTC: day from 00:00, week from Monday, month from the first'),
});

/** What may be said at creation and changed later. */
export const editableFields = {
  name: text(200).min(1),
  project: text(200),
  owner: text(200),
  owner_kind: z.enum(['person', 'service_account', '']),
  team: text(200),
  module: text(100).describe('Id of a module, see GET /v1/credentials/modules'),
  environment: environmentSchema,
  sharing: z.enum(['personal', 'team']),
  people_declared: z.number().int().min(1).max(100_000).describe('How many people a team key is declared for'),
  expires_at: givenTimeSchema.nullable().describe('Required for managed keys in production'),
  allowed_cidrs: z.array(text(64)).max(256).describe('IPv4 and IPv6 networks, matched apart; none means any address'),
  expected_agents: z.array(text(200).min(1)).max(64).describe('Programs that are expected to use it'),
  expected_repos: z.array(text(300).min(1)).max(256).describe('Repositories that it is expected in'),
  budget: budgetInputSchema.nullable(),
  rate_limit_per_minute: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .describe('How often verify says VALID a minute at most, per query-api process; null for no limit'),
};

const lastUsed = instantSchema
  .nullable()
  .describe(
    'Last event seen on it, from the ledger, at most a minute old; null when never, and where `usage` is unavailable',
  );
export const usageFields = {
  last_used_at: lastUsed,
  usage: z
    .enum(['available', 'unavailable'])
    .describe('unavailable: the ledger does not answer, so that when the key was used last is not known now'),
};

export const credentialItemSchema = z.object({
  id: z.string(),
  kind: z.enum(['managed', 'registered']),
  name: z.string(),
  fingerprint: z.string().describe('Of the secret that it has now'),
  hint: z.string(),
  provider: z.string(),
  org: z.string(),
  project: z.string(),
  owner: z.string(),
  owner_kind: z.string(),
  team: z.string(),
  module: z.string(),
  environment: z.string(),
  sharing: z.enum(['personal', 'team']),
  people_declared: z.number().int(),
  scopes: z.array(z.object({ action: z.string(), resource: z.string() })),
  /** Whether it may ship usage events, which makes it a collector. */
  may_ship_events: z.boolean(),
  allowed_cidrs: z.array(z.string()),
  expected_agents: z.array(z.string()),
  expected_repos: z.array(z.string()),
  budget: z.object({ amount_usd: z.string(), period: z.enum(BUDGET_PERIODS) }).nullable(),
  rate_limit_per_minute: z.number().int().nullable(),
  /** Status now: an active key past expires_at is expired. */
  status: credentialStatusSchema,
  marks: z.array(markSchema).describe('What stands out about it; active keys only'),
  weakly_governed: z.boolean().describe('Nobody, or no organisation, answers for it'),
  created_at: instantSchema,
  created_by: z.string(),
  secret_created_at: instantSchema.describe('When its present secret was issued or recorded: what rotation goes by'),
  expires_at: instantSchema.nullable(),
  revoked_at: instantSchema.nullable(),
  revoked_by: z.string(),
  revoke_reason: z.string(),
  ...usageFields,
  version: z.number().int().describe('Grows with every change; a change names the one it was made on'),
});
export type CredentialItem = z.infer<typeof credentialItemSchema>;

/** A secret that a credential has or had. */
export const credentialSecretSchema = z.object({
  fingerprint: z.string(),
  hint: z.string(),
  state: z.enum(['current', 'grace', 'ended']).describe('grace: rotated out and still valid'),
  created_at: instantSchema,
  created_by: z.string(),
  replaced_at: instantSchema.nullable(),
  replaced_by: z.string(),
  valid_until: instantSchema
    .nullable()
    .describe('End of its grace, or when it was revoked or expires; null while open'),
});
export type CredentialSecret = z.infer<typeof credentialSecretSchema>;

/** One credential with its secrets over its life, newest first, and what it cost. */
export const credentialDetailSchema = credentialItemSchema.extend({
  secrets: z.array(credentialSecretSchema),
  spend: z
    .object({
      total_usd: z.string(),
      requests: z.number().int(),
      period_usd: z.string().nullable().describe('In the present period of its budget; null without a budget'),
      period_from: instantSchema.nullable(),
    })
    .nullable()
    .describe('null: the ledger does not answer'),
});
export type CredentialDetail = z.infer<typeof credentialDetailSchema>;

/** Something to know before or after a change. It blocks nothing. */
export const warningSchema = z.object({
  code: z.enum([
    'any_network',
    'no_expiry',
    'no_owner',
    'no_org',
    'unclear_name',
    'wide_scope',
    'no_budget',
    'owner_unknown',
    'budget_nearly_used',
    'plan_limit',
    'same_hint',
  ]),
  path: z.string().describe('The field it is about'),
  message: z.string(),
});
export type CredentialWarning = z.infer<typeof warningSchema>;

/** Who seen lately would be hit by a change. */
export const impactSchema = z.object({
  from: instantSchema,
  to: instantSchema,
  ledger: z.enum(['available', 'unavailable']).describe('unavailable: nobody can say now who would be hit'),
  callers: z.number().int(),
  calls: z.number().int(),
  callers_failing: z.number().int(),
  calls_failing: z.number().int(),
  findings_resolved: z.number().int().describe('Open findings that it would resolve'),
  items: z.array(
    z.object({
      user: z.string(),
      ip: z.string(),
      agent: z.string(),
      environment: z.string(),
      repo: z.string(),
      operation: z.string().describe('What verify was asked, such as "write runs"; empty for what collectors reported'),
      calls: z.number().int(),
      last_seen: instantSchema,
      effect: z.enum(['none', 'finding', 'fails']).describe('finding: the use goes on and will be noticed'),
      reasons: z.array(
        z.object({
          code: z.enum(['address', 'environment', 'agent', 'repo', 'scope', 'expired', 'revoked', 'old_secret']),
          message: z.string(),
        }),
      ),
    }),
  ),
  truncated: z.boolean().describe('There are more callers than are listed; the counts are of all that were read'),
});
export type Impact = z.infer<typeof impactSchema>;
