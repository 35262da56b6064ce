import { TOKEN_ACCESS, type TokenAccess } from '@lanewatch/query-api/contract';
import { renderSVG } from 'uqr';
import { refused } from '#lib/form-answer.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { api } }) => {
  const [me, sessions, tokens, passkeys, methods] = await Promise.all([
    api.me(),
    api.sessions(),
    api.tokens(),
    api.passkeys(),
    api.signInMethods(),
  ]);
  return {
    ...{ me, sessions: sessions.items, tokens: tokens.items, passkeys: passkeys.items },
    takesPasskeys: methods.passkeys,
  };
};

async function fieldsOf(request: Request) {
  const form = await request.formData();
  return (name: string) => String(form.get(name) ?? '');
}

const accessOf = (text: string): TokenAccess => TOKEN_ACCESS.find((one) => one === text) ?? 'read';

export const actions: Actions = {
  rename: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const outcome = await locals.api.rename(text('name').trim());
    return outcome.ok ? { part: 'profile' as const, done: 'Saved.' } : refused('profile', outcome.problem);
  },
  password: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const body = { current_password: text('current_password'), new_password: text('new_password') };
    const outcome = await locals.api.changePassword(body);
    if (!outcome.ok) return refused('password', outcome.problem);
    return { part: 'password' as const, done: 'The password is changed, and your other sessions have ended.' };
  },
  start_totp: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const outcome = await locals.api.startTotp(text('password'));
    if (!outcome.ok) return refused('totp', outcome.problem);
    const { uri, recovery_codes: recoveryCodes } = outcome.value;
    const image = `data:image/svg+xml;base64,${Buffer.from(renderSVG(uri)).toString('base64')}`;
    return {
      part: 'totp' as const,
      started: { secret: new URL(uri).searchParams.get('secret') ?? '', image, uri },
      recoveryCodes,
    };
  },
  confirm_totp: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const outcome = await locals.api.confirmTotp(text('code').replace(/\s/g, ''));
    if (!outcome.ok) return refused('totp_code', outcome.problem);
    return { part: 'totp' as const, done: 'From now on a code is asked for when you sign in by password.' };
  },
  remove_totp: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const outcome = await locals.api.removeTotp(text('password'));
    return outcome.ok
      ? { part: 'totp' as const, done: 'The authenticator is removed.' }
      : refused('totp', outcome.problem);
  },
  recovery_codes: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const outcome = await locals.api.renewRecoveryCodes(text('password'));
    if (!outcome.ok) return refused('totp', outcome.problem);
    return { part: 'totp' as const, recoveryCodes: outcome.value.recovery_codes };
  },
  revoke_session: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const outcome = await locals.api.revokeSession(text('id'));
    return outcome.ok
      ? { part: 'sessions' as const, done: 'The session has ended.' }
      : refused('sessions', outcome.problem);
  },
  create_token: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const outcome = await locals.api.createToken({
      name: text('name').trim(),
      access: accessOf(text('access')),
      expires_in_days: Number(text('expires_in_days')) || 90,
    });
    if (!outcome.ok) return refused('tokens', outcome.problem);
    return { part: 'tokens' as const, issued: { name: outcome.value.token.name, secret: outcome.value.secret } };
  },
  revoke_token: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const outcome = await locals.api.revokeToken(text('id'));
    return outcome.ok ? { part: 'tokens' as const, done: 'The token is revoked.' } : refused('tokens', outcome.problem);
  },
  remove_passkey: async ({ request, locals }) => {
    const text = await fieldsOf(request);
    const outcome = await locals.api.removePasskey(text('id'));
    return outcome.ok
      ? { part: 'passkeys' as const, done: 'The passkey is removed.' }
      : refused('passkeys', outcome.problem);
  },
};
