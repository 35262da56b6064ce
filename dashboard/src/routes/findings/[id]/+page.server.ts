import type { PageServerLoad } from './$types';

const PROOF_ROWS = 10;

export const load: PageServerLoad = async ({ locals, params }) => {
  const finding = await locals.api.finding(params.id);
  // The rows are the proof, not the finding: without them the page still says what fired and why.
  const proof = await locals.api.ledger({ ...finding.ledger_filter, limit: PROOF_ROWS }).catch(() => null);
  return { finding, proof };
};
