import { credentialsQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  // Active keys are what can still be used, so they come first; `status=all` shows the retired ones too.
  const all = url.searchParams.get('status') === 'all';
  const query = parseQuery(credentialsQuerySchema, url.searchParams);
  const status = all ? undefined : (query.status ?? 'active');
  const [credentials, modules, environments] = await Promise.all([
    locals.api.credentials({ ...query, status }),
    locals.api.modules(),
    locals.api.environments(),
  ]);
  return { credentials, modules: modules.items, environments: environments.items, query, status: status ?? 'all' };
};
