import { error } from '@sveltejs/kit';
import { answerStep, stepOf } from '#lib/passkey-server.ts';
import type { RequestHandler } from './$types';

/** Making a passkey: what the browser needs for it, and what it made. */
export const POST: RequestHandler = async ({ request, locals: { api } }) => {
  const asked = await stepOf(request);
  if (asked?.step === 'options') return answerStep(await api.passkeyOptions());
  if (asked?.step === 'add') return answerStep(await api.addPasskey(asked.name, asked.response));
  error(400, 'There is no such step.');
};
