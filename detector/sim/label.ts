import { z } from 'zod';

export const INCIDENT_KINDS = [
  'leaked_key',
  'outside_network',
  'enumeration',
  'personal_key',
  'shared_key',
  'revoked_in_cron',
  'late_rotation',
  'runaway_agent',
  'dormant_key',
  'dev_in_production',
  'key_stuffing',
  'slow_exfiltration',
  'scope_widened',
  'broken_collector',
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** What is known to be wrong in recorded or simulated traffic: one line of a labels file. */
export const labelSchema = z.object({
  id: z.string().min(1),
  /** Names the row of the table it counts in; any text. */
  kind: z.string().min(1),
  /** From its first to its last deed. */
  from: z.iso.datetime({ offset: true }),
  to: z.iso.datetime({ offset: true }),
  /** Lanes that it shows on: fingerprints, or hint_… of keys known by hint. */
  lanes: z.array(z.string()).default([]),
  /** Collectors that it shows on, by registry id. */
  collectors: z.array(z.string()).default([]),
  /** Rules that are expected to find it; any other rule on its lanes counts as well. */
  rules: z.array(z.string()).default([]),
  note: z.string().default(''),
});
export type Label = z.infer<typeof labelSchema>;
