import { json } from '@sveltejs/kit';
import type { CommentCommand, TriageCommand } from '#lib/triage.ts';
import type { RequestHandler } from './$types';

/** An act or a comment on findings without leaving the page; query-api checks every field. Plain forms go the page's own way. */
export const POST: RequestHandler = async ({ locals, request }) => {
  const sent = (await request.json().catch(() => null)) as TriageCommand | CommentCommand | null;
  if (typeof sent !== 'object' || sent === null) return json({ complaint: 'Send one JSON object.' }, { status: 400 });
  const outcome = await ('text' in sent ? locals.api.commentOn(sent.ids, sent.text) : locals.api.triage(sent));
  if (outcome.ok) return json(outcome.value);
  const { detail, title, status, errors } = outcome.problem;
  return json({ complaint: errors[0]?.message ?? (detail || title) }, { status: status >= 500 ? 502 : status });
};
