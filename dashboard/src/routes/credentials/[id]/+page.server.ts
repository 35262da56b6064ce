import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const credential = await locals.api.credential(params.id);
  const done = url.searchParams.get('done');
  const isTrue = done === 'registered' ? credential.status === 'active' : credential.status === 'revoked';
  return {
    credential,
    /** What was just done here, said once more by the address that the form led to; not where the key is otherwise by now. */
    done: (done === 'registered' || done === 'revoked') && isTrue ? done : null,
    /** How the key's events stand after it was registered. */
    standing: url.searchParams.get('standing') === 'ambiguous' ? ('ambiguous' as const) : ('known' as const),
    resolved: Number(url.searchParams.get('resolved')) || 0,
    later: url.searchParams.get('published') === 'later',
  };
};
