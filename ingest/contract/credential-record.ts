import { z } from 'zod';
import { BUDGET_PERIODS } from './budget.ts';
import { laneOf } from './fingerprint.ts';
import { RESOURCE_CHARS_MAX, SCOPE_ACTIONS, scopeAllows } from './scope.ts';

export const ENVIRONMENTS = ['development', 'sandbox', 'staging', 'production'] as const;

const instant = z.iso.datetime({ offset: true });
const text = (max: number) => z.string().max(max);

/** One permission of a managed credential: what may be done to which resources; scope.ts says how paths are written. */
export const scopeSchema = z.object({
  action: z.enum(SCOPE_ACTIONS),
  resource: text(RESOURCE_CHARS_MAX),
});

/** What use may cost in a period. */
export const budgetSchema = z.object({
  amount_usd: z.string().regex(/^\d{1,7}(\.\d{1,9})?$/),
  period: z.enum(BUDGET_PERIODS),
});

/** A registry record as it travels on the credentials topic. Registry → topic; ingest, detector keep it in memory. */
export const credentialRecordSchema = z.object({
  id: text(64),
  /** '' when the key was registered by hint and org alone. */
  fingerprint: z.string().regex(/^([0-9a-f]{64})?$/),
  hint: text(128),
  name: text(200),
  kind: z.enum(['managed', 'registered']),
  provider: text(64).default(''),
  org: text(200).default(''),
  project: text(200).default(''),
  owner: text(200).default(''),
  owner_kind: z.enum(['person', 'service_account', '']).default(''),
  team: text(200).default(''),
  module: text(100).default(''),
  environment: z.enum([...ENVIRONMENTS, '']).default(''),
  scopes: z.array(scopeSchema).max(64).default([]),
  /** IPv4 and IPv6 ranges, matched apart; empty means any address. */
  allowed_cidrs: z.array(text(64)).max(256).default([]),
  expected_agents: z.array(text(200)).max(64).default([]),
  expected_repos: z.array(text(300)).max(256).default([]),
  /** What its use may cost; null for no limit. */
  budget: budgetSchema.nullable().default(null),
  /** Whether one person or a team may use it. */
  sharing: z.enum(['personal', 'team']).default('personal'),
  /** How many people a team key was declared for. */
  people_declared: z.number().int().min(1).max(100_000).default(1),
  status: z.enum(['active', 'expired', 'revoked']),
  created_at: instant,
  /** Who made it, or changed it last, as the audit trail names them. */
  changed_by: text(200).optional(),
  expires_at: instant.nullable().default(null),
  revoked_at: instant.nullable().default(null),
  /** End of the time in which a rotated-out secret still counts as known. */
  grace_ends_at: instant.nullable().default(null),
  /**
   * Whether this is the secret that the credential has now. A credential has a record for each secret it ever had, all of one id; those
   * that were rotated out say false, with the end of their grace.
   */
  is_current: z.boolean().default(true),
  /** Grows with every change; of two records with one key the higher version is the newer. */
  version: z.number().int().min(1),
});

export type CredentialRecord = z.infer<typeof credentialRecordSchema>;
export type CredentialScope = z.infer<typeof scopeSchema>;
export type Budget = z.infer<typeof budgetSchema>;

/** The resource that collectors write to. */
export const USAGE_EVENTS = 'usage-events';

/**
 * Whether a credential may ship usage events, which makes it a collector: a key that we issued, of a provider's one we know no
 * holder, with a scope that allows writing them.
 */
export function mayShipEvents({ kind, scopes }: Pick<CredentialRecord, 'kind' | 'scopes'>): boolean {
  return kind === 'managed' && scopeAllows(scopes, 'write', USAGE_EVENTS);
}

/** The instants that decide about a credential, as texts or dates; `status` where the record itself says how it stands. */
interface Lifetime {
  status?: CredentialRecord['status'];
  expires_at: string | Date | null;
  revoked_at: string | Date | null;
  grace_ends_at: string | Date | null;
}

const millisecondsOf = (instant: string | Date) => new Date(instant).getTime();

/**
 * From when use of a credential counts as revoked, in epoch milliseconds: Infinity when it is not revoked. A secret that was rotated out
 * stays good until its grace ends, even where it already carries a revocation; with the end of its grace it is revoked.
 */
export function revokedFromMs({ status, revoked_at, grace_ends_at }: Omit<Lifetime, 'expires_at'>): number {
  const graceEndsAtMs = grace_ends_at === null ? null : millisecondsOf(grace_ends_at);
  if (revoked_at !== null) return Math.max(millisecondsOf(revoked_at), graceEndsAtMs ?? -Infinity);
  return graceEndsAtMs ?? (status === 'revoked' ? -Infinity : Infinity);
}

/** From when use of a credential counts as expired, in epoch milliseconds: Infinity when it never expires. Grace extends no expiry. */
export function expiredFromMs({ status, expires_at }: Pick<Lifetime, 'status' | 'expires_at'>): number {
  if (expires_at !== null) return millisecondsOf(expires_at);
  return status === 'expired' ? -Infinity : Infinity;
}

/** Key of a record on the credentials topic: its fingerprint, or the lane of its hint when it has none. */
export function credentialRecordKey(record: Pick<CredentialRecord, 'fingerprint' | 'hint' | 'org'>): string {
  return laneOf(record.fingerprint, record.hint, record.org);
}
