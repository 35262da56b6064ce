import { createHash } from 'node:crypto';
import { z } from 'zod';

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Risk score of each severity; the scale the field's published rule sets use. */
export const RISK_OF: Record<Severity, number> = { low: 21, medium: 47, high: 73, critical: 99 };

/** A rule that holds on a lane, with its occurrences so far: what ClickHouse keeps and the findings topic carries. */
export const findingSchema = z.object({
  /** Deterministic: {@link findingIdOf}. */
  id: z.string().regex(/^R\d\d-[0-9a-f]{24}$/),
  rule: z.string(),
  lane: z.string(),
  fingerprint: z.string(),
  hint: z.string(),
  org: z.string(),
  credential_id: z.string(),
  severity: z.enum(SEVERITIES),
  risk: z.number().int(),
  /** Epoch-exact, RFC 3339. Event times bounded by receipt. */
  first_seen: z.iso.datetime(),
  last_seen: z.iso.datetime(),
  /** When ingest received the last occurrence: what a resolution is compared with to tell a regression. */
  last_received_at: z.iso.datetime(),
  occurrences: z.number().int().min(1),
  /** What made it fire: name → value, ready to show. */
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
  /** Parameters in force when it fired. */
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Query parameters of `/v1/ledger` that show the rows which prove it. */
  ledger_filter: z.record(z.string(), z.string()),
});

export type Finding = z.infer<typeof findingSchema>;

/**
 * The id of a finding: the same rule on the same lane with the same dedupe values is the same finding for ever, so that a
 * replay changes nothing. The rule, then 24 hex digits of SHA-256.
 */
export function findingIdOf(rule: string, lane: string, dedupe: readonly string[]): string {
  const hash = createHash('sha256')
    .update([rule, lane, ...dedupe].join('\n'), 'utf8')
    .digest('hex');
  return `${rule}-${hash.slice(0, 24)}`;
}
