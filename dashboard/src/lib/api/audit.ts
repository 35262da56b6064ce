import {
  auditPageSchema,
  chainStateSchema,
  evidencePageSchema,
  evidenceSchema,
  exportReceiptSchema,
  exportsPageSchema,
  onboardingSchema,
  signingKeySchema,
} from '@lanewatch/query-api/contract';
import { queryString, type Query } from '#lib/query.ts';
import type { Calls } from './client.ts';

/** The audit trail, exports, evidence and the steps of a new organisation, as the pages ask for them. */
export function auditCalls({ read, command, request }: Calls) {
  return {
    audit: (query: Query) => read(auditPageSchema, `/v1/audit${queryString(query)}`),
    chain: () => read(chainStateSchema, '/v1/audit/chain'),
    exports: (query: Query) => read(exportsPageSchema, `/v1/exports${queryString(query)}`),
    exportReceipt: (id: string) => read(exportReceiptSchema, `/v1/exports/${encodeURIComponent(id)}`),
    /** The exported file, as it is. */
    exportFile: (body: unknown, signal: AbortSignal) => request('POST', '/v1/exports', body, signal),
    signingKey: () => read(signingKeySchema, '/v1/signing-key'),
    onboarding: () => read(onboardingSchema, '/v1/onboarding'),
    evidencePage: (query: Query) => read(evidencePageSchema, `/v1/evidence${queryString(query)}`),
    evidence: (id: string) => read(evidenceSchema, `/v1/evidence/${encodeURIComponent(id)}`),
    captureEvidence: (exportId: string) => command(evidenceSchema, '/v1/evidence', { export_id: exportId }),
    setUpSigning: () => command(signingKeySchema, '/v1/signing-key', {}),
  };
}
