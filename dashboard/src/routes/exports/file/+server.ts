import { error, redirect } from '@sveltejs/kit';
import { problemSchema } from '@lanewatch/query-api/contract';
import { requestOf } from '../request.ts';
import type { RequestHandler } from './$types';

const PASSED_ON = ['content-type', 'content-disposition'] as const;

/** The file, as query-api writes it. It ends early when something fails, and has no receipt then. */
export const POST: RequestHandler = async ({ locals, request }) => {
  const answer = await locals.api.exportFile(requestOf(await request.formData()), request.signal);
  if (answer.status === 401) redirect(303, '/sign-in?reason=expired');
  if (!answer.ok) {
    const problem = problemSchema.safeParse(await answer.json().catch(() => null));
    error(answer.status >= 500 ? 502 : answer.status, problem.data?.detail ?? 'query-api refused the export.');
  }
  const headers = PASSED_ON.flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  return new Response(answer.body, { headers: [...headers, ['cache-control', 'no-store']] });
};
