import type { RequestHandler } from './$types';

/** Pages can be served: query-api answers and is ready itself. */
export const GET: RequestHandler = async ({ locals }) => {
  const response = await locals.api.ready();
  return new Response(response.ok ? 'ready\n' : 'query-api is not ready\n', { status: response.ok ? 200 : 503 });
};
