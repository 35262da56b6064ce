import { pageQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

const LOG_LINES = 20;
/** What may be said once more of what was just done here: where the key is otherwise by now, the address is not believed. */
const DONE = { registered: 'active', edited: 'any', rotated: 'active', revoked: 'revoked' } as const;

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const { cursor } = parseQuery(pageQuerySchema, url.searchParams);
  const [credential, modules, log] = await Promise.all([
    locals.api.credential(params.id),
    locals.api.modules().then(
      ({ items }) => items,
      () => [],
    ),
    locals.api.credentialLog(params.id, { limit: LOG_LINES, cursor }).catch(() => null),
  ]);
  // Who still uses an older secret is of interest where there is one.
  const drain = credential.secrets.length > 1 ? await locals.api.drain(params.id).catch(() => null) : null;
  const done = (Object.keys(DONE) as (keyof typeof DONE)[]).find((one) => one === url.searchParams.get('done')) ?? null;
  const isTrue = done !== null && (DONE[done] === 'any' || DONE[done] === credential.status);
  const count = (name: string) => Number(url.searchParams.get(name)) || 0;
  return {
    credential,
    /** As people call it; a module that is configured no more has its id alone. */
    moduleName: modules.find(({ module }) => module === credential.module)?.label ?? credential.module,
    drain,
    log,
    done: isTrue ? done : null,
    /** How the key's events stand after it was registered. */
    standing: url.searchParams.get('standing') === 'ambiguous' ? ('ambiguous' as const) : ('known' as const),
    resolved: count('resolved'),
    lowered: count('lowered'),
    later: url.searchParams.get('published') === 'later',
  };
};
