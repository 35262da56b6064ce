import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const done = url.searchParams.get('done');
  return {
    credential: await locals.api.credential(params.id),
    /** What was just done here, said once more by the address that the form led to. */
    done: done === 'registered' || done === 'revoked' ? done : null,
    /** How the key's events stand after it was registered. */
    standing: url.searchParams.get('standing') === 'ambiguous' ? ('ambiguous' as const) : ('known' as const),
    resolved: Number(url.searchParams.get('resolved')) || 0,
    later: url.searchParams.get('published') === 'later',
  };
};
