import { z } from 'zod';
import { auditFilterSchema, chainHeadSchema } from './audit.ts';
import { instantSchema, pageOf } from './common.ts';
import { ledgerQuerySchema } from './ledger.ts';

/** What can be exported: the registry, the audit trail, the ledger, and the columns of it that are a key's activity. */
export const EXPORTED = ['registry', 'activity', 'audit', 'ledger'] as const;
export const EXPORT_FORMATS = ['csv', 'json', 'parquet'] as const;
export type Exported = (typeof EXPORTED)[number];
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const formatField = z.enum(EXPORT_FORMATS).describe('json: one JSON object a line');
const ledgerFilters = ledgerQuerySchema.omit({ limit: true, cursor: true, totals: true, order: true }).strict();

/** `POST /v1/exports`: answered with the file itself; its receipt is there when the last byte has left. */
export const exportRequestSchema = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('registry'), format: formatField, filters: z.strictObject({}).default({}) }),
  z.strictObject({ what: z.literal('audit'), format: formatField, filters: auditFilterSchema.strict().default({}) }),
  z.strictObject({ what: z.literal('activity'), format: formatField, filters: ledgerFilters.default({}) }),
  z.strictObject({ what: z.literal('ledger'), format: formatField, filters: ledgerFilters.default({}) }),
]);
export type ExportRequest = z.output<typeof exportRequestSchema>;

/** An Ed25519 signature with the public half of its pair. */
export const signatureSchema = z.object({
  algorithm: z.literal('Ed25519'),
  key_id: z.string().describe('The first 16 hex digits of the SHA-256 of the public key (SPKI, DER)'),
  public_key: z.string(),
  value: z.string(),
});
export type Signature = z.infer<typeof signatureSchema>;

/** What proves an export: kept beside the file, it lets anybody check it offline. */
export const exportReceiptSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  file_name: z.string(),
  what: z.enum(EXPORTED),
  format: z.enum(EXPORT_FORMATS),
  filters: z.record(z.string(), z.unknown()),
  rows: z.number().int(),
  bytes: z.number().int(),
  from: instantSchema.nullable().describe('Bounds of what was asked for: from inclusive, null for the beginning'),
  to: instantSchema.describe('to exclusive; the moment of the export where none was named'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  made_at: instantSchema,
  made_by: z.string(),
  chain_head: chainHeadSchema.describe('Where the audit trail ended, with the row about this export'),
  signature: signatureSchema
    .nullable()
    .describe('Over the canonical JSON of all other members; null before key signing was set up'),
});
export type ExportReceipt = z.infer<typeof exportReceiptSchema>;

/** `GET /v1/exports`, newest first. */
export const exportsPageSchema = pageOf(exportReceiptSchema);

/** Header of the answer to an export that names its receipt. */
export const EXPORT_HEADER = 'x-lanewatch-export';

/** `GET /v1/signing-key`: the one-time set-up of key signing. */
export const signingKeySchema = z.object({
  key: z
    .object({ key_id: z.string(), public_key: z.string(), created_at: instantSchema, created_by: z.string() })
    .nullable(),
});
export type SigningKey = z.infer<typeof signingKeySchema>;
