import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => ({ evidence: await locals.api.evidence(params.id) });
