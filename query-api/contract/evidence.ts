import { z } from 'zod';
import { chainHeadSchema } from './audit.ts';
import { instantSchema, pageOf } from './common.ts';
import { exportReceiptSchema, signatureSchema } from './exports.ts';

/** Runs that evidence names one by one; all others are counted. */
export const EVIDENCE_RUNS_MAX = 200;

/** `POST /v1/evidence`: ties an export's receipt to the runs whose calls are in its file. */
export const evidenceRequestSchema = z.strictObject({
  export_id: z.string().max(64).describe('Of an export of activity or of the ledger'),
});

const runSchema = z.object({
  session: z.string(),
  agent: z.string().describe('Of its first call'),
  user: z.string().describe('Of its first call'),
  first_seen: instantSchema,
  last_seen: instantSchema,
  calls: z.number().int(),
  failed: z.number().int().describe('Calls whose outcome is known and not success'),
});

/** What proves that a key was used as it should be: its runs and the receipt of the file with their calls, signed. */
export const evidenceSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  captured_at: instantSchema,
  captured_by: z.string(),
  key: z
    .object({
      credential_id: z.string(),
      name: z.string(),
      hint: z.string(),
      owner: z.string(),
      owner_kind: z.string(),
    })
    .nullable()
    .describe('The one key that the export was filtered by; null where it has several'),
  runs: z.array(runSchema).describe('The first 200 by their first call'),
  runs_total: z.number().int(),
  calls: z.number().int().describe('In the ledger at the capture, by the filters of the receipt'),
  calls_without_run: z.number().int().describe('Those that name no session'),
  receipt: exportReceiptSchema,
  chain_head: chainHeadSchema.describe('Where the audit trail ended, with the row about this capture'),
  signature: signatureSchema.describe('Over the canonical JSON of all other members'),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** `GET /v1/evidence`, newest first. */
export const evidencePageSchema = pageOf(
  evidenceSchema
    .pick({ id: true, captured_at: true, captured_by: true, key: true, runs_total: true, calls: true })
    .extend({ export_id: z.string(), file_name: z.string() }),
);
export type EvidencePage = z.infer<typeof evidencePageSchema>;
