import { auditQuerySchema } from '@lanewatch/query-api/contract';
import { exactBounds } from '../ledger/ledger-query.ts';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

const LABELS = {
  actor: 'by',
  action: 'action',
  subject_kind: 'kind',
  subject: 'subject',
  credential_id: 'key',
} as const;

export const load: PageServerLoad = async ({ locals, url }) => {
  const params = new URLSearchParams(url.searchParams);
  for (const [name, instant] of Object.entries(exactBounds(params) ?? {})) params.set(name, instant);
  const query = parseQuery(auditQuerySchema, params);
  // Checking reads all of the trail: the page does not wait for it.
  const chain = locals.api.chain().catch(() => null);
  const trail = await locals.api.audit(query);
  const chips = Object.entries({ ...LABELS, from: 'from', to: 'until' }).flatMap(([name, label]) => {
    const value = query[name as keyof typeof query];
    return value === undefined ? [] : [{ name, label, value: String(value) }];
  });
  return { trail, chain, chips };
};
