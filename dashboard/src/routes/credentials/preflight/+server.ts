import { json } from '@sveltejs/kit';
import { createRequestOf, keyFieldsOf } from '../fields/key-fields.ts';
import type { RequestHandler } from './$types';

/** What is to be known before the key of a form is made. Stores nothing. */
export const POST: RequestHandler = async ({ request, locals }) => {
  const outcome = await locals.api.preflight(createRequestOf(keyFieldsOf(await request.formData()), Date.now()));
  if (outcome.ok) return json({ answer: outcome.value, errors: [] });
  const { detail, title, errors, status } = outcome.problem;
  return json({ answer: null, errors: errors.length > 0 ? errors : [{ path: '', message: detail || title }], status });
};
