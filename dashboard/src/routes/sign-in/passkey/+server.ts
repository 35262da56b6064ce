import { error } from '@sveltejs/kit';
import { answerStep, stepOf } from '#lib/passkey-server.ts';
import type { RequestHandler } from './$types';

/** Signing in by a passkey: what the browser needs for it, and what it signed. */
export const POST: RequestHandler = async ({ request, locals: { api } }) => {
  const asked = await stepOf(request);
  if (asked?.step === 'options') return answerStep(await api.passkeySignInOptions());
  if (asked?.step === 'sign_in') return answerStep(await api.signInByPasskey(asked.response));
  error(400, 'There is no such step.');
};
