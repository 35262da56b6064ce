import { error, redirect } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

const PARAMETERS = ['state', 'code', 'iss', 'error'];

/** To the OpenID provider; and, when it sends the browser back with a state, in. */
export const GET: RequestHandler = async ({ url, locals: { api } }) => {
  if (!url.searchParams.has('state')) {
    const begun = await api.startOidc();
    if (!begun.ok) error(502, begun.problem.detail || begun.problem.title);
    // The one redirect that leaves this site, to an address that query-api made of its own settings.
    redirect(303, begun.value.url, { external: true });
  }
  const query = Object.fromEntries([...url.searchParams].filter(([name]) => PARAMETERS.includes(name)));
  const outcome = await api.finishOidc(query);
  if (!outcome.ok) error(outcome.problem.status >= 500 ? 502 : 401, outcome.problem.detail || outcome.problem.title);
  redirect(303, '/');
};
