import { json } from '@sveltejs/kit';
import type { TriageCommand } from '#lib/triage.ts';
import type { RequestHandler } from './$types';

/** An act on findings without leaving the page; query-api checks every field. Plain forms go the page's own way. */
export const POST: RequestHandler = async ({ locals, request }) => {
  const outcome = await locals.api.triage((await request.json()) as TriageCommand);
  if (outcome.ok) return json(outcome.value);
  const { detail, title, status, errors } = outcome.problem;
  return json({ complaint: errors[0]?.message ?? (detail || title) }, { status: status >= 500 ? 502 : status });
};
